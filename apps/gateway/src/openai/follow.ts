// Follows one job for the one request that waits for it: its chunks, each once and in order, then its end. A chunk stays in the store until
// the job's result expires, so a read whose answer was lost with Redis is repeated and nothing is missing from the middle. If the
// client goes away or the gateway stops before the end, the job is cancelled.
import type { Endpoint, JobRecord, JsonText } from '@runyard/schema'
import type { GatewayDeps } from '../parts/deps.ts'
import { cancelJob } from '../jobs/cancel-retry-purge.ts'
import { isTerminal } from '../parts/job-body.ts'
import { jobKey, type Ticket } from '../parts/waiters.ts'
import { retryWhileAway } from '../parts/store-outage.ts'

export interface Followed {
  readonly endpoint: Endpoint
  readonly jobId: string
  /** Aborts when the client has gone or the gateway stops. */
  readonly signal: AbortSignal
}

/** `restarted`: its worker was lost after chunks had been read, and another one starts again. `left`: the client disconnected or the gateway stops. */
export type FollowEnd =
  | { readonly kind: 'ended'; readonly record: JobRecord }
  | { readonly kind: 'expired' }
  | { readonly kind: 'restarted' }
  | { readonly kind: 'left' }

export type FollowDeps = Pick<GatewayDeps, 'store' | 'waiters' | 'log' | 'events' | 'history' | 'traces' | 'metrics'>

const CHUNKS_PER_READ = 500
/** News arrives by signal; a lost signal costs this long. */
const LOOK_EVERY_MS = 10_000
const ABANDONED = 'the client went away before the job had ended'

export type FollowNews = { readonly kind: 'chunks'; readonly chunks: readonly JsonText[] } | FollowEnd

/** The end comes last. A caller that stops reading before it leaves the job. @throws RunyardError('store_unavailable') after long without Redis */
export async function* followChunks(deps: FollowDeps, followed: Followed): AsyncGenerator<FollowNews, void, undefined> {
  const { endpoint, jobId, signal } = followed
  using ticket = deps.waiters.open([jobKey(endpoint.id, jobId)], signal)
  const cursor = { from: 0, retries: 0 }
  let end: FollowEnd | undefined
  try {
    while (end === undefined) {
      const seen = await readOn(deps, followed, cursor)
      if (seen.chunks.length > 0) yield { kind: 'chunks', chunks: seen.chunks }
      end = seen.end ?? (seen.more ? undefined : await waitForNews(ticket, signal))
    }
    yield end
  } finally {
    if (end?.kind !== 'ended') await abandon(deps, followed)
  }
}

interface Seen {
  readonly chunks: readonly JsonText[]
  readonly more: boolean
  readonly end: FollowEnd | undefined
}

/** Another attempt streams from its beginning, so its chunks do not continue those of the attempt before. */
async function readOn(deps: FollowDeps, followed: Followed, cursor: { from: number; retries: number }): Promise<Seen> {
  const { endpoint, jobId, signal } = followed
  const page = { from: cursor.from, limit: CHUNKS_PER_READ }
  const read = await retryWhileAway(() => deps.store.jobs.readChunks(endpoint.id, jobId, page), signal)
  if (read === undefined) return { chunks: [], more: false, end: { kind: 'expired' } }
  const { record, chunks, more } = read
  if (cursor.from > 0 && record.retries !== cursor.retries) return { chunks: [], more: false, end: { kind: 'restarted' } }
  cursor.from += chunks.length
  cursor.retries = record.retries
  return { chunks, more, end: more ? undefined : endOf(record) }
}

/** The end alone, for a request that reads no chunks. @throws RunyardError('store_unavailable') after long without Redis */
export async function followToEnd(deps: FollowDeps, followed: Followed): Promise<FollowEnd> {
  const { endpoint, jobId, signal } = followed
  using ticket = deps.waiters.open([jobKey(endpoint.id, jobId)], signal)
  let end: FollowEnd | undefined
  try {
    while (end === undefined) {
      const record = await retryWhileAway(() => deps.store.jobs.get(endpoint.id, jobId), signal)
      end = endOf(record) ?? (await waitForNews(ticket, signal))
    }
    return end
  } finally {
    if (end?.kind !== 'ended') await abandon(deps, followed)
  }
}

function endOf(record: JobRecord | undefined): FollowEnd | undefined {
  if (record === undefined) return { kind: 'expired' }
  return isTerminal(record.status) ? { kind: 'ended', record } : undefined
}

async function waitForNews(ticket: Ticket, signal: AbortSignal): Promise<FollowEnd | undefined> {
  await ticket.next(Date.now() + LOOK_EVERY_MS)
  return signal.aborted ? { kind: 'left' } : undefined
}

async function abandon(deps: FollowDeps, { endpoint, jobId }: Followed): Promise<void> {
  await cancelJob(deps, endpoint, { jobId, why: ABANDONED }).catch((error: unknown) => {
    deps.log.warn({ err: error, endpointId: endpoint.id, jobId }, 'a job whose client has gone could not be cancelled')
  })
}
