// Reads the rest of a refused body and throws it away. A client that still writes when the connection closes sees a reset instead of the
// answer, so a 413 would look like an outage. What is read here is neither kept nor looked at, and it has bounds: a body that is too long, one that
// is slow, and one more than a few at once are cut off. Their connection closes with the answer.
import type { IncomingMessage } from 'node:http'
import { createPace } from './turns.ts'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'

/** Of a stranger's, and of one whose sender is known, but who sends more than the route takes. */
const MOST_BYTES = { stranger: 32 * 1024 * 1024, known: 128 * 1024 * 1024 } as const
const LONGEST_MS = 5000
/** All of them together take no more than this many times 64 KiB of memory. */
const MOST_AT_ONCE = 64

let draining = 0

/** Whatever is answered before its request's body was read: where that does not come to its end soon, the answer is the connection's last. */
export function drainUnread(app: FastifyInstance): void {
  // No promise where nothing is unread: Fastify adds listeners to each reply that is not sent at once.
  app.addHook('onSend', (request, reply, ...[payload, next]) => (hasUnread(request.raw) ? drainFirst(request, reply) : next(null, payload)))
}

async function drainFirst({ raw, isAdmitted }: FastifyRequest, reply: FastifyReply): Promise<void> {
  const isWhole = await drainBody(raw, isAdmitted ? 'known' : 'stranger')
  if (!isWhole) void reply.header('connection', 'close')
}

/** False where something of the body is left: then the connection cannot serve another request. */
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
