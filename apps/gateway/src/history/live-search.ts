// Finds jobs that wait or run, however long their queues are: a thousand of each endpoint at a time, in turns of the event loop and for a bounded time; the
// next page goes on where it stopped. The newest thousand of all endpoints come first, merged; then what is left of each longer queue.
import { RunyardError, type Endpoint } from '@runyard/schema'
import type { FoundJob } from '@runyard/schema/api'
import type { JobSummary, Store } from '@runyard/store'
import { nextTurn } from '../http/turns.ts'
import { isEnded, isLive, matches, SEARCH_MS, type Wanted } from './job-search.ts'

/** What one script of the store lists. */
const WINDOW = 1000

/** `queue` 0: among the newest of all; else in the longer part of the endpoint at that place, from 1. `offset`: how many come before it there. */
interface Place {
  readonly queue: number
  readonly offset: number
}

export interface LiveQuery {
  readonly wanted: Wanted
  readonly limit: number
  /** Of `parseLiveCursor`. */
  readonly from?: Place | undefined
  readonly windowSize?: number
}

export interface LiveJobs {
  readonly jobs: readonly FoundJob[]
  /** Undefined: these were all. */
  readonly nextCursor: string | undefined
}

type LiveStore = Pick<Store, 'jobs' | 'history'>

/** Where there is no history, also the ended jobs whose results are kept. A job may come twice where others are submitted between two pages. */
export async function findLive(store: LiveStore, endpoints: readonly Endpoint[], query: LiveQuery): Promise<LiveJobs> {
  const { wanted, limit } = query
  const withEnded = !store.history.isKept && isEnded(wanted.status)
  if (!mayLive(wanted) && !withEnded) return { jobs: [], nextCursor: undefined }
  const found: FoundJob[] = []
  const endAt = Date.now() + SEARCH_MS
  const queues = endpoints.toSorted((a, b) => (a.id < b.id ? -1 : 1))
  for await (const { jobs, start, next } of readWindows(store, queues, { ...query, isLive: !withEnded })) {
    for (const [index, job] of jobs.entries()) {
      if (!matches(job, wanted)) continue
      if (found.push(job) === limit) return { jobs: found, nextCursor: toCursor({ ...start, offset: start.offset + index + 1 }) }
    }
    if (Date.now() > endAt) return { jobs: found, nextCursor: toCursor(next) }
  }
  return { jobs: found, nextCursor: undefined }
}

const mayLive = ({ status, until = Infinity }: Wanted): boolean => isLive(status) && until >= Date.now()

/** The same over as many pages as it takes. */
export async function findAllLive(
  store: LiveStore,
  endpoints: readonly Endpoint[],
  { wanted, limit }: LiveQuery,
): Promise<readonly FoundJob[]> {
  const found = new Map<string, FoundJob>()
  let cursor: string | undefined
  do {
    const page = await findLive(store, endpoints, { wanted, limit: limit - found.size, from: parseLiveCursor(cursor) })
    for (const job of page.jobs) found.set(job.id, job)
    cursor = page.nextCursor
  } while (cursor !== undefined && found.size < limit)
  return [...found.values()]
}

interface Window {
  readonly jobs: readonly FoundJob[]
  readonly start: Place
  /** Of what comes after all of it. */
  readonly next: Place
}

type ReadOptions = Pick<LiveQuery, 'from' | 'windowSize'> & { readonly isLive: boolean }

async function* readWindows(store: LiveStore, queues: readonly Endpoint[], options: ReadOptions): AsyncGenerator<Window> {
  const { from = { queue: 0, offset: 0 }, windowSize: limit = WINDOW, isLive: isLiveOnly } = options
  const read = async (endpoint: Endpoint, offset: number) => {
    const { total, jobs } = await store.jobs.list(endpoint.id, { offset, limit, isLive: isLiveOnly })
    return { total, jobs: jobs.map((job) => toLive(endpoint, job)) }
  }
  let lengths: readonly number[] = []
  if (from.queue === 0) {
    const firsts = await Promise.all(queues.map((endpoint) => read(endpoint, 0)))
    lengths = firsts.map(({ total }) => total)
    const merged = firsts.flatMap(({ jobs }) => jobs).toSorted(isLiveOnly ? bySubmission : byState)
    yield { jobs: merged.slice(from.offset), start: from, next: { queue: 1, offset: limit } }
  }
  for (const [index, endpoint] of queues.entries()) {
    const queue = index + 1
    if (queue < from.queue) continue
    let offset = queue === from.queue ? from.offset : limit
    let length = lengths[index] ?? Infinity
    for (; offset < length; offset += limit) {
      await nextTurn()
      const { total, jobs } = await read(endpoint, offset)
      length = total
      yield { jobs, start: { queue, offset }, next: { queue, offset: offset + limit } }
    }
  }
}

const bySubmission = (a: FoundJob, b: FoundJob): number => b.submittedAt - a.submittedAt

/** Those that have not ended first. */
const byState = (a: FoundJob, b: FoundJob): number =>
  Number(a.endedAt !== undefined) - Number(b.endedAt !== undefined) || bySubmission(a, b)

function toLive({ id, name }: Endpoint, job: JobSummary): FoundJob {
  const { submittedAt, startedAt, settledAt: endedAt, ahead } = job
  return {
    id: job.id,
    endpoint: { id, name },
    status: job.status,
    submittedAt,
    ...(startedAt === undefined ? {} : { startedAt, delayMs: Math.max(0, startedAt - submittedAt) }),
    ...(endedAt === undefined ? {} : { endedAt }),
    retries: job.retries,
    ...(job.workerId === undefined ? {} : { workerId: job.workerId }),
    ...(ahead === undefined ? {} : { ahead }),
  }
}

const toCursor = ({ queue, offset }: Place): string => (queue === 0 ? `live.${offset}` : `live.${queue}.${offset}`)

/** Undefined for the cursor of a page in the history. @throws RunyardError('bad_request') */
export function parseLiveCursor(cursor: string | undefined): Place | undefined {
  if (cursor === undefined) return { queue: 0, offset: 0 }
  if (!cursor.startsWith('live.')) return undefined
  const match = /^live\.(?:(\d{1,5})\.)?(\d{1,8})$/u.exec(cursor)
  if (match === null) throw new RunyardError('bad_request', '"cursor" must be the `nextCursor` of an earlier page.')
  return { queue: Number(match[1] ?? 0), offset: Number(match[2]) }
}
