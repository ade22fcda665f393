// Which jobs ran in a range, and on which workers: those that run now and those that ended. Read in turns of the event loop, because a day of a busy pool has
// some hundred thousand.
import type { PastJob, TimelineInput, TimelineJob } from '@runyard/core'
import type { Store } from '@runyard/store'
import { nextTurn } from '../http/turns.ts'

type RanStore = Pick<Store, 'endpoints' | 'jobs' | 'history'>
type Range = TimelineInput['range']

/** The chunk of a job may be this much later than its end. */
export const CHUNK_LAG_MS = 90_000
const HOUR_MS = 3_600_000
const CHUNKS_AT_ONCE = 32
const MOST_JOBS = 1_000_000

interface PastJobs {
  readonly jobs: readonly TimelineJob[]
  readonly isComplete: boolean
}

/** Those that one of the workers ran. `isComplete`: none is missing. */
export async function readRanJobs(store: RanStore, range: Range, workers: ReadonlySet<string>): Promise<PastJobs> {
  const running = range.to < Date.now() - HOUR_MS ? [] : await runningJobs(store)
  const jobs = running.filter(({ workerId }) => workers.has(workerId))
  let after: string | undefined
  // Newest first. What ended a while after the range may have run in it.
  const to = range.to + HOUR_MS
  for (;;) {
    const chunks = await store.history.jobs({ from: range.from, to: to + CHUNK_LAG_MS, after, newestFirst: true, count: CHUNKS_AT_ONCE })
    for (const chunk of chunks) jobs.push(...ranIn(chunk.jobs, range).filter(({ workerId }) => workers.has(workerId)))
    after = chunks.at(-1)?.id
    if (chunks.length < CHUNKS_AT_ONCE) return { jobs, isComplete: true }
    if (jobs.length > MOST_JOBS) return { jobs, isComplete: false }
    await nextTurn()
  }
}

function ranIn(jobs: readonly PastJob[], { from, to }: Range): readonly TimelineJob[] {
  return jobs.filter(
    (job): job is PastJob & TimelineJob =>
      job.workerId !== undefined && job.startedAt !== undefined && job.startedAt < to && job.endedAt >= from,
  )
}

async function runningJobs({ endpoints, jobs }: RanStore): Promise<readonly TimelineJob[]> {
  const leases = await Promise.all((await endpoints.list()).map(({ id }) => jobs.leases(id)))
  return leases
    .flat()
    .flatMap(({ jobId: id, endpointId, workerId, startedAt }) =>
      workerId === undefined ? [] : [{ id, endpointId, workerId, startedAt, status: 'IN_PROGRESS' }],
    )
}
