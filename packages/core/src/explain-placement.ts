// What placement finds on each host and each GPU for a worker of an endpoint, as data: why it refuses, and what would change that (ADR 54). It uses the
// same tests as `place`. Failure direction: none, because nothing is decided from it.
import type { Gpu, GpuRequest, GpuVerdict, HostInventory, HostRecord, HostVerdict, Refusal } from '@runyard/schema'
import { resolveCpu } from './cpu-request.ts'
import { gpuBudgetOf, GPU_BUDGET_VARIABLE, hasRoom, inGib, usableMemoryOf } from './gpu-budget.ts'
import { describeReserve, describeSize, misfitOf, type Misfit } from './gpu-fit.ts'
import { createGpuRanker, describeGpuRequest } from './gpu-request.ts'
import { firstLack, type Lack } from './host-lacks.ts'
import { describeVolumes } from './volume-placement.ts'
import { describeCordon, restsUntil } from './open-hosts.ts'
import { isFull, NO_SHARING, shortOf, type Holding, type PlacedSpec } from './placement.ts'

/** The worker that holds a GPU, as far as the reader may know it. */
export interface Holder {
  readonly workerId: string
  readonly endpointName: string
  /** It belongs to the endpoint that asks. */
  readonly isOwn: boolean
  /** No more workers than the minimum of its endpoint. */
  readonly isWithinMin: boolean
}

export interface Question {
  readonly spec: PlacedSpec
  readonly hosts: readonly HostRecord[]
  readonly holdings: readonly Holding[]
  /** By worker id; a worker that is absent belongs to another owner. */
  readonly holders: ReadonlyMap<string, Holder>
  /** Names of hosts that do not have the endpoint's image. */
  readonly withoutImage?: ReadonlySet<string>
  readonly now: number
}

export function explainPlacement(question: Question): readonly HostVerdict[] {
  return question.hosts.flatMap(({ sight, ...record }) => (sight === undefined ? [] : [verdictOn({ ...record, sight }, question)]))
}

/**
 * What would make a place for one more worker, each once. Where the host itself refuses, its cards do not matter; where its cards are too few, each says what
 * would make it available. Nothing where a host could take one already.
 */
export function remediesOf(verdicts: readonly HostVerdict[]): readonly string[] {
  const found = verdicts.map(({ refusal, gpus }) => {
    if (refusal === undefined) return []
    const ofCards = refusal.reason === 'too_few_gpus' ? gpus.flatMap((gpu) => gpu.refusal?.remedy ?? []) : []
    return ofCards.length > 0 ? ofCards : [refusal.remedy]
  })
  return found.some((remedies) => remedies.length === 0) ? [] : [...new Set(found.flat())]
}

type SeenHost = HostRecord & { readonly sight: NonNullable<HostRecord['sight']> }

function verdictOn(record: SeenHost, question: Question): HostVerdict {
  const { hostId, sight } = record
  const { label: host, inventory } = sight
  const gpus = inventory === undefined ? [] : gpuVerdicts(inventory, record, question)
  const refusal =
    whyClosed(record, question.now) ??
    (inventory === undefined ? unknown() : (whyNoRoom(sight, question) ?? whyUnfit(inventory, gpus, question)))
  return { hostId, host, gpus, ...(refusal === undefined ? {} : { refusal }) }
}

function refuse(reason: Refusal['reason'], message: string, remedy: string): Refusal {
  return { reason, message, remedy }
}

function unknown(): Refusal {
  return refuse('unready', 'the inventory of the host has not been read yet', 'wait a few seconds')
}

function whyClosed({ sight, cordon, rest }: SeenHost, now: number): Refusal | undefined {
  if (sight.health === 'unreachable') {
    const remedy = 'check that its engine runs and that this machine reaches it'
    return refuse('unreachable', sight.problem ?? 'the host does not answer', remedy)
  }
  if (cordon !== undefined) return refuse('cordoned', `the host is ${describeCordon(cordon)}`, 'end the cordon of the host')
  return whyNotReady(sight) ?? whyResting(rest, now)
}

function whyNotReady(sight: SeenHost['sight']): Refusal | undefined {
  if (sight.health !== 'unready') return undefined
  return refuse('unready', sight.problem ?? 'the host is not prepared', 'wait until it is prepared, or mend what the message names')
}

function whyResting(rest: HostRecord['rest'], now: number): Refusal | undefined {
  if (rest?.what !== 'host' || restsUntil(rest) <= now) return undefined
  const message = `the host rests until ${iso(restsUntil(rest))}, because it failed to start a worker: ${rest.message}`
  return refuse('resting', message, 'mend the cause; the host is tried again at that time')
}

