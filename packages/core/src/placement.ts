// Where a new worker goes: of the hosts that have what it asks for, the one with the best score, and which GPUs it gets, by UUID (ADR 54), alone or
// with a budget (ADR 61). What a worker holds stays taken until the worker is known to be gone. Failure direction: throttled rather than placed twice.
import type { AttachedGpu, EndpointSpec, Gpu, GpuRequest, HostInventory, Reason } from '@runyard/schema'
import { resolveCpu, type CpuSize } from './cpu-request.ts'
import { cardsIn, gpuBudgetOf, hasRoom, inGib, takenMemory, usableMemoryOf, type Held } from './gpu-budget.ts'
import { describeReserve, describeSize, lacksMemory, matchingGpus, modelsOf } from './gpu-fit.ts'
import { bestLinked } from './gpu-links.ts'
import { createGpuRanker, describeGpuRequest, wantsEveryPool } from './gpu-request.ts'
import { LACKS, lacks, nameOf, noHostHas, type HostNeeds } from './host-lacks.ts'
import { modelScore, type ModelNeeds, type ModelShelf } from './model-placement.ts'

/** What one worker, unless it is known to be gone, takes from its host. */
export interface Holding extends Held {
  /** undefined: started by this plan; null: of another installation. */
  readonly workerId?: string | undefined | null
  readonly hostId: string
  readonly cpus: number
  readonly memoryBytes: number
}

export interface Placed {
  readonly kind: 'placed'
  readonly hostId: string
  readonly gpus: readonly AttachedGpu[]
  /** A quota; undefined for GPU workers, which share the CPUs by weight (`cpuSharesOf`). */
  readonly cpus: number | undefined
  /** Undefined: no limit. */
  readonly memoryBytes: number | undefined
}

export interface Refused {
  readonly kind: 'refused'
  readonly reason: Reason
  /** One sentence. */
  readonly message: string
}

/**
 * Workers rarely reach their limits, so the sum of all limits may be this many times the size of the host; a single worker's memory limit may
 * not exceed the host. Without overcommit a laptop could run only one CPU worker of Runpod's default size (2 vCPU, 8 GB).
 */
export const OVERCOMMIT = 4

/** For the host, Redis and Runyard, unless the host's configuration says otherwise. */
export const RESERVED_MEMORY_BYTES = 2 * 2 ** 30

/** A host that may get workers now. */
export interface OpenHost extends HostInventory, ModelShelf {
  /** The endpoints' images that it has, as far as is known. */
  readonly images?: ReadonlySet<string> | undefined
  /** Why it pulls no image now, as the end of a sentence. */
  readonly lowDisk?: string | undefined
}

/** What decides where a worker of an endpoint may go. */
export interface PlacedSpec extends HostNeeds, Pick<EndpointSpec, 'gpu' | 'cpu'>, Partial<Pick<EndpointSpec, 'env'>> {
  readonly modelNeeds?: ModelNeeds | undefined
}

/** `reachable`: the hosts that can be reached now. */
export function place(spec: PlacedSpec, reachable: readonly OpenHost[], holdings: readonly Holding[]): Placed | Refused {
  if (reachable.length === 0) return refuse('no_host', 'no host is configured or reachable')
  let able = reachable
  for (const lack of LACKS) {
    const left = able.filter((host) => !lacks(lack, spec, host))
    if (left.length === 0) return refuse(lack, noHostHas(lack, spec, able))
    able = left
  }
  return placeOn(spec, able, holdings)
}

