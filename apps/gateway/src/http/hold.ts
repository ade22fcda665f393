// How long a request is held, and whether its client still waits for the answer (client-api §5.2–§5.5).
import { clampMs } from '@runyard/schema'
import type { FastifyReply } from 'fastify'

const WAIT_MS = { min: 1000, max: 300_000 }

/** `?wait=` in ms: clamped to 1000–300000; absent or not a number → `fallbackMs`. */
export function readWaitMs(query: unknown, fallbackMs: number): number {
  const given = (query as Record<string, unknown>)['wait']
  if (typeof given !== 'string' || given.trim() === '') return fallbackMs
  return clampMs(Number(given), WAIT_MS) ?? fallbackMs
}

/** Runs when the answer is out or the client has gone: at once where that is so already, as after a look-up that took a while. */
export function whenClosed({ raw }: FastifyReply, done: () => void): void {
  if (raw.closed) done()
  else raw.once('close', done)
}

/** Aborts when the connection is gone before the answer was written. */
export function clientGone(reply: FastifyReply): AbortSignal {
  const controller = new AbortController()
  whenClosed(reply, () => {
    if (!reply.raw.writableFinished) controller.abort()
  })
  return controller.signal
}
