// Compresses an answer for a caller that accepts it; for routes whose answers are large and repeat themselves.
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import type { FastifyReply, FastifyRequest } from 'fastify'

const compress = promisify(gzip)
/** Below, it saves no packet. */
const LEAST = 1400

/** A hook `onSend`. */
export function compressAnswer(level: number) {
  return async (request: FastifyRequest, reply: FastifyReply, payload: unknown): Promise<unknown> => {
    void reply.header('vary', 'accept-encoding')
    if (typeof payload !== 'string' || payload.length < LEAST) return payload
    if (!String(request.headers['accept-encoding']).includes('gzip')) return payload
    void reply.header('content-encoding', 'gzip').removeHeader('content-length')
    return await compress(payload, { level })
  }
}
