// One worker as the plan sees it: its record, its host's report, its leases, and the fate derived from these. `unknown` forbids every action
// that cannot be undone; `settling` is too young to judge; `unstarted` has a record but no container yet.
import type { ObservedWorker, Reason, WorkerPhase, WorkerRecord } from '@runyard/schema'
import { reasonOfCards } from './card-health.ts'
import { type EndpointView, type HostView, type LeaseView, type Observed, workerKey } from './observed.ts'
import { exitReason, heardAt, phaseOf, isDraining } from './worker-facts.ts'

export type Fate =
  /** `startedAt`: undefined while its host is starting it. */
  | { readonly kind: 'alive'; readonly startedAt: number | undefined; readonly diskBytes?: number }
  | { readonly kind: 'settling'; readonly until: number }
  | { readonly kind: 'unstarted' }
  /** `until`: when the worker counts as lost if it stays silent. */
  | { readonly kind: 'unknown'; readonly until?: number }
  | { readonly kind: 'dead'; readonly reason: Reason; readonly endedItself: boolean }

export interface WorkerView {
  readonly record: WorkerRecord
  readonly phase: WorkerPhase
  readonly leases: readonly LeaseView[]
  /** Requests that it is answering. */
  readonly openRequests: number
  readonly fate: Fate
  /** An action on this worker is in flight. */
  readonly inFlight: boolean
}

export function viewWorkers(view: EndpointView, observed: Observed, now: number): readonly WorkerView[] {
  // A lease that expired while its worker could not report keeps the worker busy until the job is taken back.
  const leasesOf = Map.groupBy(view.leases, (lease) => lease.workerId ?? lease.lastHolder)
  return view.workers.map((record) => {
    const leases = leasesOf.get(record.id) ?? []
    const inFlight = observed.inFlight.get(workerKey(record.id))
    const fate = fateOf(record, observed, { now, isInFlight: inFlight !== undefined })
    const openRequests = view.openRequests?.get(record.id) ?? 0
    const phase = phaseOf(record, leases.length + openRequests)
    return { record, phase, leases, openRequests, fate, inFlight: inFlight === 'other' }
  })
}

function fateOf(
  record: WorkerRecord,
  observed: Observed,
  { now, isInFlight }: { readonly now: number; readonly isInFlight: boolean },
): Fate {
  const host = observed.hosts.find((candidate) => candidate.hostId === record.hostId)
  if (host === undefined) return isInFlight ? { kind: 'unknown' } : fateWithoutHost(record, observed, now)
  if (host.workers === undefined)
    return isInFlight ? { kind: 'unknown' } : fateWhileAway(record, givenUpAt(host, observed), { observed, now })
  // A worker that is being started may not exist yet, and one that is being stopped may just have ended: neither proves anything.
  if (isInFlight) return { kind: 'settling', until: Infinity }
  return fateOnHost(record, host, observed)
}

function fateOnHost(record: WorkerRecord, host: HostView, observed: Observed): Fate {
  const container = host.workers?.find((candidate) => candidate.workerId === record.id)
  switch (container?.state) {
    case 'exited':
      return { kind: 'dead', reason: reasonOfDeath(record, container, host), endedItself: isOwnExit(container) }
    case 'running':
      return fateOfRunning(record, container)
    case 'starting':
      // Alive, however long the start takes, because its host is working on it.
      return { kind: 'alive', startedAt: undefined }
    case 'created':
    case undefined:
  }
  return fateUnlessSettling(record, host, observed)
}

function fateOfRunning(record: WorkerRecord, { startedAt, diskBytes }: ObservedWorker): Fate {
  const since = startedAt ?? record.containerStartedAt ?? record.createdAt
  return { kind: 'alive', startedAt: since, ...(diskBytes === undefined ? {} : { diskBytes }) }
}

/** What dies on a failed card most likely died of it. */
function reasonOfDeath(record: WorkerRecord, container: ObservedWorker, host: HostView): Reason {
  if (record.retireReason !== undefined) return record.retireReason
  if (reasonOfCards(record, [host]) === 'card_failed') return 'card_failed'
  if (record.unhealthyReason !== undefined) return 'unhealthy_check'
  return record.refreshRequested === true ? 'refresh_requested' : exitReason(container.exit)
}

/** Exit codes of 128 and above are signals: something else ended the process. */
function isOwnExit({ exit }: ObservedWorker): boolean {
  return exit !== undefined && exit.exitCode !== null && exit.exitCode < 128
}

/** Listed but not started, or not listed: its scaler did not finish the start, or the container was removed from outside. */
function fateUnlessSettling(record: WorkerRecord, host: HostView, observed: Observed): Fate {
  const until = Math.max(record.createdAt, record.containerStartedAt ?? 0) + observed.policy.settleMs
  if (host.observedAt < until) return { kind: 'settling', until }
  if (record.containerStartedAt === undefined && !isDraining(record)) return { kind: 'unstarted' }
  return {
    kind: 'dead',
    reason: record.retireReason ?? (record.containerStartedAt === undefined ? 'start_failed' : 'exited'),
    endedItself: false,
  }
}

/**
 * A host that this scaler does not have (another scaler's, or no longer configured) never responds here. Its workers are judged by their silence
 * alone, for as long as they could have been heard. While one of our own hosts has not been identified, it may be this host.
 */
function fateWithoutHost(record: WorkerRecord, observed: Observed, now: number): Fate {
  const strangers = observed.hosts.filter((host) => !host.isIdentified)
  const answerBy = Math.max(0, ...strangers.map((host) => givenUpAt(host, observed)))
  return fateWhileAway(record, answerBy, { observed, now })
}

/** Until then the host may return; epoch ms. */
export function givenUpAt({ workers, awaySince }: HostView, { policy }: Pick<Observed, 'policy'>): number {
  return workers !== undefined || awaySince === undefined ? Infinity : awaySince + policy.hostGraceMs
}

/** After the grace of its host, a worker is lost if it is silent, for as long as it could have been heard. One that still reports never is. */
function fateWhileAway(
  record: WorkerRecord,
  graceUntil: number,
  { observed: { planeUpSince, policy }, now }: { readonly observed: Observed; readonly now: number },
): Fate {
  if (planeUpSince === undefined || graceUntil === Infinity) return { kind: 'unknown' }
  const lostAt = Math.max(graceUntil, Math.max(record.createdAt, heardAt(record), planeUpSince) + policy.heartbeatLostMs)
  return now < lostAt ? { kind: 'unknown', until: lostAt } : { kind: 'dead', reason: 'host_lost', endedItself: false }
}

/**
 * The same snapshot with each record on the host that lists its worker. Releases up to 0.1 used the operator's names for hosts, and two machines
 * may both be called `local`, so the host that lists the worker decides.
 */
export function locateWorkers(observed: Observed): Observed {
  const seenOn = new Map(
    observed.hosts.flatMap(({ hostId, workers }) => (workers ?? []).map(({ workerId }) => [workerId, hostId] as const)),
  )
  const locate = (record: WorkerRecord): WorkerRecord => {
    const hostId = seenOn.get(record.id) ?? record.hostId
    return hostId === record.hostId ? record : { ...record, hostId }
  }
  return { ...observed, endpoints: observed.endpoints.map((view) => ({ ...view, workers: view.workers.map(locate) })) }
}
