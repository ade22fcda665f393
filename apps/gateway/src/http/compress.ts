// Compresses an answer for a caller that accepts it; for routes whose answers are large and repeat themselves.
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import type { FastifyReply, FastifyRequest } from 'fastify'

const compress = promisify(gzip)
/** Below, it saves no packet. */
const LEAST = 1400
/** Whether the caller takes it, and it is worth it. The answer depends on it from now on. */
export function mayCompress(request: FastifyRequest, reply: FastifyReply, payload: string): boolean {
  void reply.header('vary', 'accept-encoding')
  return payload.length >= LEAST && String(request.headers['accept-encoding']).includes('gzip')
}

/** A hook `onSend`. */
export function compressAnswer(level: number) {
  return async (request: FastifyRequest, reply: FastifyReply, payload: unknown): Promise<unknown> => {
    if (typeof payload !== 'string' || !mayCompress(request, reply, payload)) return payload
    void reply.header('content-encoding', 'gzip').removeHeader('content-length')
    return await compress(payload, { level })
  }
}
