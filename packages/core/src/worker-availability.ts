// What a worker may do, from the facts of its record alone. The plan, the scaler, the gateway and the API's replies ask here, and no other place reads
// these fields to decide it.
import type { WorkerRecord } from '@runyard/schema'

type Facts = Pick<WorkerRecord, 'drainingSince' | 'outdatedSince' | 'retireReason' | 'refreshRequested' | 'unhealthyReason'>

/**
 * `available`: takes jobs. `unhealthy`: said that it is; takes no job, and the scaler retires it. `leaving`: is replaced or retired; takes no job and
 * finishes what it holds. `draining`: the scaler has retired it; it does not count as supply. No worker goes back from a later one to an earlier one.
 */
export const AVAILABILITIES = ['available', 'unhealthy', 'leaving', 'draining'] as const
export type Availability = (typeof AVAILABILITIES)[number]

export function availabilityOf(record: Facts): Availability {
  if (isDraining(record)) return 'draining'
  if (record.outdatedSince !== undefined || record.retireReason !== undefined || record.refreshRequested === true) return 'leaving'
  return record.unhealthyReason === undefined ? 'available' : 'unhealthy'
}

const LEAVING: ReadonlySet<Availability> = new Set(['leaving', 'draining'])

/** An unknown worker gets no job, but its polls are held all the same (worker-api §4.3.4). */
export function mayTakeJobs(record: Facts | undefined): boolean {
  return record !== undefined && availabilityOf(record) === 'available'
}

/** It is going to be stopped. Its held polls must be answered soon, since they delay its exit (worker-api §11.3). */
export function isLeaving(record: Facts | undefined): boolean {
  return record !== undefined && LEAVING.has(availabilityOf(record))
}

export function isDraining({ drainingSince }: Pick<WorkerRecord, 'drainingSince'>): boolean {
  return drainingSince !== undefined
}

/** It waits for jobs, or works on one and takes the next. */
export function isServing(record: Facts & Pick<WorkerRecord, 'readyAt'>): boolean {
  return record.readyAt !== undefined && mayTakeJobs(record)
}

/** A job that was submitted after an update of its endpoint must run on the new version. The scaler's own mark comes one tick later. */
export function isOutdated({ endpointVersion }: Pick<WorkerRecord, 'endpointVersion'>, endpoint: { readonly version: number }): boolean {
  return endpointVersion < endpoint.version
}
