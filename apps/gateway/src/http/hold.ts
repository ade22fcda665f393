// How long a request is held, and whether its client still waits for the answer (client-api §5.2–§5.5).
import type { FastifyReply } from 'fastify'

const MIN_WAIT_MS = 1000
const MAX_WAIT_MS = 300_000

/** `?wait=` in ms: clamped to 1000–300000; absent or not a number → `fallbackMs`. */
export function readWaitMs(query: unknown, fallbackMs: number): number {
  const given = (query as Record<string, unknown>)['wait']
  if (typeof given !== 'string' || given.trim() === '') return fallbackMs
  const wait = Number(given)
  return Number.isFinite(wait) ? Math.min(MAX_WAIT_MS, Math.max(MIN_WAIT_MS, Math.round(wait))) : fallbackMs
}

/** Aborts when the connection is gone before the answer was written. */
export function clientGone(reply: FastifyReply): AbortSignal {
  const controller = new AbortController()
  reply.raw.once('close', () => {
    if (!reply.raw.writableFinished) controller.abort()
  })
  return controller.signal
}
