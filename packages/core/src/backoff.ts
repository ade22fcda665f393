// Growing pauses after workers that never came up (management §7.2 "Local retry suggestion"). Saving an endpoint, or asking
// for a new try, forgets what failed before: whoever does it has changed something, be it an image that keeps its name.
// Failure direction: forgetting failures costs one early try; a worker that gets ready ends the pauses.
import type { Endpoint, Reason, WorkerRecord } from '@runyard/schema'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const PAUSES_MS = [10_000, 30_000, 2 * MINUTE, 10 * MINUTE, HOUR] as const
const LONGEST_PAUSE_MS = 7 * 24 * HOUR

/** Consecutive rounds of failed starts of one spec of an endpoint. */
export interface StartFailures {
  readonly specHash: string
  readonly count: number
  /** When the latest was seen, epoch ms. */
  readonly lastAt: number
  /** When the worker of the latest was placed, epoch ms. */
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

/** Workers that were already starting when the last failure was seen belong to the same round: three at once count as one. */
export function addFailure(previous: StartFailures | undefined, failure: StartFailure): StartFailures {
  const { at, ...facts } = failure
  const same = previous?.specHash === failure.specHash ? previous : undefined
  const isSameRound = same !== undefined && failure.workerCreatedAt <= same.lastAt
  return { ...facts, count: (same?.count ?? 0) + (isSameRound ? 0 : 1), lastAt: at }
}

/** Since when an endpoint is as it is, for all that anybody has said, epoch ms: what workers did before proves nothing about it. */
export function savedAt({ updatedAt, retriedAt = 0 }: Pick<Endpoint, 'updatedAt' | 'retriedAt'>): number {
  return Math.max(updatedAt, retriedAt)
}

/** The failures that still hold: a new spec forgets them, and so does a later save, and a younger worker that got ready. */
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

/** When the next start may be tried, epoch ms. */
export function retryAt(failures: StartFailures): number {
  return failures.lastAt + pauseAfterMs(failures.count)
}
