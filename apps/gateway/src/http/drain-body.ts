// Reads the rest of a refused body and throws it away. A client that still writes when the connection closes sees a reset instead of the answer, so a
// 413 would look like an outage. The bytes are neither kept nor read, and there are bounds: a body that is too long or too slow, or exceeds the number
// of bodies at once, is cut off, and its connection closes with the answer.
import type { IncomingMessage } from 'node:http'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { isExpecting } from './expect-continue.ts'
import { createPace } from './turns.ts'

/** Of a body from an unknown sender, and of one from a known sender that is larger than the route accepts. */
const MOST_BYTES = { stranger: 32 * 1024 * 1024, known: 128 * 1024 * 1024 } as const
const LONGEST_MS = 5000
/** Bodies; together they take no more than this many times 64 KiB of memory. */
const MOST_AT_ONCE = 64

let draining = 0

/** For answers before the request's body was read: if the body does not end soon, the answer is the last one of its connection. */
export function drainUnread(app: FastifyInstance): void {
  // No promise if nothing is unread: Fastify adds listeners to each reply that is not sent at once.
  app.addHook('onSend', (request, reply, ...[payload, next]) => (hasUnread(request.raw) ? drainFirst(request, reply) : next(null, payload)))
}

async function drainFirst({ raw, isAdmitted }: FastifyRequest, reply: FastifyReply): Promise<void> {
  const isWhole = !isExpecting(raw) && (await drainBody(raw, isAdmitted ? 'known' : 'stranger'))
  if (!isWhole) void reply.header('connection', 'close')
}

/** False if a part of the body is left: then the connection cannot serve another request. */
async function drainBody(request: IncomingMessage, sender: keyof typeof MOST_BYTES): Promise<boolean> {
  const mostBytes = MOST_BYTES[sender]
  if (request.destroyed || draining >= MOST_AT_ONCE || Number(request.headers['content-length'] ?? 0) > mostBytes) return false
  draining += 1
  try {
    return await readToEnd(request, mostBytes)
  } finally {
    draining -= 1
  }
}

function hasUnread({ headers, readableEnded }: IncomingMessage): boolean {
  if (readableEnded) return false
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0
}

async function readToEnd(request: IncomingMessage, mostBytes: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const pace = createPace(request)
  let bytes = 0
  const count = (chunk: Buffer): void => {
    bytes += chunk.length
    if (bytes > mostBytes) resolve(false)
    else pace.took(chunk.length)
  }
  const timer = setTimeout(resolve, LONGEST_MS, false)
  const end = (): void => resolve(true)
  const close = (): void => resolve(false)
  request.on('data', count).once('end', end).once('close', close)
  const isWhole = await promise
  clearTimeout(timer)
  pace.end()
  request.off('data', count).off('end', end).off('close', close)
  if (!isWhole) request.pause()
  return isWhole
}
