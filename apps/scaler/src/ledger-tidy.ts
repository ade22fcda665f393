// Adds up old rows of the billing ledger once an hour (ADR 43). Part of a term, so that only the leader does it.
import { createLoop, type Logger, type Loop } from '@runyard/kit'
import type { Config } from '@runyard/schema'
import type { Store } from '@runyard/store'
import { isStale } from './chains.ts'

const EVERY_MS = 60 * 60 * 1000
const DAY_MS = 24 * EVERY_MS

export interface LedgerTidyDeps {
  /** Under the term. */
  readonly store: Pick<Store, 'ledger'>
  readonly config: Pick<Config, 'billing'>
  readonly log: Logger
}

export function openLedgerTidy({ store, config, log }: LedgerTidyDeps): Loop {
  const loop = createLoop({
    name: 'ledger',
    async tick(now) {
      try {
        const tidied = await store.ledger.tidy(now, config.billing.keepIntervalsDays * DAY_MS)
        if (Object.values(tidied).some((count) => count > 0)) log.info(tidied, 'added up what is old in the ledger')
      } catch (error) {
        // The scaler that leads now does so.
        if (!isStale(error)) throw error
      }
      return now + EVERY_MS
    },
    log,
    maxSleepMs: EVERY_MS,
  })
  loop.start()
  return loop
}
