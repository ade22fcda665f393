// May this worker be given jobs? Only facts of its record decide; an unknown worker, a draining one, an outdated one and one that asked to
// be replaced get none, but their polls are still held (worker-api §4.3.4).
import type { WorkerRecord } from '@runyard/schema'

export function isAssignable(record: WorkerRecord | undefined): boolean {
  return record !== undefined && !isLeaving(record) && record.unhealthyReason === undefined
}

/** Is it about to be stopped? Then its held polls stand in the way of its exit (worker-api §11.3). */
export function isLeaving(record: WorkerRecord | undefined): boolean {
  if (record === undefined) return false
  const { drainingSince, outdatedSince, retireReason, refreshRequested } = record
  return drainingSince !== undefined || outdatedSince !== undefined || retireReason !== undefined || refreshRequested === true
}

/** Below the 25 s that suit every SDK (worker-api §4.3.2). */
const HOLD_MS = 20_000
/** Of a worker that leaves and may hold jobs. */
const HOLD_LEAVING_MS = 2000
/** Of one that only has to end. An answer at once would make it ask thousands of times a second (worker-api §4.2). */
const HOLD_RELEASED_MS = 250

/** How long a poll without news is held. One of a worker that leaves must not delay its exit: an SDK ends once its polls are answered. */
export function holdMsOf({ record, isReleased }: { readonly record: WorkerRecord | undefined; readonly isReleased: boolean }): number {
  if (!isLeaving(record)) return HOLD_MS
  return isReleased ? HOLD_RELEASED_MS : HOLD_LEAVING_MS
}