function placeOn(spec: PlacedSpec, near: readonly OpenHost[], holdings: readonly Holding[]): Placed | Refused {
  const stocked = near.filter((host) => !lacksRoom(spec.image, host))
  if (stocked.length === 0) return refuse('not_enough_disk', noRoom(spec.image, near))
  const hosts = stocked.filter((host) => !isFull(host, holdings))
  if (hosts.length === 0)
    return refuse('hosts_full', stocked.map((host) => `${nameOf(host)} has ${host.maxWorkers} workers, its limit`).join(', '))
  const pool = { bringing: (host: OpenHost) => [...modelScore(spec.modelNeeds, host), pulls(spec.image, host)], hosts, holdings }
  if (spec.gpu !== null) return placeGpus({ request: spec.gpu, budget: gpuBudgetOf(spec) }, pool)
  if (spec.cpu !== null) return placeCpu(resolveCpu(spec.cpu.instanceIds), pool)
  const { hostId } = hosts.reduce((one, other) => (compareScores(pool.bringing(other), pool.bringing(one)) < 0 ? other : one))
  return { kind: 'placed', hostId, gpus: [], cpus: undefined, memoryBytes: undefined }
}

/** It would have to pull the image, and its disk is too full for that. */
function lacksRoom(image: string, host: OpenHost): boolean {
  return host.lowDisk !== undefined && pulls(image, host) === 1
}

function noRoom(image: string, hosts: readonly OpenHost[]): string {
  return `the image ${image} cannot be pulled: ${hosts.map((host) => `on ${nameOf(host)} ${host.lowDisk}`).join('; ')}`
}

export function isFull({ hostId, maxWorkers = Infinity }: HostInventory, holdings: readonly Holding[]): boolean {
  if (maxWorkers === Infinity) return false
  const here = holdings.filter((holding) => holding.hostId === hostId)
  const named = new Set(here.flatMap(({ workerId }) => workerId ?? []))
  return named.size + here.filter(({ workerId }) => workerId === undefined).length >= maxWorkers
}

function refuse(reason: Reason, message: string): Refused {
  return { kind: 'refused', reason, message }
}

interface Pool {
  /** What a host would have to fetch for the worker: the less, the better. */
  readonly bringing: (host: OpenHost) => readonly number[]
  readonly hosts: readonly OpenHost[]
  readonly holdings: readonly Holding[]
}

/** The candidate with the lowest score, compared number by number; the first of equal ones. All scores are of one length. */
function best<T>(candidates: readonly T[], scoreOf: (candidate: T) => readonly number[]): T | undefined {
  const scored = candidates.map((candidate) => ({ candidate, score: scoreOf(candidate) }))
  return scored.toSorted((a, b) => compareScores(a.score, b.score))[0]?.candidate
}

function compareScores(a: readonly number[], b: readonly number[]): number {
  for (const [index, value] of a.entries()) {
    const difference = value - Number(b[index])
    if (difference !== 0) return difference
  }
  return 0
}

/** 1: the host has to pull the image, as far as is known. */
function pulls(image: string, { capabilities, images }: OpenHost): number {
  return capabilities.runsImages && images?.has(image) !== true ? 1 : 0
}

interface Asked {
  readonly request: GpuRequest
  /** Of a worker, in bytes; undefined: it needs its GPUs alone. */
  readonly budget: number | undefined
}

/**
 * The request's own order of pools, then models and image, then the least memory that fits, then the host with the most free GPUs (ADR 54). With a budget, not the
 * least memory of a card but the least room on one, where others are already (ADR 61).
 */
