// `/stream`: tells each chunk once, in order; a terminal status only when no chunk is left (client-api §5.5, R4–R9). What an answer tells is
// claimed for it and goes when it has been written out; where it breaks off, the next request of whoever asks gets the same (ADR 25).
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { JsonText } from '@runyard/schema'
import { joinJson, toJsonList, withMember } from '@runyard/schema/json-join'
import type { StreamClaim } from '@runyard/store'
import type { GatewayDeps } from '../parts/deps.ts'
import { clientGone, readWaitMs, sendJson } from '../http/answer.ts'
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
    const deadline = Date.now() + readWaitMs(request.query, deps.config.holds.streamS * 1000)
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
      // Nobody may claim for a client that has gone.
      if (gone.aborted || deps.closing.aborted || (!news && lookAt === deadline)) return sendJson(reply, toStreamJson(read))
    }
  }
}

/** When a stream has news that no signal need tell: the claim of a reader whose gateway has died is void, or the job's own time is over. */
function changesAt({ heldBackMs, record }: StreamClaim): number {
  return Math.min(heldBackMs > 0 ? Date.now() + heldBackMs : Infinity, record.deadlineAt ?? Infinity)
}

interface Claimed {
  readonly endpointId: string
  readonly jobId: string
  readonly claim: string
  readonly count: number
}

/** What was written out whole was told; what broke off or became an error was not, and is handed out again at once. */
function concludeOnceAnswered(deps: StreamDeps, { raw, request }: FastifyReply, claimed: Claimed): void {
  let told = 0
  const onClose = (): void => void conclude(deps, claimed, told)
  if (raw.closed) return onClose()
  raw.once('finish', () => {
    // Node calls an answer finished also where its socket broke in the middle of it.
    if (raw.statusCode === 200 && !request.raw.socket.destroyed) told = claimed.count
  })
  raw.once('close', onClose)
}

async function conclude({ store, log, closing }: StreamDeps, { endpointId, jobId, claim }: Claimed, told: number): Promise<void> {
  const at = { endpointId, jobId }
  try {
    const isHeld = await retryWhileAway(() => store.jobs.concludeClaim(endpointId, jobId, { claim, told }), closing)
    if (told === 0) log.info(at, 'an answer of a stream broke off: its chunks are handed out again')
    else if (!isHeld) log.warn(at, 'an answer of a stream outlived its claim: its chunks may be told twice')
  } catch (error) {
    log.warn({ ...at, err: error }, 'a claim on chunks of a stream could not be concluded: they are handed out again')
  }
}

/** An end is news once nothing is left, also with others. */
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

/** Every element has an `output` member (client-api R7). Those that workers post have one (`readChunk`); what is no object has none. */
function toChunk(chunk: JsonText): JsonText {
  const first = typeof chunk === 'string' ? chunk.charCodeAt(0) : chunk[0]
  return first === OPEN_OBJECT ? chunk : joinJson(['{"output":', chunk, '}'])
}