const iso = (at: number): string => new Date(at).toISOString()

function whyNoRoom(sight: SeenHost['sight'], { spec, withoutImage }: Question): Refusal | undefined {
  if (sight.lowDisk === undefined || withoutImage?.has(sight.label) !== true) return undefined
  const message = `the host does not have the image ${spec.image} and does not pull it: ${sight.lowDisk}`
  return refuse('not_enough_disk', message, 'remove images that nothing uses, or lower images.keepFreeBytes')
}

/** It cannot run the program, whatever is free. */
function whyUnable(host: HostInventory, { spec, hosts }: Question): Refusal | undefined {
  const lack = firstLack(spec, host)
  return lack === undefined
    ? undefined
    : LACKING[lack](spec, host, (hostId) => hosts.find((one) => one.hostId === hostId)?.sight?.label ?? hostId)
}

const LACKING: Readonly<Record<Lack, (spec: PlacedSpec, host: HostInventory, labelOf: (hostId: string) => string) => Refusal>> = {
  no_container_host: ({ image }) =>
    refuse(
      'no_containers',
      `the image ${image} needs a Docker host; this one runs processes`,
      'add a Docker host, or use an image of runpod/flash or runpod/queue',
    ),
  no_volume_host: ({ volumes = [] }, _, labelOf) =>
    refuse(
      'no_volume',
      `the host does not have the volume ${describeVolumes(volumes, labelOf)}`,
      'wait for the host that has the volume, or give the endpoint a volume of this one',
    ),
  no_python: ({ python }, { pythons }) =>
    refuse(
      'no_python',
      `the app was built for Python ${python}; this host has ${pythons?.join(', ') || 'none'}`,
      `install python${python}, name it in the setting pythons, or deploy with --python-version`,
    ),
  no_runtime: ({ runtime }) =>
    refuse(
      'no_runtime',
      `the host does not have the container runtime ${runtime}`,
      `install ${runtime} there and name it in /etc/docker/daemon.json, or change the setting runtimes`,
    ),
}

function whyUnfit(host: HostInventory, gpus: readonly GpuVerdict[], question: Question): Refusal | undefined {
  const { spec, holdings } = question
  const unable = whyUnable(host, question)
  if (unable !== undefined) return unable
  if (isFull(host, holdings))
    return refuse(
      'full',
      `the host has ${host.maxWorkers} workers, its limit`,
      'raise limits.workers of the host, or wait until a worker ends',
    )
  if (gpuBudgetOf(spec) !== undefined && host.capabilities.gpuChoice !== 'uuid')
    return refuse('no_sharing', NO_SHARING, `remove ${GPU_BUDGET_VARIABLE} from the endpoint, or add another host`)
  if (spec.gpu !== null) return whyTooFew(spec.gpu, gpus)
  return spec.cpu === null ? undefined : whyShort(spec.cpu.instanceIds, host, holdings)
}

/** A worker's GPUs are of one model. */
function whyTooFew(request: GpuRequest, gpus: readonly GpuVerdict[]): Refusal | undefined {
  const free = gpus.filter(({ refusal }) => refusal === undefined)
  const most = Math.max(0, ...[...Map.groupBy(free, ({ name }) => name).values()].map((group) => group.length))
  if (most >= request.count) return undefined
  const has = most === 0 ? 'no GPU' : `${most} of ${request.count} GPUs of one model`
  const remedy = gpus.length === 0 ? 'add a GPU, or ask for a CPU worker' : `make ${request.count} of its GPUs available`
  return refuse('too_few_gpus', `${has} that a worker with ${describeGpuRequest(request)} can have now`, remedy)
}

function whyShort(instanceIds: readonly string[], host: HostInventory, holdings: readonly Holding[]): Refusal | undefined {
  const short = resolveCpu(instanceIds).map((size) => shortOf(size, host, holdings))
  const [reason] = short
  if (reason === undefined || short.includes(undefined)) return undefined
  const what = reason === 'not_enough_memory' ? 'memory' : 'CPUs'
  return refuse(
    reason,
    `too few free ${what} for a ${instanceIds.join(' or ')} worker`,
    `wait until a worker ends, or ask for a smaller size`,
  )
}

function gpuVerdicts(host: HostInventory, { sight, rest }: SeenHost, question: Question): GpuVerdict[] {
  const { gpu: request } = question.spec
  if (request === null) return []
  const rankOf = createGpuRanker(request)
  const budget = gpuBudgetOf(question.spec)
  const isResting = rest?.what === 'gpus' && restsUntil(rest) > question.now
  return host.gpus.map((gpu) => {
    const misfit = misfitOf(gpu, { request, budget, host, rankOf })
    const resting = isResting && !gpu.simulated ? restingGpu(rest) : undefined
    const refusal =
      misfit === undefined ? (resting ?? whyTaken(gpu, { sight, budget }, question)) : ofMisfit(misfit, gpu, { request, budget, host })
    return { uuid: gpu.uuid, name: gpu.name, simulated: gpu.simulated, ...(refusal === undefined ? {} : { refusal }) }
  })
}