function placeGpus({ request, budget }: Asked, { bringing, hosts: all, holdings }: Pool): Placed | Refused {
  const hosts = budget === undefined ? all : all.filter(({ capabilities }) => capabilities.gpuChoice === 'uuid')
  if (hosts.length === 0) return refuse('no_matching_gpu', `${all.map(nameOf).join(', ')}: ${NO_SHARING}`)
  const taken = takenMemory(holdings)
  const rankOf = createGpuRanker(request)
  const candidates = hosts.flatMap((host) => {
    const free = matchingGpus(request, budget, host).filter((gpu) => hasRoom(gpu, budget, taken.get(gpu.uuid)))
    if (budget !== undefined) return free.map((gpu) => ({ host, gpus: [gpu], free: free.length }))
    return modelsOf(free, request.count).map((gpus) => ({ host, gpus: bestLinked(gpus, request.count, host.links), free: free.length }))
  })
  const memoryScore = (gpu: Gpu): readonly number[] => {
    const inUse = taken.get(gpu.uuid) ?? 0
    return [budget !== undefined && inUse > 0 ? 0 : 1, usableMemoryOf(gpu) - inUse]
  }
  // `matchingGpus` are those that have a rank.
  const ranksOf = (gpus: readonly Gpu[]): readonly number[] => (wantsEveryPool(request) ? [] : gpus.map((gpu) => Number(rankOf(gpu))))
  const chosen = best(candidates, ({ host, gpus, free }) => [...ranksOf(gpus), ...bringing(host), ...gpus.flatMap(memoryScore), -free])
  if (chosen === undefined) return refuseGpus({ request, budget }, hosts)
  const gpus = chosen.gpus.map((gpu) => toAttached(gpu, budget))
  return { kind: 'placed', hostId: chosen.host.hostId, gpus, cpus: undefined, memoryBytes: memoryOf(cardsIn(gpus), chosen.host) }
}

/** Why a host takes no worker with a budget. */
export const NO_SHARING = 'GPUs are attached by number here, so workers cannot share one (RUNYARD_GPU_MEMORY_MIB)'

function toAttached(gpu: Gpu, budget: number | undefined): AttachedGpu {
  const { uuid, name, pool, simulated } = gpu
  const part = budget === undefined ? {} : { part: { bytes: budget, ofBytes: usableMemoryOf(gpu) } }
  return { uuid, name, ...(pool === undefined ? {} : { pool }), simulated, ...part }
}

/**
 * A GPU worker with a memory leak must not exhaust the host: it gets its GPUs' share of the unreserved memory. E.g. one of 4 GPUs of a host
 * with 258 GiB: (258 − 2) / 4 = 64 GiB. Undefined: the host's configuration disables the limit.
 */
function memoryOf(cards: number, host: HostInventory): number | undefined {
  if (host.gpuMemoryBytes !== undefined) return host.gpuMemoryBytes === 0 ? undefined : Math.floor(host.gpuMemoryBytes * cards)
  const reserved = host.reservedMemoryBytes ?? Math.min(RESERVED_MEMORY_BYTES, host.memoryBytes / 4)
  return Math.floor((Math.max(0, host.memoryBytes - reserved) * cards) / host.gpus.length)
}

function refuseGpus({ request, budget }: Asked, hosts: readonly HostInventory[]): Refused {
  const wanted = describeGpuRequest(request)
  const all = hosts.flatMap((host) => host.gpus.filter(({ reserved }) => reserved !== true))
  const rankOf = createGpuRanker(request)
  const named = all.filter((gpu) => rankOf(gpu) !== undefined)
  if (named.length === 0) {
    const have = all.length === 0 ? 'no GPU' : [...new Set(all.map((gpu) => gpu.name))].join(', ')
    return refuse('no_matching_gpu', `no host has a GPU of the requested types: wanted ${wanted}, hosts have ${have}`)
  }
  const fit = named.filter(({ healthy }) => healthy)
  if (fit.length === 0) {
    const faults = named.map((gpu) => gpu.fault ?? gpu.name).join('; ')
    return refuse('no_matching_gpu', `every GPU of the requested types has a fault: ${faults}`)
  }
  const tooSmall = whyTooSmall({ request, budget }, fit)
  if (tooSmall !== undefined) return refuse('no_matching_gpu', tooSmall)
  const usable = hosts.map((host) => matchingGpus(request, budget, host))
  if (usable.every((gpus) => gpus.length === 0)) {
    const drivers = hosts.map((host) => host.cudaVersion ?? 'none').join(', ')
    return refuse('no_matching_gpu', `no host's driver has the CUDA version that the endpoint asks for: hosts have ${drivers}`)
  }
  if (usable.every((gpus) => modelsOf(gpus, request.count).length === 0)) {
    return refuse('no_matching_gpu', `no host has ${wanted}: one worker's GPUs must be of one model on one host`)
  }
  const count = usable.flat().length
  if (budget === undefined) return refuse('gpus_busy', `all ${count} GPUs that match ${wanted} are in use`)
  return refuse('gpus_busy', `none of the GPUs that match ${wanted} (${count}) has ${inGib(budget)} left for another worker`)
}

