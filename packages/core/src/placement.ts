// Where a new worker goes: the first host, in the configured order, that has what it asks for, and which GPUs it gets, by UUID and never
// shared. What a worker holds stays taken until the worker is known to be gone. Failure direction: throttled rather than placed twice.
import type { AttachedGpu, EndpointSpec, Gpu, GpuRequest, HostInventory, Reason } from '@runyard/schema'
import { resolveCpu, type CpuSize } from './cpu-request.ts'
import { createGpuRanker, describeGpuRequest, matchesCuda } from './gpu-request.ts'
import { needsContainer } from './image-reference.ts'

/** What one worker, unless it is known to be gone, takes from its host. */
export interface Holding {
  /** undefined: started by this plan; null: of another installation. */
  readonly workerId?: string | undefined | null
  readonly hostId: string
  readonly gpuUuids: readonly string[]
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

const GIB = 2 ** 30
/** For the host, Redis and Runyard, unless the host's configuration says otherwise. */
export const RESERVED_MEMORY_BYTES = 2 * GIB
/** Docker's default weight of a container, which CPU workers have. */
const CPU_SHARES = 1024
const LEAST_CPU_SHARES = 2
const MOST_CPU_SHARES = 262_144

/** `reachable`: inventories of the hosts that can be reached now. */
export function place(
  spec: Pick<EndpointSpec, 'gpu' | 'cpu' | 'image'>,
  reachable: readonly HostInventory[],
  holdings: readonly Holding[],
): Placed | Refused {
  if (reachable.length === 0) return refuse('no_host', 'no host is configured or reachable')
  const able = needsContainer(spec.image) ? reachable.filter(({ capabilities }) => capabilities.runsImages) : reachable
  if (able.length === 0) return refuse('no_container_host', noContainers(spec.image, reachable))
  const hosts = able.filter((host) => !isFull(host, holdings))
  if (hosts.length === 0)
    return refuse('hosts_full', able.map((host) => `${nameOf(host)} has ${host.maxWorkers} workers, its limit`).join(', '))
  if (spec.gpu !== null) return placeGpus(spec.gpu, hosts, holdings)
  if (spec.cpu !== null) return placeCpu(resolveCpu(spec.cpu.instanceIds), hosts, holdings)
  const [host] = hosts
  return host === undefined
    ? refuse('no_host', 'no host is configured or reachable')
    : { kind: 'placed', hostId: host.hostId, gpus: [], cpus: undefined, memoryBytes: undefined }
}

/** A worker may be here twice: by its record and by its container. */
function isFull({ hostId, maxWorkers = Infinity }: HostInventory, holdings: readonly Holding[]): boolean {
  if (maxWorkers === Infinity) return false
  const here = holdings.filter((holding) => holding.hostId === hostId)
  const named = new Set(here.flatMap(({ workerId }) => workerId ?? []))
  return named.size + here.filter(({ workerId }) => workerId === undefined).length >= maxWorkers
}

function noContainers(image: string, hosts: readonly HostInventory[]): string {
  const names = hosts.map(nameOf).join(', ')
  return `the image ${image} brings its own handler, which needs a Docker host; ${names} runs processes only: start Docker, then Runyard again`
}

/** The name that the operator knows. */
function nameOf({ label, hostId }: HostInventory): string {
  return label ?? hostId
}

function refuse(reason: Reason, message: string): Refused {
  return { kind: 'refused', reason, message }
}

function placeGpus(request: GpuRequest, hosts: readonly HostInventory[], holdings: readonly Holding[]): Placed | Refused {
  const taken = new Set(holdings.flatMap((holding) => holding.gpuUuids))
  for (const host of hosts) {
    const free = matchingGpus(request, host).filter((gpu) => !taken.has(gpu.uuid))
    const chosen = sameModel(free, request.count)
    if (chosen !== undefined) {
      const gpus = chosen.map(({ uuid, name, pool, simulated }) => ({ uuid, name, ...(pool === undefined ? {} : { pool }), simulated }))
      return { kind: 'placed', hostId: host.hostId, gpus, cpus: undefined, memoryBytes: memoryOf(request.count, host) }
    }
  }
  return refuseGpus(request, hosts)
}

/**
 * A GPU worker with a memory leak must not exhaust the host: it gets its GPUs' share of the unreserved memory. E.g. one of 4 GPUs of a host
 * with 258 GiB: (258 − 2) / 4 = 64 GiB. Undefined: the host's configuration disables the limit.
 */
function memoryOf(cards: number, host: HostInventory): number | undefined {
  if (host.gpuMemoryBytes !== undefined) return host.gpuMemoryBytes === 0 ? undefined : host.gpuMemoryBytes * cards
  const reserved = host.reservedMemoryBytes ?? Math.min(RESERVED_MEMORY_BYTES, host.memoryBytes / 4)
  return Math.floor((Math.max(0, host.memoryBytes - reserved) * cards) / host.gpus.length)
}

/**
 * The CPU weight of a GPU worker, in proportion to its share of the host's GPUs. It is a weight and not a quota, so that every worker can use
 * idle CPUs. Undefined for a worker without GPUs.
 */
export function cpuSharesOf(cards: number, host: Pick<HostInventory, 'cpuCount' | 'gpus'>): number | undefined {
  if (cards === 0 || host.gpus.length === 0) return undefined
  const shares = Math.round((CPU_SHARES * host.cpuCount * cards) / host.gpus.length)
  return Math.min(MOST_CPU_SHARES, Math.max(LEAST_CPU_SHARES, shares))
}

/** Best first: the request's own order of pools. */
function matchingGpus(request: GpuRequest, host: HostInventory): readonly Gpu[] {
  const rankOf = createGpuRanker(request)
  return host.gpus
    .filter((gpu) => gpu.healthy && gpu.reserved !== true && rankOf(gpu) !== undefined)
    .filter((gpu) => gpu.simulated || matchesCuda(request, host.cudaVersion))
    .toSorted((a, b) => (rankOf(a) ?? 0) - (rankOf(b) ?? 0))
}

/** All GPUs of one worker are of one model. */
function sameModel(gpus: readonly Gpu[], count: number): readonly Gpu[] | undefined {
  const groups = Map.groupBy(gpus, (gpu) => gpu.name).values()
  for (const group of groups) if (group.length >= count) return group.slice(0, count)
  return undefined
}

function refuseGpus(request: GpuRequest, hosts: readonly HostInventory[]): Refused {
  const wanted = describeGpuRequest(request)
  const all = hosts.flatMap((host) => host.gpus.filter(({ reserved }) => reserved !== true))
  const rankOf = createGpuRanker(request)
  const named = all.filter((gpu) => rankOf(gpu) !== undefined)
  if (named.length === 0) {
    const have = all.length === 0 ? 'no GPU' : [...new Set(all.map((gpu) => gpu.name))].join(', ')
    return refuse('no_matching_gpu', `no host has a GPU of the requested types: wanted ${wanted}, hosts have ${have}`)
  }
  const unfit = named.filter((gpu) => !gpu.healthy)
  if (unfit.length === named.length) {
    return refuse(
      'no_matching_gpu',
      `every GPU of the requested types has a fault: ${unfit.map((gpu) => gpu.fault ?? gpu.name).join('; ')}`,
    )
  }
  const usable = hosts.map((host) => matchingGpus(request, host))
  if (usable.every((gpus) => gpus.length === 0)) {
    const drivers = hosts.map((host) => host.cudaVersion ?? 'none').join(', ')
    return refuse('no_matching_gpu', `no host's driver has the CUDA version that the endpoint asks for: hosts have ${drivers}`)
  }
  if (usable.every((gpus) => sameModel(gpus, request.count) === undefined)) {
    return refuse('no_matching_gpu', `no host has ${wanted}: one worker's GPUs must be of one model on one host`)
  }
  return refuse('gpus_busy', `all ${usable.flat().length} GPUs that match ${wanted} are in use`)
}

function placeCpu(sizes: readonly CpuSize[], hosts: readonly HostInventory[], holdings: readonly Holding[]): Placed | Refused {
  for (const size of sizes) {
    const host = hosts.find((candidate) => shortOf(size, candidate, holdings) === undefined)
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

function shortOf(size: CpuSize, host: HostInventory, holdings: readonly Holding[]): 'not_enough_memory' | 'not_enough_cpu' | undefined {
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
