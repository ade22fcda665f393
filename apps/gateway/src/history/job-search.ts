// Finds ended jobs over endpoints (`live-search.ts` those that wait or run), and says what a search asks of each. A search reads the newest chunks, which is
// all that most need, then looks through what the gateway keeps unpacked (ADR 80), in turns of the event loop and for a bounded time; the next page goes on
// where it stopped.
import {
  buildJobColumns,
  createEndFinder,
  endpointsOf,
  findInColumns,
  type ColumnSearch,
  type JobColumns,
  type PastJob,
} from '@runyard/core'
import { RunyardError, type JobStatus } from '@runyard/schema'
import type { FoundJob } from '@runyard/schema/api'
import type { ChunkRange, Store } from '@runyard/store'
import { nextTurn } from '../http/turns.ts'
import { CHUNK_LAG_MS } from '../parts/history-blocks.ts'
import type { Past } from '../parts/past.ts'
import type { NameEndpoints, PastEndpoint } from './own-endpoints.ts'

export type Wanted = Omit<ColumnSearch, 'endpoints'>

/** Of up to 250 jobs each, by turns of the event loop, of which the longest take some ten milliseconds. The first few are enough for most lists. */
const NEWEST_CHUNKS = [8, 32, 32] as const
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

export interface SearchDeps {
  readonly store: Pick<Store, 'history'>
  readonly past: Pick<Past, 'jobs'>
}

/** A job that was retried and ended again is listed once, as it ended last; an earlier end may follow on a later page. */
export async function findPast(deps: SearchDeps, name: NameEndpoints, { wanted, limit, cursor, known = [] }: PastQuery): Promise<PastJobs> {
  if (!isEnded(wanted.status)) return { jobs: [], nextCursor: null }
  const start = parseCursor(cursor)
  const listed = new Set(known)
  const isNew = (job: PastJob): boolean => !listed.has(job.id) && listed.add(job.id) && (start === undefined || isAfter(job, start))
  const blocks: JobColumns[] = []
  const latestOf = (jobs: FoundJob[]) => withoutEarlierEnds(jobs, blocks, wanted.until)
  let found: FoundJob[] = []
  const endAt = Date.now() + SEARCH_MS
  for await (const { jobs, finalFrom } of inOrder(readBack({ ...deps, name, blocks }, wanted, start?.at))) {
    found.push(...(await findAmong(jobs.filter(isNew), name, wanted)))
    if (found.length >= limit) found = latestOf(found)
    const last = found[limit - 1]
    if (last !== undefined) return { jobs: found.slice(0, limit), nextCursor: toCursor({ at: last.endedAt ?? 0, id: last.id }) }
    if (finalFrom > 0 && Date.now() > endAt) {
      return { jobs: latestOf(found), nextCursor: toCursor({ at: finalFrom + 1, id: '' }) }
    }
  }
  return { jobs: latestOf(found), nextCursor: null }
}

async function findAmong(jobs: readonly PastJob[], name: NameEndpoints, wanted: Wanted): Promise<readonly FoundJob[]> {
  const byId = await name(jobs.map(({ endpointId }) => endpointId))
  const named = jobs.flatMap((job) => {
    const endpoint = byId.get(job.endpointId)
    return endpoint === undefined ? [] : [toFound(endpoint, job)]
  })
  return named.filter((job) => matches(job, wanted))
}

interface Part {
  readonly jobs: readonly PastJob[]
  /** All that is still to come ended then or before. */
  readonly finalFrom: number
}

interface Reading extends SearchDeps {
  readonly name: NameEndpoints
  /** Gets what was looked through. */
  readonly blocks: JobColumns[]
}

/** Ended jobs that may match, in parts, newest first. What is far back is looked through in memory (ADR 80). */
async function* readBack({ store: { history }, past, name, blocks }: Reading, wanted: Wanted, startAt = Infinity): AsyncGenerator<Part> {
  const { since: from = 0, until = Infinity } = wanted
  const find = async (block: JobColumns): Promise<readonly PastJob[]> => {
    blocks.push(block)
    return findInColumns(block, { ...wanted, endpoints: await name(endpointsOf(block)) })
  }
  const to = Math.min(Date.now(), until, startAt) + CHUNK_LAG_MS
  let after: string | undefined
  for (const count of NEWEST_CHUNKS) {
    const range: ChunkRange = { from, to, after, newestFirst: true, count }
    const chunks = await history.chunks('jobs', range)
    after = chunks.at(-1)?.id
    const isLast = chunks.length < count
    const columns = buildJobColumns()
    for (const { bytes } of chunks) columns.addChunk(bytes)
    yield { jobs: await find(columns.finish()), finalFrom: isLast ? -Infinity : timeOf(after) }
    if (isLast) return
    await nextTurn()
  }
  for await (const block of past.jobs.read({ from, to: timeOf(after) })) {
    yield { jobs: await find(block), finalFrom: block.from - 1 }
    await nextTurn()
  }
}

const timeOf = (chunkId = '0'): number => Number.parseInt(chunkId, 10)

/** By their end, latest first. A chunk holds jobs of up to a minute before its own time, so parts overlap. */
async function* inOrder(parts: AsyncIterable<Part>): AsyncGenerator<Part> {
  let waiting: readonly PastJob[] = []
  for await (const { jobs, finalFrom } of parts) {
    const all = [...waiting, ...jobs].toSorted(byEnd)
    yield { jobs: all.filter(({ endedAt }) => endedAt > finalFrom), finalFrom }
    waiting = all.filter(({ endedAt }) => endedAt <= finalFrom)
  }
  yield { jobs: waiting, finalFrom: -Infinity }
}

const byEnd = (a: PastJob, b: PastJob): number => b.endedAt - a.endedAt || (a.id < b.id ? 1 : -1)

/** Without jobs that failed, were retried, and ended again as something else. */
function withoutEarlierEnds(found: FoundJob[], blocks: readonly JobColumns[], until = Infinity): FoundJob[] {
  const mayBeRetried = found.filter(({ status }) => status === 'FAILED' || status === 'TIMED_OUT')
  if (mayBeRetried.length === 0 || blocks.length === 0) return found
  const findEnds = createEndFinder(mayBeRetried.map(({ id }) => id))
  const latest = new Map<string, number>()
  for (const { id, endedAt } of blocks.flatMap(findEnds)) {
    if (endedAt < until) latest.set(id, Math.max(endedAt, latest.get(id) ?? 0))
  }
  return found.filter(({ id, endedAt = 0 }) => endedAt >= (latest.get(id) ?? 0))
}

/** The last job of a page. */
interface Position {
  readonly at: number
  readonly id: string
}

const isAfter = ({ endedAt, id }: PastJob, { at, id: last }: Position): boolean => endedAt < at || (endedAt === at && id < last)

/** Of an id; a cursor has 64 characters at most. */
const ID_LENGTH = 48

const toCursor = ({ at, id }: Position): string => `${at}.${id.slice(0, ID_LENGTH)}`

/** @throws RunyardError('bad_request') */
function parseCursor(cursor: string | undefined): Position | undefined {
  if (cursor === undefined) return undefined
  const [, at, id = ''] = /^(\d{1,15})\.(.*)$/su.exec(cursor) ?? []
  if (at === undefined) throw new RunyardError('bad_request', '"cursor" must be the `nextCursor` of an earlier page.')
  return { at: Number(at), id }
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
