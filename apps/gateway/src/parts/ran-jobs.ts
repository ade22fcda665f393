// Which jobs ran in a range, and on which workers: those that run now and those that ended, of all owners.
import { buildJobColumns, type JobColumns, type TimelineInput } from '@runyard/core'
import type { Store } from '@runyard/store'
import { CHUNK_LAG_MS } from './history-blocks.ts'
import type { Past } from './past.ts'

export interface RanJobsDeps {
  readonly store: Pick<Store, 'endpoints' | 'jobs'>
  readonly past: Pick<Past, 'jobs'>
  /** Endpoints on whose workers jobs may run now; default: all. */
  readonly busy?: () => Promise<readonly string[]>
}

type Range = TimelineInput['range']

const HOUR_MS = 3_600_000
const MOST_JOBS = 1_000_000

interface RanJobs {
  /** With more jobs than those of the range. */
  readonly blocks: readonly JobColumns[]
  /** None is missing. */
  readonly isComplete: boolean
}

export async function readRanJobs({ store, past, busy }: RanJobsDeps, range: Range): Promise<RanJobs> {
  // What ended a while after the range may have run in it.
  const ended = past.jobs.read({ from: range.from, to: range.to + HOUR_MS + CHUNK_LAG_MS })
  const blocks = range.to < Date.now() - HOUR_MS ? [] : [await runningJobs(store, busy)]
  let count = 0
  for await (const block of ended) {
    blocks.push(block)
    count += block.count
    if (count > MOST_JOBS) return { blocks, isComplete: false }
  }
  return { blocks, isComplete: true }
}

async function runningJobs({ endpoints, jobs }: RanJobsDeps['store'], busy: RanJobsDeps['busy']): Promise<JobColumns> {
  const builder = buildJobColumns()
  const ids = busy === undefined ? (await endpoints.list()).map(({ id }) => id) : await busy()
  const leases = await Promise.all(ids.map((id) => jobs.leases(id)))
  for (const { jobId: id, endpointId, workerId, startedAt } of leases.flat()) {
    builder.addJob({ id, endpointId, status: 'IN_PROGRESS', workerId, startedAt })
  }
  return builder.finish()
}
