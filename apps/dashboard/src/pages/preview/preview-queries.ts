// What a preview reads: the jobs of the last day, and how long starts took.
import { queryOptions } from '@tanstack/react-query'
import type { FoundJob, WorkerLifeView } from '@runyard/schema/api'
import { gatewayNow } from '../../app/clock.ts'
import { client } from '../../api/client.ts'

const DAY_MS = 24 * 3_600_000
const PAGE = 500
const MOST_PAGES = 10

export interface PastDay {
  /** Epoch ms; a day, or less where there were too many jobs. */
  readonly from: number
  readonly to: number
  readonly jobs: readonly FoundJob[]
  readonly lives: readonly WorkerLifeView[]
}

export const pastDayQuery = (endpoint: string) =>
  queryOptions({ queryKey: ['past-day', endpoint], queryFn: () => readPastDay(endpoint), staleTime: Infinity })

async function readPastDay(endpoint: string): Promise<PastDay> {
  const to = gatewayNow()
  const since = to - DAY_MS
  const jobs: FoundJob[] = []
  let cursor: string | undefined
  for (let pages = 0; pages < MOST_PAGES; pages += 1) {
    const page = await client.history.findJobs({ endpoint, since, limit: PAGE, cursor })
    jobs.push(...page.jobs)
    cursor = page.nextCursor ?? undefined
    if (cursor === undefined) break
  }
  const oldest = jobs.at(-1)?.submittedAt
  const from = cursor === undefined || oldest === undefined ? since : oldest
  return { from, to, jobs, lives: await client.history.workers({ endpoint }) }
}
