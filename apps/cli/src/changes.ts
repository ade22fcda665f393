// Notifies a screen when to look again: the gateway's stream of what is now rings, and while there is no stream, a clock does. A ring carries no meaning,
// so what was missed while the stream was away costs one look.
import { setTimeout as sleep } from 'node:timers/promises'
import type { Client } from '@runyard/client'
import { MOST_TOPICS } from '@runyard/schema/api'

export interface ChangeTimes {
  /** The least between two looks: a busy pool changes all the time. */
  readonly atLeastMs: number
  /** The time between two looks at most, without a stream. */
  readonly pollMs: number
  /** The life of a stream. The next one also has the endpoints that were made meanwhile, and begins with a ring. */
  readonly renewMs: number
}

export const CHANGE_TIMES: ChangeTimes = { atLeastMs: 1000, pollMs: 2000, renewMs: 10_000 }

/** Of endpoints with their jobs and workers, and of hosts and cards. `signal` ends it. */
export function followChanges(
  client: Pick<Client, 'listEndpoints' | 'history'>,
  { atLeastMs, pollMs, renewMs }: ChangeTimes,
  signal: AbortSignal,
) {
  let bell = Promise.withResolvers<void>()
  let isStreaming = false

  /** Whether the stream lived as long as it may, so that the next one can follow at once. */
  async function listen(): Promise<boolean> {
    const topics = ['pool', ...(await client.listEndpoints()).map(({ id }) => `endpoint:${id}`)]
    if (topics.length > MOST_TOPICS) return false
    const over = AbortSignal.any([signal, AbortSignal.timeout(renewMs)])
    try {
      const events = client.history.followLive(topics, { signal: over })
      while ((await events.next()).done !== true) {
        isStreaming = true
        bell.resolve()
      }
    } catch (error) {
      if (!over.aborted) throw error
    }
    return over.aborted
  }
  async function goOn(): Promise<void> {
    while (!signal.aborted) {
      isStreaming = await listen().catch(() => false)
      if (!isStreaming) await pause(renewMs, signal)
    }
  }
  void goOn()
  const clock = setInterval(() => {
    if (!isStreaming) bell.resolve()
  }, pollMs)
  signal.addEventListener('abort', () => {
    clearInterval(clock)
    bell.resolve()
  })
  return {
    /** Resolves when something may have changed, or at the end of `signal`. */
    async next(): Promise<void> {
      await pause(atLeastMs, signal)
      await bell.promise
      if (!signal.aborted) bell = Promise.withResolvers<void>()
    },
  }
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => {})
}
