// Increasing pauses after failed worker starts (management §7.2 "Local retry suggestion"). Saving an endpoint or requesting a retry
// clears earlier failures, because the user has changed something, for example the content of an image with the same name.
// Failure direction: clearing failures costs one early attempt. A worker that becomes ready ends the pauses.
import type { Endpoint, Reason, WorkerRecord } from '@runyard/schema'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const PAUSES_MS = [10_000, 30_000, 2 * MINUTE, 10 * MINUTE, HOUR] as const
const LONGEST_PAUSE_MS = 7 * 24 * HOUR

/** Consecutive rounds of failed starts of one spec of an endpoint. */
export interface StartFailures {
  readonly specHash: string
  readonly count: number
  /** When the latest failure was observed, epoch ms. */
  readonly lastAt: number
  /** When the worker of the latest failure was placed, epoch ms. */
  readonly workerCreatedAt: number
  readonly reason: Reason
  /** One sentence of evidence. */
  readonly message: string
}

export type StartFailure = Omit<StartFailures, 'count' | 'lastAt'> & { readonly at: number }

/** 10 s, 30 s, 2 min, 10 min, 1 h, then doubled each time up to 7 days. */
export function pauseAfterMs(count: number): number {
  if (count <= 0) return 0
  return PAUSES_MS[count - 1] ?? Math.min(LONGEST_PAUSE_MS, HOUR * 2 ** (count - PAUSES_MS.length))
}

/** Workers that were already starting when the last failure was observed belong to the same round: three at once count as one. */
export function addFailure(previous: StartFailures | undefined, failure: StartFailure): StartFailures {
  const { at, ...facts } = failure
  const same = previous?.specHash === failure.specHash ? previous : undefined
  const isSameRound = same !== undefined && failure.workerCreatedAt <= same.lastAt
  return { ...facts, count: (same?.count ?? 0) + (isSameRound ? 0 : 1), lastAt: at }
}

/** When the endpoint was last saved or retried, epoch ms. Failures of workers placed before then do not count. */
export function savedAt({ updatedAt, retriedAt = 0 }: Pick<Endpoint, 'updatedAt' | 'retriedAt'>): number {
  return Math.max(updatedAt, retriedAt)
}

/** The failures that still count: a new spec clears them, and so does a later save, or a newer worker that became ready. */
export function currentFailures(
  failures: StartFailures | undefined,
  endpoint: Pick<Endpoint, 'specHash' | 'updatedAt' | 'retriedAt'>,
  workers: readonly Pick<WorkerRecord, 'createdAt' | 'readyAt'>[],
): StartFailures | undefined {
  if (failures === undefined || failures.specHash !== endpoint.specHash) return undefined
  if (failures.workerCreatedAt <= savedAt(endpoint)) return undefined
  const recovered = workers.some((worker) => worker.readyAt !== undefined && worker.createdAt > failures.lastAt)
  return recovered ? undefined : failures
}

/** When the next start may be attempted, epoch ms. */
export function retryAt(failures: StartFailures): number {
  return failures.lastAt + pauseAfterMs(failures.count)
}
