// `/stream`: hands each chunk out once, in order; a terminal status is told only when no chunk is left (client-api §5.5, R4–R9).
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { StreamRead } from '@runyard/store'
import type { GatewayDeps } from '../deps.ts'
import { clientGone, readWaitMs } from '../http/hold.ts'
import { jobKey } from '../waiters.ts'
import { endpointOf, paramsOf } from './endpoint-of.ts'
import { jobNotFound } from './gone.ts'
import { errorOf, isTerminal } from './job-body.ts'

const CHUNKS_PER_ANSWER = 500

interface StreamBody {
  readonly status: string
  readonly stream: readonly unknown[]
  readonly error?: string
}

export function createStream(deps: Pick<GatewayDeps, 'config' | 'store' | 'endpoints' | 'waiters'>) {
  return async (request: FastifyRequest, reply: FastifyReply): Promise<StreamBody | undefined> => {
    const endpoint = await endpointOf(deps.endpoints, request)
    const { jobId } = paramsOf(request)
    const deadline = Date.now() + readWaitMs(request.query, deps.config.holds.streamS * 1000)
    const gone = clientGone(reply)
    using ticket = deps.waiters.open([jobKey(endpoint.id, jobId)], gone)
    for (;;) {
      const read = await deps.store.jobs.readStream(endpoint.id, jobId, CHUNKS_PER_ANSWER)
      if (read === undefined) throw await jobNotFound(deps, endpoint.id, jobId)
      if (hasNews(read)) return toStreamBody(read)
      const news = await ticket.next(deadline)
      // A read drains: nobody may read for a client that has gone.
      if (!news || gone.aborted) return toStreamBody(read)
    }
  }
}

function hasNews(read: StreamRead): boolean {
  return read.chunks.length > 0 || isTerminal(read.record.status)
}

function toStreamBody(read: StreamRead): StreamBody {
  const { status } = read.record
  const stream = read.chunks.map(toChunk)
  if (!isTerminal(status)) return { status, stream }
  if (read.more) return { status: 'IN_PROGRESS', stream }
  return status === 'COMPLETED' ? { status, stream } : { status, stream, error: errorOf(read.record) }
}

/** Every element has an `output` key (R7); siblings of it, such as vLLM's `metrics`, stay. */
function toChunk(chunk: unknown): unknown {
  return typeof chunk === 'object' && chunk !== null && 'output' in chunk ? chunk : { output: chunk }
}
