// What a worker's ping means for its jobs (worker-api §8). A job that the worker holds but does not name in consecutive pings is lost. A job that
// it names but does not hold should have stopped: the worker gets the stop order again, and is finally replaced. The caller keeps the counts
// between pings; each gateway counts the pings that reach it.

/** A job is lost after this many consecutive pings without it. */
export const PINGS_MISSED = 2
/** A ping this soon after the hand-out may have been sent before the job arrived. */
const HANDED_JUST_NOW_MS = 1000
/** A worker is replaced when it has named a job this often that it should have stopped (a synchronous handler: worker-api §9). */
const STRAY_PINGS = 3
/** The SDK retries a post for 5 s. After that it waits up to 600 s for a response that does not come, so it is better replaced. */
const POSTS_AGAIN_MS = 10_000
/** SDK 1.7.1 never names its jobs in pings (worker-api §8). */
const SDK_WITHOUT_JOB_IDS = '1.7.1'

type Counts = ReadonlyMap<string, number>

export interface HeldJob {
  readonly jobId: string
  readonly startedAt: number
}

export interface MissedJobs<Job extends HeldJob> {
  /** Pass these to the next call. */
  readonly counts: Counts
  readonly lost: readonly Job[]
}

/** `held`: the worker's jobs according to the store. `counts`: the result of the previous ping. */
export function judgeMissed<Job extends HeldJob>(
  { held, named }: { readonly held: readonly Job[]; readonly named: ReadonlySet<string> },
  counts: Counts,
  now: number,
): MissedJobs<Job> {
  const missing = held
    .filter(({ jobId, startedAt }) => !named.has(jobId) && startedAt < now - HANDED_JUST_NOW_MS)
    .map((job) => ({ job, pings: (counts.get(job.jobId) ?? 0) + 1 }))
  return {
    counts: new Map(missing.map(({ job, pings }) => [job.jobId, pings])),
    lost: missing.filter(({ pings }) => pings >= PINGS_MISSED).map(({ job }) => job),
  }
}

/**
 * `stop`: order the stop, unless it was already ordered. `stop_again`: either the order was lost inside the worker (worker-api §9), or the worker
 * posts its result again (`isPostingAgain`), which needs no action. `replace`: the last resort.
 */
export type StrayStep = 'stop' | 'stop_again' | 'replace'

/** `pings`: how often in a row the worker has named a job that it does not hold. */
export function strayStep(pings: number): StrayStep {
  if (pings === STRAY_PINGS - 1) return 'stop_again'
  return pings === STRAY_PINGS ? 'replace' : 'stop'
}

interface EndedJob {
  readonly status: string
  readonly workerId?: string | undefined
  readonly settledAt?: number | undefined
}

/** The worker has finished the job, but the response to its result was lost, so it posts the result again (worker-api §5.2). */
export function isPostingAgain(job: EndedJob | undefined, workerId: string, now: number): boolean {
  return job?.status === 'COMPLETED' && job.workerId === workerId && now - (job.settledAt ?? 0) < POSTS_AGAIN_MS
}

export function namesItsJobs(sdkVersion: string | undefined): boolean {
  return sdkVersion !== SDK_WITHOUT_JOB_IDS
}
