// One stream of server-sent events: frames, a comment every ten seconds, and an end when the client, its key or the gateway goes. A reader that is slow
// gets nothing until it has read, and the writer says what it missed.
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Store } from '@runyard/store'
import { createAuthentication } from '../http/authenticate.ts'
import { closeOf, createLogFollowers, isStillAllowed, openStream, type FollowerLimit } from '../management/rest/log-route.ts'
import { keyOf, type RestApp } from '../management/rest/conventions.ts'

const HEARTBEAT_MS = 10_000

export interface EventStream {
  /** Aborts when it is over. */
  readonly signal: AbortSignal
  /** False where the reader has not read what it got before. */
  readonly isReady: () => boolean
  /** `text`: JSON. */
  send(frame: { readonly id?: string; readonly text: string }): void
}

export type Streams = ReturnType<typeof createStreams>

/** `limit`: of the streams of one API key; default: that of logs. */
export function createStreams(app: RestApp, store: Pick<Store, 'keys' | 'sessions' | 'subscribe'>, limit?: FollowerLimit) {
  const stopping = new AbortController()
  app.addHook('preClose', () => stopping.abort())
  const followers = createLogFollowers(limit)
  const authenticate = createAuthentication(store)
  return {
    /** Resolves when the stream is over. @throws RunyardError('too_many_requests') */
    async open(request: FastifyRequest, reply: FastifyReply, run: (stream: EventStream) => Promise<void>): Promise<void> {
      using counted = new DisposableStack()
      counted.use(followers.enter(keyOf(request).id))
      reply.hijack()
      const response = openStream(reply.raw)
      const over = new AbortController()
      const signal = AbortSignal.any([stopping.signal, closeOf(response), over.signal])
      const isReady = () => !response.writableNeedDrain
      const endUnlessAllowed = async (): Promise<void> => {
        if (!(await isStillAllowed(authenticate, request))) over.abort()
      }
      const beat = setInterval(() => {
        if (isReady()) response.write(': still here\n\n')
        void endUnlessAllowed()
      }, HEARTBEAT_MS)
      counted.defer(() => clearInterval(beat))
      const send: EventStream['send'] = ({ id, text }) => {
        response.write(`${id === undefined ? '' : `id: ${id}\n`}data: ${text}\n\n`)
      }
      await run({ signal, isReady, send })
      response.end()
    },
  }
}

/** Wakes who waits, at most once in `atLeastMs`, however long the work in between takes. */
export function createBell(atLeastMs: number) {
  let rung = Promise.withResolvers<void>()
  let wokeAt = -Infinity
  return {
    ring: () => rung.resolve(),
    /** Resolves after a ring, or after `withinMs`. */
    async next(withinMs: number, signal: AbortSignal): Promise<void> {
      const stop = Promise.withResolvers<void>()
      const timer = setTimeout(stop.resolve, withinMs)
      const end = (): void => stop.resolve()
      signal.addEventListener('abort', end)
      await Promise.race([rung.promise, stop.promise])
      clearTimeout(timer)
      signal.removeEventListener('abort', end)
      rung = Promise.withResolvers<void>()
      const rest = atLeastMs - (performance.now() - wokeAt)
      if (rest > 0 && !signal.aborted) await new Promise((resolve) => setTimeout(resolve, rest))
      wokeAt = performance.now()
    },
  }
}
