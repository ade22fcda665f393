// May this worker be given jobs? Only facts of its record decide; an unknown worker, a draining one, an outdated one and one that asked to
// be replaced get none, but their polls are still held (worker-api §4.3.4).
import type { WorkerRecord } from '@runyard/schema'

export function isAssignable(record: WorkerRecord | undefined): boolean {
  if (record === undefined) return false
  const { drainingSince, outdatedSince, retireReason, refreshRequested, unhealthyReason } = record
  const leaving = drainingSince !== undefined || outdatedSince !== undefined || retireReason !== undefined
  return !leaving && refreshRequested !== true && unhealthyReason === undefined
}

/** Is it about to be stopped? Then its held polls stand in the way of its exit (worker-api §11.3). */
export function isLeaving(record: WorkerRecord | undefined): boolean {
  return (
    record !== undefined && (record.drainingSince !== undefined || record.retireReason !== undefined || record.refreshRequested === true)
  )
}
