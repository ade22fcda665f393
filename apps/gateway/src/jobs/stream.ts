// `/stream`: delivers each chunk once, in order, and a terminal status only when no chunk is left (client-api §5.5, R4–R9). An answer claims its chunks,
// and they are deleted when it has been written; if it breaks off, the next request gets the same chunks (ADR 25).
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { JsonText } from '@runyard/schema'
import { joinJson, toJsonList, withMember } from '@runyard/schema/json-join'
import type { StreamClaim } from '@runyard/store'
import type { GatewayDeps } from '../parts/deps.ts'
import { clientGone, sendJson } from '../http/answer.ts'
import { readWaitMs } from '../http/query.ts'
import { jobKey } from '../parts/waiters.ts'
import { retryWhileAway } from '../parts/store-outage.ts'
import { endpointOf, paramsOf } from './endpoint-of.ts'
import { jobNotFound } from './find-job.ts'
import { errorOf, isTerminal } from '../parts/job-body.ts'
import { nextLook } from './status.ts'

const CHUNKS_PER_ANSWER = 500

type StreamDeps = Pick<GatewayDeps, 'config' | 'store' | 'endpoints' | 'waiters' | 'log' | 'closing'>

export function createStream(deps: StreamDeps) {
  return async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    const endpoint = endpointOf(request)
    const { jobId } = paramsOf(request)
    const deadline = Date.now() + readWaitMs(request, deps.config.holds.streamS * 1000)
    const gone = clientGone(reply)
    using ticket = deps.waiters.open([jobKey(endpoint.id, jobId)], gone)
    for (;;) {
      const read = await deps.store.jobs.claimChunks(endpoint.id, jobId, CHUNKS_PER_ANSWER)
      if (read === undefined) throw await jobNotFound(deps, endpoint.id, jobId)
      const { claim, chunks } = read
      if (claim !== undefined) concludeOnceAnswered(deps, reply, { endpointId: endpoint.id, jobId, claim, count: chunks.length })
      if (hasNews(read)) return sendJson(reply, toStreamJson(read))
      const lookAt = nextLook(deadline, changesAt(read))
      const news = await ticket.next(lookAt)
      // No chunks may be claimed for a client that has gone.
      if (gone.aborted || deps.closing.aborted || (!news && lookAt === deadline)) return sendJson(reply, toStreamJson(read))
    }
  }
}

/** When a stream has news without a signal: the claim of a reader whose gateway has died becomes void, or the job's own time is over. */
function changesAt({ heldBackMs, record }: StreamClaim): number {
  return Math.min(heldBackMs > 0 ? Date.now() + heldBackMs : Infinity, record.deadlineAt ?? Infinity)
}

interface Claimed {
  readonly endpointId: string
  readonly jobId: string
  readonly claim: string
  readonly count: number
}

/** The chunks of an answer that was written whole are delivered; those of one that broke off or became an error are available again at once. */
function concludeOnceAnswered(deps: StreamDeps, { raw, request }: FastifyReply, claimed: Claimed): void {
  let delivered = 0
  const onClose = (): void => void conclude(deps, claimed, delivered)
  if (raw.closed) return onClose()
  raw.once('finish', () => {
    // Node calls an answer finished also if its socket broke in the middle of it.
    if (raw.statusCode === 200 && !request.raw.socket.destroyed) delivered = claimed.count
  })
  raw.once('close', onClose)
}

async function conclude({ store, log, closing }: StreamDeps, { endpointId, jobId, claim }: Claimed, delivered: number): Promise<void> {
  const at = { endpointId, jobId }
  try {
    const isHeld = await retryWhileAway(() => store.jobs.concludeClaim(endpointId, jobId, { claim, delivered }), closing)
    if (delivered === 0) log.info(at, 'an answer of a stream broke off: its chunks are available again')
    else if (!isHeld) log.warn(at, 'an answer of a stream outlived its claim: its chunks may be delivered twice')
  } catch (error) {
    log.warn({ ...at, err: error }, 'a claim on chunks of a stream could not be concluded: they become available again')
  }
}

/** The end is news once no chunk is left, also none that another reader has claimed. */
function hasNews(read: StreamClaim): boolean {
  return read.chunks.length > 0 || (isTerminal(read.record.status) && !read.more)
}

function toStreamJson(read: StreamClaim): JsonText {
  const { status } = read.record
  const stream = toJsonList(read.chunks.map(toChunk))
  if (!isTerminal(status)) return withMember({ status }, 'stream', stream)
  // SDK 2.0 raises on an error before it looks at the chunks beside it (sdk2-api §4.4), so a failure comes alone.
  if (read.more || (status !== 'COMPLETED' && read.chunks.length > 0)) return withMember({ status: 'IN_PROGRESS' }, 'stream', stream)
  return withMember(status === 'COMPLETED' ? { status } : { status, error: errorOf(read.record) }, 'stream', stream)
}

const OPEN_OBJECT = 0x7b

/** Every element has an `output` member (client-api R7). Those that workers post have one (`readChunk`); values that are no objects get one here. */
function toChunk(chunk: JsonText): JsonText {
  const first = typeof chunk === 'string' ? chunk.charCodeAt(0) : chunk[0]
  return first === OPEN_OBJECT ? chunk : joinJson(['{"output":', chunk, '}'])
}
