// Answers of held requests: whether the client still waits (client-api §5.2–§5.5), and JSON that is sent without being parsed (ADR 35).
import type { JsonText } from '@runyard/schema'
import type { FastifyReply } from 'fastify'

/** Calls `done` when the answer has been written or the client has gone; at once if that has happened already, for example during a look-up. */
export function whenClosed({ raw }: FastifyReply, done: () => void): void {
  if (raw.closed) done()
  else raw.once('close', done)
}

/** Aborts when the connection closes before the answer has been written. */
export function clientGone(reply: FastifyReply): AbortSignal {
  const controller = new AbortController()
  whenClosed(reply, () => {
    if (!reply.raw.writableFinished) controller.abort()
  })
  return controller.signal
}

export function sendJson(reply: FastifyReply, json: JsonText): FastifyReply {
  const payload = typeof json === 'string' ? String(json) : Buffer.from(json.buffer, json.byteOffset, json.byteLength)
  return reply.type('application/json; charset=utf-8').send(payload)
}
