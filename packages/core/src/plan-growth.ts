// Which new workers are started, where, and, when they cannot be, the sentence why.
import type { Endpoint, HostInventory, Reason } from '@runyard/schema'
import { currentFailures, retryAt, type StartFailures } from './backoff.ts'
import type { EndpointStatus, EndpointView, Observed } from './observed.ts'
import { idleSince } from './phase.ts'
import { place, type Holding } from './placement.ts'
import type { PlanBuilder } from './plan-builder.ts'
import { FAILED_STARTS } from './plan-workers.ts'
import { jobsWait } from './queue-reason.ts'
import { desiredWorkers, type Desired } from './scaling.ts'
import type { WorkerView } from './worker-view.ts'

/** Told as they are: the next try changes nothing while nobody does something about them. */
const MENDED_BY_USERS = new Set<Reason>(['image_missing', 'registry_refused'])

const QUIET: EndpointStatus = { throttled: 0, unhealthy: 0, reason: undefined, message: undefined }

export interface Growth {
  readonly endpoint: Endpoint
  readonly view: EndpointView
  readonly workers: readonly WorkerView[]
  /** Grows with each start in this plan, so that no GPU is given twice. */
  readonly holdings: Holding[]
}

export function planGrowth(growth: Growth, builder: PlanBuilder): EndpointStatus {
  const { endpoint, view, workers } = growth
  if (builder.observed.shutdown) return QUIET
  const supply = workers.flatMap((worker) => asSupply(worker, endpoint, builder))
  const supplied = supply.map((worker) => ({ phase: worker.phase, idleSince: idleSince(worker.record) }))
  const desired = desiredWorkers(endpoint, { demand: view.demand, workers: supplied }, builder.now)
  builder.wakeAt(desired.dueAt)
  if (endpoint.settings.workersMax === 0) return pausedStatus(view)
  // Whatever is not yet seen gone counts against the maximum.
  const living = workers.filter((worker) => worker.fate.kind !== 'dead').length
  const missing = Math.max(0, Math.min(desired.count - supply.length, endpoint.settings.workersMax - living))
  const failures = currentFailures(view.failures, endpoint.specHash, view.workers)
  if (failures !== undefined) return startOneAfterFailures(growth, { missing, failures, desired, supply }, builder)
  return startMissing(growth, { missing, desired }, builder)
}

/** A start that is failing still counts as one: until the failure is on record, a replacement would be one start too many. */
function asSupply(worker: WorkerView, endpoint: Endpoint, builder: PlanBuilder): readonly WorkerView[] {
  if (worker.record.specHash === endpoint.specHash && isFailingStart(worker, builder)) return [{ ...worker, phase: 'starting' }]
  return isSupply(worker, endpoint, builder) ? [worker] : []
}

function isFailingStart({ record }: WorkerView, builder: PlanBuilder): boolean {
  for (const action of builder.actions) {
    if (action.kind === 'remove' && action.workerId === record.id) return action.isStartFailure
    if (action.kind === 'drain' && action.workerId === record.id) return record.readyAt === undefined && FAILED_STARTS.has(action.reason)
  }
  return record.readyAt === undefined && record.retireReason !== undefined && FAILED_STARTS.has(record.retireReason)
}

function isSupply(worker: WorkerView, endpoint: Endpoint, builder: PlanBuilder): boolean {
  if (worker.fate.kind === 'dead' || worker.phase === 'draining') return false
  if (worker.record.specHash !== endpoint.specHash) return false
  // Retired by this very plan: its replacement is due now.
  return !builder.actions.some((action) => action.kind === 'drain' && action.workerId === worker.record.id)
}

function pausedStatus(view: EndpointView): EndpointStatus {
  if (view.demand.waiting === 0) return QUIET
  return { ...QUIET, reason: 'paused', message: `the endpoint's maximum is 0 workers, so ${jobsWait(view.demand.waiting)}` }
}

function startMissing(growth: Growth, { missing, desired }: { missing: number; desired: Desired }, builder: PlanBuilder): EndpointStatus {
  const hosts = reachable(builder.observed)
  for (let started = 0; started < missing; started++) {
    const placement = place(growth.endpoint.spec, hosts, growth.holdings)
    if (placement.kind === 'refused') {
      return { ...QUIET, throttled: missing - started, reason: placement.reason, message: placement.message }
    }
    const { hostId, gpus, cpus, memoryBytes } = placement
    growth.holdings.push({ hostId, gpuUuids: gpus.map((gpu) => gpu.uuid), cpus: cpus ?? 0, memoryBytes: memoryBytes ?? 0 })
    builder.add({ kind: 'start', endpointId: growth.endpoint.id, hostId, gpus, cpus, memoryBytes, reason: desired.reason })
  }
  return QUIET
}

/** After a failed start, one worker at a time, each after its pause, until one gets ready. */
function startOneAfterFailures(
  growth: Growth,
  need: {
    readonly missing: number
    readonly failures: StartFailures
    readonly desired: Desired
    readonly supply: readonly WorkerView[]
  },
  builder: PlanBuilder,
): EndpointStatus {
  const { missing, failures, desired, supply } = need
  const mayTry = missing > 0 && !supply.some((worker) => worker.phase === 'starting')
  const isPaused = mayTry && !builder.isDue(retryAt(failures))
  if (mayTry && !isPaused) {
    const status = startMissing(growth, { missing: 1, desired }, builder)
    if (status.throttled > 0) return { ...status, unhealthy: Math.max(0, missing - 1) }
  }
  const reason = MENDED_BY_USERS.has(failures.reason) ? failures.reason : 'backing_off'
  return { throttled: 0, unhealthy: Math.max(1, missing), reason, message: failures.message }
}

function reachable(observed: Observed): readonly HostInventory[] {
  return observed.hosts.flatMap((host) => (host.inventory === undefined || host.workers === undefined ? [] : [host.inventory]))
}
