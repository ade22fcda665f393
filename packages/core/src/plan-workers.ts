// Plans what happens to existing workers: dead ones are removed, those with a reason to go are retired, drained ones are stopped. A worker
// leaves in two steps, drain then stop: it is stopped only once the gateway knows and no job is left.
import type { Endpoint, Reason, WorkerRecord } from '@runyard/schema'
import { savedAt } from './backoff.ts'
import { reasonOfCards } from './card-health.ts'
import { isOfRelease } from './deployment.ts'
import { isOverDisk } from './disk.ts'
import type { EndpointView } from './observed.ts'
import type { PlanBuilder } from './plan-builder.ts'
import { REPLACED, servesOn, takeTurns } from './rolling.ts'
import { keptWorkers } from './scaling.ts'
import { heardAt, idleSince, isOutdated } from './worker-facts.ts'
import type { Fate, WorkerView } from './worker-view.ts'

/** Reasons for which a worker is stopped without waiting for its jobs: it no longer works on them, or they were cancelled. */
const WITHOUT_WAITING = new Set<Reason>([
  'endpoint_deleted',
  'heartbeat_lost',
  'init_timeout',
  'unhealthy_check',
  'over_disk',
  'card_failed',
])

/** A worker that never became ready and ends for one of these reasons counts as a failed start. */
export const FAILED_STARTS: ReadonlySet<Reason> = new Set<Reason>([
  'exited',
  'out_of_memory',
  'init_timeout',
  'heartbeat_lost',
  'start_failed',
  'image_missing',
  'registry_refused',
  'secret_missing',
  'unhealthy_check',
  'over_disk',
])

export function planWorkers(view: EndpointView, workers: readonly WorkerView[], builder: PlanBuilder): void {
  for (const worker of workers) goOn(worker, builder)
  const leaving = retire(view, workers, builder)
  for (const worker of workers) {
    if (worker.fate.kind === 'unstarted' && !leaving.has(worker)) builder.add({ kind: 'resume', ...on(worker) })
  }
}

function goOn(worker: WorkerView, builder: PlanBuilder): void {
  const { fate } = worker
  switch (fate.kind) {
    case 'dead':
      return clearAway(worker, fate, builder)
    case 'settling':
      builder.wakeAt(fate.until)
      return stopWhenDrained(worker, builder)
    case 'alive':
      return stopWhenDrained(worker, builder)
    case 'unknown':
      return builder.wakeAt(fate.until ?? Infinity)
    case 'unstarted':
  }
}

function on({ record }: WorkerView) {
  return { endpointId: record.endpointId, workerId: record.id, hostId: record.hostId }
}

function clearAway(worker: WorkerView, { reason, endedItself }: Extract<Fate, { kind: 'dead' }>, builder: PlanBuilder): void {
  for (const { jobId } of worker.leases) builder.add({ kind: 'take-back', ...on(worker), jobId, reason })
  const isStartFailure = FAILED_STARTS.has(reason) && (worker.record.readyAt === undefined || (endedItself && neverWorked(worker)))
  builder.add({ kind: 'remove', ...on(worker), reason, isStartFailure })
}

/** A worker that exits by itself before its first job will do so again; one that crashed during a job is replaced without a pause. */
function neverWorked({ record, leases, openRequests }: WorkerView): boolean {
  return record.lastJobEndedAt === undefined && leases.length + openRequests === 0
}

function stopWhenDrained(worker: WorkerView, builder: PlanBuilder): void {
  if (worker.phase !== 'draining') return
  const { drainingSince = 0, retireReason = 'shutdown' } = worker.record
  if (isWaitedFor(retireReason, builder) && hasWork(worker, builder)) return
  const settleMs = worker.record.readyAt === undefined ? 0 : builder.observed.policy.drainSettleMs
  if (!builder.isDue(drainingSince + settleMs)) return
  // The jobs of a deleted endpoint were cancelled with it.
  const lost = retireReason === 'endpoint_deleted' ? [] : worker.leases
  for (const { jobId } of lost) builder.add({ kind: 'take-back', ...on(worker), jobId, reason: retireReason })
  builder.add({ kind: 'stop', ...on(worker), reason: retireReason })
}

/** A WebSocket may stay open for ever. */
function hasWork({ leases, openRequests, record: { drainingSince = 0 } }: WorkerView, builder: PlanBuilder): boolean {
  return leases.length > 0 || (openRequests > 0 && !builder.isDue(drainingSince + builder.observed.policy.requestMs))
}

