// The limits of API keys as a plan needs them (ADR 60): read after each change of keys, and from time to time, since a signal may be lost.
import { keyLimitsOf, type KeyLimit } from '@runyard/core'
import type { Config, Signal } from '@runyard/schema'
import type { Store } from '@runyard/store'

export type KeyLimits = ReturnType<typeof createKeyLimits>

const REREAD_MS = 10_000

export function createKeyLimits(store: Pick<Store, 'keys'>, { limits }: Pick<Config, 'limits'>) {
  let known: ReadonlyMap<string, KeyLimit> = new Map()
  let readAt = -Infinity
  return {
    note({ kind }: Signal) {
      if (kind === 'keys-changed' || kind === 'resync') readAt = -Infinity
    },
    async read(now: number): Promise<ReadonlyMap<string, KeyLimit>> {
      if (now < readAt + REREAD_MS) return known
      // A change from here on is read by the next tick.
      readAt = now
      try {
        known = keyLimitsOf(await store.keys.list(), limits.workersPerKey)
      } catch (error) {
        readAt = -Infinity
        throw error
      }
      return known
    },
  }
}
