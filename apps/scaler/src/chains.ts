// Runs work in the background, by key. A failure ends its chain, is logged, and blocks the key for a short pause, so that the next plan does not
// repeat it at once.
import { setTimeout as sleep } from 'node:timers/promises'
import { sentenceOf, type Logger } from '@runyard/kit'
import type { InFlightKind } from '@runyard/core'
import { RunyardError } from '@runyard/schema'

export interface Chain {
  readonly key: string
  readonly kind: InFlightKind
  readonly done: Promise<void>
  /** Breaks off waits; `done` still has to be awaited. */
  abort(): void
}

const RETRY_PAUSE_MS = 1000

/** Another scaler leads, or may lead. */
export function isStale(error: unknown): boolean {
  return error instanceof RunyardError && error.code === 'stale_term'
}

export function createChains(log: Logger, onDone: () => void) {
  const chains = new Set<Chain>()

  async function attempt(key: string, work: (signal: AbortSignal) => Promise<void>, signal: AbortSignal): Promise<void> {
    try {
      await work(signal)
    } catch (error) {
      if (isStale(error)) log.info({ key }, 'an action is left to the scaler that leads')
      else log.warn({ key, err: error }, `an action failed and will be tried again: ${sentenceOf(error)}`)
      // Aborted without a log line, because no caller waits for the key any more.
      await sleep(RETRY_PAUSE_MS, undefined, { signal }).catch(() => {})
    }
  }

  async function leaveWhenDone(chain: Chain): Promise<void> {
    await chain.done
    chains.delete(chain)
    onDone()
  }

  return {
    run(key: string, kind: InFlightKind, work: (signal: AbortSignal) => Promise<void>) {
      const stop = new AbortController()
      const chain: Chain = { key, kind, done: attempt(key, work, stop.signal), abort: () => stop.abort() }
      chains.add(chain)
      void leaveWhenDone(chain)
    },
    of: (key: string): readonly Chain[] => [...chains].filter((chain) => chain.key === key),
    /** Where a start and something else run for one key, the latter counts. */
    inFlight(): ReadonlyMap<string, InFlightKind> {
      const startsFirst = [...chains].toSorted((a, b) => Number(a.kind === 'other') - Number(b.kind === 'other'))
      return new Map(startsFirst.map(({ key, kind }) => [key, kind]))
    },
    async [Symbol.asyncDispose]() {
      for (const chain of chains) chain.abort()
      await Promise.all([...chains].map(({ done }) => done))
    },
  }
}