/** On shutdown, workers finish their jobs while a gateway can accept the results. */
function isWaitedFor(reason: Reason, builder: PlanBuilder): boolean {
  if (reason === 'shutdown') return builder.observed.planeUpSince !== undefined
  return !WITHOUT_WAITING.has(reason)
}

function retire(view: EndpointView, workers: readonly WorkerView[], builder: PlanBuilder): ReadonlyMap<WorkerView, Reason> {
  const candidates = workers.filter((worker) => isThere(worker) && worker.phase !== 'draining')
  const leaving = new Map<WorkerView, Reason>()
  for (const worker of candidates) {
    const reason = reasonToGo(worker, view, builder)
    if (reason !== undefined) leaving.set(worker, reason)
  }
  const old = candidates.filter((worker) => REPLACED.has(leaving.get(worker) ?? 'shutdown'))
  const { later } = takeTurns(view, old, { workers, builder })
  for (const worker of later) leaving.delete(worker)
  if (view.endpoint !== undefined)
    letServe(
      view.endpoint,
      candidates.filter((worker) => !leaving.has(worker)),
      { later, builder },
    )
  if (view.endpoint !== undefined && !builder.observed.shutdown) {
    const staying = candidates.filter((worker) => !leaving.has(worker))
    for (const [worker, reason] of surplus(view.endpoint, view, { staying, builder })) leaving.set(worker, reason)
  }
  for (const [worker, reason] of leaving) {
    if (REPLACED.has(reason)) builder.add({ kind: 'mark-outdated', ...on(worker), busy: worker.leases.length + worker.openRequests > 0 })
    builder.add({ kind: 'drain', ...on(worker), reason })
  }
  return leaving
}

/** After a save the gateway gives a worker of an older version no job; this lifts it for those that stay. */
function letServe(
  endpoint: Endpoint,
  staying: readonly WorkerView[],
  { later, builder }: { readonly later: readonly WorkerView[]; readonly builder: PlanBuilder },
): void {
  const through = savedAt(endpoint)
  for (const worker of staying) {
    const isOld = isOutdated(worker.record, endpoint) || later.includes(worker)
    if (isOld && !servesOn(worker.record, { endpoint })) builder.add({ kind: 'serve-on', ...on(worker), through })
  }
}

/** No worker is retired on a host that does not respond: unknown does not mean gone. */
export function isThere(worker: WorkerView): boolean {
  return !worker.inFlight && worker.fate.kind !== 'dead' && worker.fate.kind !== 'unknown'
}

function reasonToGo(worker: WorkerView, view: EndpointView, builder: PlanBuilder): Reason | undefined {
  const { record } = worker
  if (view.endpoint === undefined) return 'endpoint_deleted'
  if (builder.observed.shutdown) return 'shutdown'
  const reason = faultOf(worker, view.endpoint, builder) ?? successorReason(record, view, builder) ?? drainReason(record, builder)
  if (reason !== undefined) return reason
  if (record.readyAt === undefined) return isInitTimedOut(worker, view.endpoint, builder) ? 'init_timeout' : undefined
  if (isSilent(record, view, builder)) return 'heartbeat_lost'
  return isStuck(worker, view, builder) ? 'execution_timeout' : undefined
}

function faultOf({ record, fate }: WorkerView, { spec }: Endpoint, { observed }: PlanBuilder): Reason | undefined {
  const ofCards = reasonOfCards(record, observed.hosts)
  if (ofCards !== undefined) return ofCards
  if (fate.kind === 'alive' && isOverDisk(spec, fate)) return 'over_disk'
  if (record.unhealthyReason !== undefined) return 'unhealthy_check'
  return record.refreshRequested === true ? 'refresh_requested' : undefined
}

function successorReason(record: WorkerRecord, view: EndpointView, builder: PlanBuilder): Reason | undefined {
  if (view.endpoint === undefined || !isOfRelease(record, view.endpoint, view.deployment)) return 'outdated'
  return isRebuilt(record, view, builder) ? 'image_rebuilt' : undefined
}

/** Idle workers go at once, busy ones after their jobs. */
function drainReason({ hostId }: WorkerRecord, { observed }: PlanBuilder): Reason | undefined {
  return observed.hosts.find((host) => host.hostId === hostId)?.cordon?.drain === true ? 'host_drained' : undefined
}