function restingGpu(rest: NonNullable<HostRecord['rest']>): Refusal {
  const message = `the GPUs of the host rest until ${iso(restsUntil(rest))}, because it failed to start a GPU worker: ${rest.message}`
  return refuse('faulty', message, 'mend the cause; the GPUs are tried again at that time')
}

interface Asked {
  readonly request: GpuRequest
  readonly budget: number | undefined
  readonly host: HostInventory
}

function ofMisfit(misfit: Misfit, gpu: Gpu, { request, budget = 0, host }: Asked): Refusal {
  const cuda = host.cudaVersion ?? 'none'
  const sentences: Readonly<Record<Misfit, readonly [message: string, remedy: string]>> = {
    other_type: [`${gpu.name} is none of the requested types (${describeGpuRequest(request)})`, `ask for "${gpu.name}", too`],
    reserved: ['the configuration of the host reserves it', 'change reserve.gpus of the host'],
    faulty: [`it has a fault: ${gpu.fault ?? 'unknown'}`, 'mend the fault'],
    memory_reserved: [
      `${describeReserve(gpu)}, which leaves less than ${describeGpuRequest(request)} promises`,
      'lower reserve.gpuMemoryMib of the host, or ask for a smaller pool',
    ],
    too_small: [
      `${describeSize(gpu)}, and the budget of a worker is ${inGib(budget)}`,
      `lower ${GPU_BUDGET_VARIABLE} of the endpoint, or reserve.gpuMemoryMib of the host`,
    ],
    one_process: [
      'its compute mode lets only one process use it, so workers cannot share it',
      'set its compute mode (nvidia-smi -c DEFAULT)',
    ],
    old_driver: [
      `the driver of the host has CUDA ${cuda}, which the endpoint does not accept`,
      'update the driver, or accept its CUDA version',
    ],
  }
  return refuse(misfit, ...sentences[misfit])
}

interface Occupied {
  readonly sight: SeenHost['sight']
  readonly budget: number | undefined
}

/** Undefined: it is free, or has room for the budget. */
function whyTaken(gpu: Gpu, { sight, budget }: Occupied, question: Question): Refusal | undefined {
  const claim = sight.claims[gpu.uuid]
  const sharers = sight.sharers?.[gpu.uuid]
  if (sharers === undefined) return heldBy(claim, question)
  if (claim === null)
    return refuse('held', 'a worker has left it, and it is not proven yet that nothing of it is left', 'wait a few seconds')
  const taken = sharers.reduce((sum, { bytes }) => sum + bytes, 0)
  if (hasRoom(gpu, budget, taken)) return undefined
  const held = `${sharers.length === 1 ? '1 worker holds' : `${sharers.length} workers hold`} ${inGib(taken)} of its ${inGib(usableMemoryOf(gpu))}`
  return budget === undefined
    ? refuse('held', `${held}, and this endpoint needs it alone`, `wait: they yield after their turns; or set ${GPU_BUDGET_VARIABLE}`)
    : refuse('held', `${held}, and the budget is ${inGib(budget)}`, `wait until one of them ends, or lower ${GPU_BUDGET_VARIABLE}`)
}

/** `claim`: a worker id; null: a worker of another installation; undefined: it is free. */
function heldBy(claim: string | null | undefined, { holders }: Question): Refusal | undefined {
  if (claim === undefined) return undefined
  if (claim === null) return refuse('held', 'a worker of another installation holds it', 'stop that installation, or keep it off this GPU')
  const holder = holders.get(claim)
  if (holder === undefined)
    return refuse('held', 'a worker of another owner holds it', 'wait for the turn of this endpoint, or raise its priority')
  const { workerId, endpointName, isOwn, isWithinMin } = holder
  if (isOwn) return refuse('held', `worker ${workerId} of this endpoint holds it`, 'add a GPU, or wait until the worker is free')
  const message = `worker ${workerId} of endpoint "${endpointName}" holds it`
  return isWithinMin
    ? refuse('held', `${message}, within the minimum of that endpoint`, `lower the minimum of "${endpointName}"`)
    : refuse(
        'held',
        message,
        'wait: it yields when it is idle or its turn is over; a higher priority makes the share of this endpoint larger',
      )
}