/** `gpus`: those that would do otherwise. Undefined: one of them has enough memory. */
function whyTooSmall({ request, budget }: Asked, gpus: readonly Gpu[]): string | undefined {
  if (budget === undefined) {
    if (!gpus.every((gpu) => lacksMemory(gpu, request))) return undefined
    const reserves = [...new Set(gpus.map(describeReserve))].join(', ')
    return `too little memory is left of every GPU of the requested types: ${reserves} (reserve.gpuMemoryMib)`
  }
  const shared = gpus.filter(({ oneProcess }) => oneProcess !== true)
  if (shared.length === 0)
    return 'the compute mode of every GPU of the requested types lets only one process use it, so workers cannot share it'
  if (shared.some((gpu) => usableMemoryOf(gpu) >= budget)) return undefined
  const sizes = [...new Set(shared.map(describeSize))].join(', ')
  return `the budget of ${inGib(budget)} is more than any GPU of the requested types has: ${sizes}`
}

/** The first size that fits somewhere, on the host that has its models and its image, then on the least loaded one. */
function placeCpu(sizes: readonly CpuSize[], { bringing, hosts, holdings }: Pool): Placed | Refused {
  const loadOf = ({ hostId, cpuCount }: OpenHost): number =>
    holdings.reduce((sum, holding) => sum + (holding.hostId === hostId ? holding.cpus : 0), 0) / cpuCount
  for (const size of sizes) {
    const fitting = hosts.filter((candidate) => shortOf(size, candidate, holdings) === undefined)
    const host = best(fitting, (candidate) => [...bringing(candidate), loadOf(candidate)])
    if (host !== undefined) {
      // An engine rejects a limit above its number of CPUs.
      return { kind: 'placed', hostId: host.hostId, gpus: [], cpus: Math.min(size.cpus, host.cpuCount), memoryBytes: size.memoryBytes }
    }
  }
  const wanted = sizes.map((size) => size.instanceId).join(', ')
  const short = sizes.flatMap((size) => hosts.map((host) => shortOf(size, host, holdings)))
  return short.includes('not_enough_memory')
    ? refuse('not_enough_memory', `no host has enough free memory for a ${wanted} worker: ${describeHosts(hosts, 'memory')}`)
    : refuse('not_enough_cpu', `no host has enough free CPUs for a ${wanted} worker: ${describeHosts(hosts, 'cpu')}`)
}

export function shortOf(
  size: CpuSize,
  host: HostInventory,
  holdings: readonly Holding[],
): 'not_enough_memory' | 'not_enough_cpu' | undefined {
  const here = holdings.filter((holding) => holding.hostId === host.hostId)
  const sum = (pick: (holding: Holding) => number) => here.reduce((total, holding) => total + pick(holding), 0)
  const memory = sum((holding) => holding.memoryBytes) + size.memoryBytes
  if (size.memoryBytes > host.memoryBytes || memory > host.memoryBytes * OVERCOMMIT) return 'not_enough_memory'
  return sum((holding) => holding.cpus) + size.cpus > host.cpuCount * OVERCOMMIT ? 'not_enough_cpu' : undefined
}

function describeHosts(hosts: readonly HostInventory[], what: 'memory' | 'cpu'): string {
  return hosts
    .map((host) => `${nameOf(host)} has ${what === 'cpu' ? `${host.cpuCount} CPUs` : `${(host.memoryBytes / 1e9).toFixed(1)} GB`}`)
    .join(', ')
}