/** The image's tag refers to another image by now, and the endpoint was saved after the worker was placed. */
export function isRebuilt(record: WorkerRecord, { imageIds }: EndpointView, { observed }: PlanBuilder): boolean {
  const imageId = imageIds.get(record.id)
  if (imageId === undefined) return false
  const host = observed.hosts.find(({ hostId }) => hostId === record.hostId)
  const container = host?.workers?.find(({ workerId }) => workerId === record.id)
  return container?.imageId !== undefined && container.imageId !== imageId
}

/** Counts from the start that the host reports. There is no time limit while the host is still starting the worker, e.g. pulling its image. */
function isInitTimedOut(worker: WorkerView, endpoint: Endpoint, builder: PlanBuilder): boolean {
  const startedAt = worker.fate.kind === 'alive' ? worker.fate.startedAt : undefined
  if (startedAt === undefined) return false
  const ownSeconds = Number(endpoint.spec.env['RUNPOD_INIT_TIMEOUT'])
  const timeoutMs = ownSeconds > 0 ? ownSeconds * 1000 : builder.observed.policy.initTimeoutMs
  return builder.isDue(startedAt + timeoutMs)
}

/**
 * Silence counts only if the worker reports at all, and if the worker plane was reachable long enough. A host that was last heard of before the
 * worker counts as silent may have been cut off with it: its next listing decides.
 */
function isSilent(record: WorkerRecord, { lifeSigns }: EndpointView, builder: PlanBuilder): boolean {
  const { planeUpSince, policy, hosts } = builder.observed
  if (planeUpSince === undefined || lifeSigns === 'host') return false
  const silentAt = Math.max(heardAt(record), planeUpSince) + policy.heartbeatLostMs
  return builder.isDue(silentAt) && hosts.every(({ hostId, observedAt }) => hostId !== record.hostId || observedAt >= silentAt)
}

/**
 * The worker was ordered to stop a job and has taken no other since: a sync handler cannot be interrupted (worker-api §9). After an execution
 * timeout Runpod stops the worker anyway (management §6.2). After a cancel the worker is retired only if jobs wait that it does not take.
 */
function isStuck(worker: WorkerView, view: EndpointView, builder: PlanBuilder): boolean {
  const request = builder.observed.stopRequests.get(worker.record.id)
  if (request === undefined || worker.leases.length > 0 || (worker.record.lastJobEndedAt ?? 0) > request.at) return false
  const waitingSince = request.why === 'timeout' ? request.at : view.demand.oldestWaitingAt
  if (waitingSince === undefined) return false
  const { stopGraceMs, deafStopGraceMs } = builder.observed.policy
  const graceMs = hearsStops(worker.record.sdkVersion) ? stopGraceMs : deafStopGraceMs
  return builder.isDue(Math.max(request.at, waitingSince) + graceMs)
}

/** SDKs before 1.10 have no stop channel: only ending the process ends the job (worker-api §9), as on Runpod. */
function hearsStops(sdkVersion = ''): boolean {
  const [, major, minor] = /^(\d+)\.(\d+)\./.exec(sdkVersion) ?? []
  return major !== '0' && (major !== '1' || Number(minor) >= 10)
}

/** Workers above max, then idle workers past their timeout as long as more remain than the minimum and the rate ask for; the longest idle first. */
function surplus(
  endpoint: Endpoint,
  view: EndpointView,
  { staying, builder }: { staying: readonly WorkerView[]; builder: PlanBuilder },
): readonly (readonly [WorkerView, Reason])[] {
  const { workersMax, idleTimeoutMs } = endpoint.settings
  const idleAt = ({ record }: WorkerView): number => idleSince(record) ?? 0
  const ranked = staying.toSorted((a, b) => retireRank(a) - retireRank(b) || idleAt(a) - idleAt(b))
  const aboveMax = ranked.slice(0, Math.max(0, staying.length - workersMax))
  const rest = ranked.slice(aboveMax.length)
  const kept = keptWorkers(endpoint.settings, view.demand.perSecond)
  // While jobs wait, an idle worker is about to take one of them.
  const canRetire = view.demand.waiting > 0 ? 0 : Math.max(0, rest.length - kept)
  const timedOut = rest
    .filter((worker) => worker.phase === 'idle')
    .slice(0, canRetire)
    .filter((worker) => builder.isDue(idleAt(worker) + idleTimeoutMs))
  return [...aboveMax.map((worker) => [worker, 'above_max'] as const), ...timedOut.map((worker) => [worker, 'idle_timeout'] as const)]
}

/** The order of retirement: starting workers, then idle ones, then busy ones. */
function retireRank(worker: WorkerView): number {
  if (worker.phase === 'starting') return 0
  return worker.phase === 'idle' ? 1 : 2
}
