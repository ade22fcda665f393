// What a worker may do, derived only from the facts in its record. The plan, the scaler, the gateway and the API's replies use these functions; no
// other code reads these fields to decide it.
import type { WorkerRecord } from '@runyard/schema'

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

/** A job submitted after an update of its endpoint must run on the new version. The scaler marks outdated workers only one tick later. */
export function isOutdated({ endpointVersion }: Pick<WorkerRecord, 'endpointVersion'>, endpoint: { readonly version: number }): boolean {
  return endpointVersion < endpoint.version
}
