// What the facts in a worker's record mean: what the worker may do, its phase, and its latest sign of life. The plan, the scaler, the gateway and
// the API's replies use these functions; no other code reads the fields to decide it. Phases are derived and never stored (ADR 4); adding one must
// break the build in `projections.ts`.
import { type WorkerRecord, type WorkerPhase, type Endpoint, type Reason, type WorkerExit } from '@runyard/schema'

type Facts = Pick<WorkerRecord, 'drainingSince' | 'outdatedSince' | 'retireReason' | 'refreshRequested' | 'unhealthyReason'>

/**
 * `available`: takes jobs. `unhealthy`: reported itself unhealthy; takes no job, and the scaler retires it. `leaving`: is replaced or retired; takes
 * no job and finishes the jobs it holds. `draining`: the scaler has retired it; it does not count as supply. A worker only moves forward in this list.
 */
export const AVAILABILITIES = ['available', 'unhealthy', 'leaving', 'draining'] as const
export type Availability = (typeof AVAILABILITIES)[number]

export function availabilityOf(record: Facts): Availability {
  if (isDraining(record)) return 'draining'
  if (record.outdatedSince !== undefined || record.retireReason !== undefined || record.refreshRequested === true) return 'leaving'
  return record.unhealthyReason === undefined ? 'available' : 'unhealthy'
}

const LEAVING: ReadonlySet<Availability> = new Set(['leaving', 'draining'])

/** An unknown worker gets no job, although its polls are held (worker-api §4.3.4). */
export function mayTakeJobs(record: Facts | undefined): boolean {
  return record !== undefined && availabilityOf(record) === 'available'
}

/** True if it will be stopped. Its held polls need a response soon, because they delay its exit (worker-api §11.3). */
export function isLeaving(record: Facts | undefined): boolean {
  return record !== undefined && LEAVING.has(availabilityOf(record))
}

export function isDraining({ drainingSince }: Pick<WorkerRecord, 'drainingSince'>): boolean {
  return drainingSince !== undefined
}

/** True if it waits for jobs, or works on one and will take the next. */
export function isServing(record: Facts & Pick<WorkerRecord, 'readyAt'>): boolean {
  return record.readyAt !== undefined && mayTakeJobs(record)
}

/**
 * A job submitted after an update of its endpoint must not run on an older version, unless the scaler has decided that the worker serves on (ADR 62). The
 * scaler marks outdated workers only one tick later.
 */
export function isOutdated(
  { endpointVersion, servesThrough = 0 }: Pick<WorkerRecord, 'endpointVersion' | 'servesThrough'>,
  endpoint: Pick<Endpoint, 'version' | 'updatedAt'>,
): boolean {
  return endpointVersion < endpoint.version && servesThrough < endpoint.updatedAt
}

/** `record`: undefined once the worker is known to be gone. `leaseCount`: jobs that it holds now. */
export function phaseOf(record: Pick<WorkerRecord, 'drainingSince' | 'readyAt'> | undefined, leaseCount: number): WorkerPhase {
  if (record === undefined) return 'gone'
  if (isDraining(record)) return 'draining'
  if (leaseCount > 0) return 'busy'
  return record.readyAt === undefined ? 'starting' : 'idle'
}

/** Since when a worker without jobs has been idle, epoch ms; undefined while it is not ready. */
export function idleSince(record: Pick<WorkerRecord, 'lastJobEndedAt'> & { readonly readyAt: number }): number
export function idleSince(record: Pick<WorkerRecord, 'readyAt' | 'lastJobEndedAt'>): number | undefined
export function idleSince(record: Pick<WorkerRecord, 'readyAt' | 'lastJobEndedAt'>): number | undefined {
  return record.readyAt === undefined ? undefined : Math.max(record.readyAt, record.lastJobEndedAt ?? 0)
}

/**
 * What shows that a worker is alive. A worker of a queue reports to the worker plane with polls and pings. A worker that only serves requests need
 * not report at all: only its host knows whether it lives, and its silence on the worker plane proves nothing.
 */
export type LifeSigns = 'reports' | 'host'

export function lifeSignsOf({ type }: Pick<Endpoint, 'type'>): LifeSigns {
  return type === 'LOAD_BALANCER' ? 'host' : 'reports'
}

/** The latest sign of life on the worker plane, epoch ms; 0: none. */
export function heardAt({ readyAt = 0, lastSeenAt = 0 }: Pick<WorkerRecord, 'readyAt' | 'lastSeenAt'>): number {
  return Math.max(readyAt, lastSeenAt)
}

/** The reason for a worker that ended without being retired. */
export function exitReason(exit: Pick<WorkerExit, 'oomKilled'> | undefined): Reason {
  return exit?.oomKilled === true ? 'out_of_memory' : 'exited'
}
