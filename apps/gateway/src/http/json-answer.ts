// Answers that carry values of others as they are (ADR 35).
import type { FastifyReply } from 'fastify'
import type { JsonText } from '@runyard/schema'

export function sendJson(reply: FastifyReply, json: JsonText): FastifyReply {
  const payload = typeof json === 'string' ? String(json) : Buffer.from(json.buffer, json.byteOffset, json.byteLength)
  return reply.type('application/json; charset=utf-8').send(payload)
}
