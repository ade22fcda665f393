// Reads the body of a request as bytes, as Fastify's own reader does, but a large one in turns: its chunks are read and joined in slices.
import type { IncomingMessage } from 'node:http'
import { errorCodes, type FastifyRequest } from 'fastify'
import { createPace, nextTurn } from './turns.ts'

/** Joined at once: takes a millisecond at most. */
const AT_ONCE_BYTES = 1024 * 1024

type Done = (error: Error | null, body?: Buffer) => void

export function readBody(request: FastifyRequest, stream: IncomingMessage, done: Done): void {
  const mostBytes = request.bounds?.bytes ?? 0
  const declared = Number(request.headers['content-length'])
  if (declared > mostBytes) {
    done(new errorCodes.FST_ERR_CTP_BODY_TOO_LARGE())
    return
  }
  const chunks: Buffer[] = []
  const pace = createPace(stream)
  let bytes = 0
  const stop = (): void => {
    pace.end()
    stream.off('data', take).off('end', end).off('error', fail)
  }
  const take = (chunk: Buffer): void => {
    bytes += chunk.length
    chunks.push(chunk)
    if (bytes <= mostBytes) pace.took(chunk.length)
    else fail(new errorCodes.FST_ERR_CTP_BODY_TOO_LARGE())
  }
  const fail = (error: Error): void => {
    stop()
    done(Object.assign(error, { statusCode: (error as { statusCode?: number }).statusCode ?? 400 }))
  }
  const end = (): void => {
    stop()
    if (declared !== bytes && !Number.isNaN(declared)) done(new errorCodes.FST_ERR_CTP_INVALID_CONTENT_LENGTH())
    else if (bytes <= AT_ONCE_BYTES) done(null, Buffer.concat(chunks, bytes))
    else void joinInTurns({ chunks, bytes }, done)
  }
  stream.on('data', take).on('end', end).on('error', fail)
}

async function joinInTurns({ chunks, bytes }: { chunks: readonly Buffer[]; bytes: number }, done: Done): Promise<void> {
  const body = Buffer.allocUnsafe(bytes)
  let length = 0
  let pauseAt = AT_ONCE_BYTES
  for (const chunk of chunks) {
    length += chunk.copy(body, length)
    if (length < pauseAt) continue
    pauseAt = length + AT_ONCE_BYTES
    await nextTurn()
  }
  done(null, body)
}
