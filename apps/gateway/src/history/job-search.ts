// Finds ended jobs over endpoints (`live-search.ts` those that wait or run), and says what a search asks of each. The history has no index, so a search
// reads chunks, newest first, in turns of the event loop and for a bounded time; the next page goes on where it stopped.
import type { PastJob } from '@runyard/core'
import { RunyardError, type JobStatus } from '@runyard/schema'
import type { FoundJob } from '@runyard/schema/api'
import type { Store } from '@runyard/store'
import { nextTurn } from '../http/turns.ts'
import { CHUNK_LAG_MS } from '../parts/history-blocks.ts'
import type { NameEndpoints, PastEndpoint } from './own-endpoints.ts'

export interface Wanted {
  readonly status?: JobStatus | undefined
  readonly since?: number | undefined
  readonly until?: number | undefined
  readonly key?: string | undefined
  readonly worker?: string | undefined
  readonly error?: string | undefined
  readonly q?: string | undefined
}

/** Some ten milliseconds of the event loop. */
const CHUNKS_AT_ONCE = 32
/** Of one answer. */
export const SEARCH_MS = 2000

export const isLive = (status: JobStatus | undefined): boolean => status === undefined || status === 'IN_QUEUE' || status === 'IN_PROGRESS'
export const isEnded = (status: JobStatus | undefined): boolean => status === undefined || !isLive(status)

export function toFound(endpoint: PastEndpoint, { endpointId: id, ...job }: PastJob): FoundJob {
  const { submittedAt, startedAt, endedAt } = job
  const spans = startedAt === undefined ? {} : { delayMs: Math.max(0, startedAt - submittedAt), runMs: Math.max(0, endedAt - startedAt) }
  return { ...job, endpoint: { ...endpoint, id }, ...spans }
}

export interface PastJobs {
  readonly jobs: readonly FoundJob[]
  readonly nextCursor: string | null
}

export interface PastQuery {
  readonly wanted: Wanted
  readonly limit: number
  readonly cursor?: string | undefined
  /** Ids that the answer has already: a retried job that waits again. */
  readonly known?: Iterable<string> | undefined
}

/** A job that was retried and ended again is listed once, as it ended last; an earlier end may follow on a later page. */
export async function findPast(
  { history }: Pick<Store, 'history'>,
  name: NameEndpoints,
  { wanted, limit, cursor, known }: PastQuery,
): Promise<PastJobs> {
  if (!isEnded(wanted.status)) return { jobs: [], nextCursor: null }
  const found: FoundJob[] = []
  const endAt = Date.now() + SEARCH_MS
  for await (const batch of readBack(history, wanted, { start: parseCursor(cursor), known })) {
    const byId = await name(batch.map(({ job }) => job.endpointId))
    for (const { job, next } of batch) {
      const endpoint = byId.get(job.endpointId)
      const candidate = endpoint && toFound(endpoint, job)
      if (candidate === undefined || !matches(candidate, wanted)) continue
      if (found.push(candidate) === limit) return { jobs: found, nextCursor: next }
    }
    const last = batch.at(-1)
    if (last !== undefined && Date.now() > endAt) return { jobs: found, nextCursor: last.next }
  }
  return { jobs: found, nextCursor: null }
}

interface Read {
  readonly job: PastJob
  /** The cursor of what comes after it. */
  readonly next: string
}

/**
 * By their end, latest first, in batches, from a position on. A chunk holds jobs of up to a minute before its own time, so what ended after the earliest
 * chunk that was read is in its final order.
 */
async function* readBack(
  history: Store['history'],
  { since: from = 0, until = Infinity }: Wanted,
  { start, known }: { readonly start: Position | undefined; readonly known: Iterable<string> | undefined },
): AsyncGenerator<readonly Read[]> {
  const number = createNumbering(start, new Set(known))
  const to = Math.min(Date.now(), until, start?.at ?? Infinity) + CHUNK_LAG_MS
  let waiting: readonly PastJob[] = []
  let after: string | undefined
  for (;;) {
    const chunks = await history.jobs({ from, to, after, newestFirst: true, count: CHUNKS_AT_ONCE })
    after = chunks.at(-1)?.id
    const isLast = chunks.length < CHUNKS_AT_ONCE
    const finalFrom = isLast ? -Infinity : Number.parseInt(after ?? '0', 10)
    const all = [...waiting, ...chunks.flatMap(({ jobs }) => jobs)].toSorted(byEnd)
    yield number(all.filter(({ endedAt }) => endedAt > finalFrom && endedAt < until))
    waiting = all.filter(({ endedAt }) => endedAt <= finalFrom)
    if (isLast) return
    await nextTurn()
  }
}

const byEnd = (a: PastJob, b: PastJob): number => b.endedAt - a.endedAt || (a.id < b.id ? 1 : -1)

/** When the last job of a page ended, and how many that ended then were on it or before it. */
interface Position {
  readonly at: number
  readonly seen: number
}

/** Leaves out what came before the position, and earlier ends of what was `listed`. */
function createNumbering(start: Position | undefined, listed: Set<string>): (jobs: readonly PastJob[]) => readonly Read[] {
  let [at, seen] = [Infinity, 0]
  return (jobs) =>
    jobs.flatMap((job) => {
      seen = job.endedAt === at ? seen + 1 : 1
      at = job.endedAt
      const isBefore = start !== undefined && (at > start.at || (at === start.at && seen <= start.seen))
      if (listed.has(job.id)) return []
      listed.add(job.id)
      return isBefore ? [] : [{ job, next: `${at}.${seen}` }]
    })
}

/** @throws RunyardError('bad_request') */
function parseCursor(cursor: string | undefined): Position | undefined {
  if (cursor === undefined) return undefined
  const match = /^(\d{1,16})\.(\d{1,6})$/u.exec(cursor)
  if (match === null) throw new RunyardError('bad_request', '"cursor" must be the `nextCursor` of an earlier page.')
  return { at: Number(match[1]), seen: Number(match[2]) }
}

export function matches(job: FoundJob, { since = 0, until = Infinity, ...wanted }: Wanted): boolean {
  const at = job.endedAt ?? Date.now()
  return at >= since && at < until && hasAsked(job, wanted) && hasText(job, wanted)
}

const hasAsked = (job: FoundJob, { status, key, worker }: Wanted): boolean =>
  isAsked(status, job.status) && isAsked(key, job.keyId) && isAsked(worker, job.workerId)

const isAsked = (asked: string | undefined, own: string | undefined): boolean => asked === undefined || asked === own

function hasText({ id, endpoint, workerId, error: text, fingerprint }: FoundJob, { error, q }: Wanted): boolean {
  const isSameError = error === undefined || fingerprint === error || has(text, error)
  return isSameError && (q === undefined || [id, text, workerId, endpoint.id, endpoint.name].some((one) => has(one, q)))
}

const has = (text: string | undefined, part: string): boolean => text?.toLowerCase().includes(part.toLowerCase()) === true
