// One worker as the plan sees it: its record, what its host says of it, its leases, and from these its fate. The fate `unknown`
// forbids everything that cannot be undone; `settling` is too young to judge.
import type { ObservedWorker, Reason, WorkerPhase, WorkerRecord } from '@runyard/schema'
import { exitReason } from './evidence.ts'
import type { EndpointView, HostView, LeaseView, Observed } from './observed.ts'
import { workerKey } from './observed.ts'
import { phaseOf } from './phase.ts'

export type Fate =
  | { readonly kind: 'alive'; readonly startedAt: number | undefined }
  | { readonly kind: 'settling'; readonly until: number }
  | { readonly kind: 'unknown' }
  | { readonly kind: 'dead'; readonly reason: Reason; readonly endedItself: boolean }

export interface WorkerView {
  readonly record: WorkerRecord
  readonly phase: WorkerPhase
  readonly leases: readonly LeaseView[]
  readonly fate: Fate
  /** Something is being done to it right now. */
  readonly inFlight: boolean
}

export function viewWorkers(view: EndpointView, observed: Observed, now: number): readonly WorkerView[] {
  // A lease that expired while its worker could not report keeps the worker busy until the job is taken back.
  const leasesOf = Map.groupBy(view.leases, (lease) => lease.workerId ?? lease.lastHolder)
  return view.workers.map((record) => {
    const leases = leasesOf.get(record.id) ?? []
    const inFlight = observed.inFlight.get(workerKey(record.id))
    const fate = fateOf(record, observed, { now, isInFlight: inFlight !== undefined })
    return { record, phase: phaseOf(record, leases.length), leases, fate, inFlight: inFlight === 'other' }
  })
}

function fateOf(
  record: WorkerRecord,
  observed: Observed,
  { now, isInFlight }: { readonly now: number; readonly isInFlight: boolean },
): Fate {
  const host = observed.hosts.find((candidate) => candidate.hostId === record.hostId)
  if (host !== undefined && host.workers === undefined) return { kind: 'unknown' }
  // What is being started may not be there yet, and what is being stopped may just have gone: neither proves anything.
  if (isInFlight) return { kind: 'settling', until: Infinity }
  if (host === undefined) return fateWithoutHost(record, observed, now)
  return fateOnHost(record, host, observed)
}

function fateOnHost(record: WorkerRecord, host: HostView, observed: Observed): Fate {
  const container = host.workers?.find((candidate) => candidate.workerId === record.id)
  if (container?.state === 'exited') return { kind: 'dead', reason: reasonOfDeath(record, container), endedItself: isOwnExit(container) }
  if (container?.state === 'running') return { kind: 'alive', startedAt: container.startedAt ?? record.containerStartedAt }
  return fateUnlessSettling(record, host, observed)
}

function reasonOfDeath(record: WorkerRecord, container: ObservedWorker): Reason {
  if (record.retireReason !== undefined) return record.retireReason
  if (record.unhealthyReason !== undefined) return 'unhealthy_check'
  return record.refreshRequested === true ? 'refresh_requested' : exitReason(container.exit)
}

/** Codes from 128 on are signals: somebody else ended it. */
function isOwnExit({ exit }: ObservedWorker): boolean {
  return exit !== undefined && exit.exitCode !== null && exit.exitCode < 128
}

/** Listed without being started, or not listed: a start that never happened, or a container that someone took away. */
function fateUnlessSettling(record: WorkerRecord, host: HostView, observed: Observed): Fate {
  const until = Math.max(record.createdAt, record.containerStartedAt ?? 0) + observed.policy.settleMs
  if (host.observedAt < until) return { kind: 'settling', until }
  return {
    kind: 'dead',
    reason: record.retireReason ?? (record.containerStartedAt === undefined ? 'start_failed' : 'exited'),
    endedItself: false,
  }
}

/** A host that is no longer configured will never answer: then silence has to do. */
function fateWithoutHost(record: WorkerRecord, observed: Observed, now: number): Fate {
  const lostAt = Math.max(record.createdAt, record.lastSeenAt ?? 0) + observed.policy.heartbeatLostMs
  return now < lostAt ? { kind: 'settling', until: lostAt } : { kind: 'dead', reason: 'host_lost', endedItself: false }
}
