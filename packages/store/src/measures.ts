// Measures of job ends by processes without `/metrics`. A gateway that is scraped adds them to its own series, so each is counted by one gateway and
// the sum over all gateways is right. If no gateway is scraped, the oldest are dropped. The counters of the queue (`QueueStats`) are kept by the
// scripts and lose nothing.
import type { EndMeasure } from '@runyard/core'
import type { StoreContext } from './context.ts'

/** About 1.5 MB. */
/** Measures on their way from a process that has no `/metrics` to one that has; each is taken once. */
export interface MeasureStore {
  hand(measures: readonly EndMeasure[]): Promise<void>
  take(): Promise<readonly EndMeasure[]>
}

const MOST_KEPT = 10_000
const TAKEN_AT_ONCE = 1000

export function createMeasureStore({ client, keys }: StoreContext): MeasureStore {
  return {
    async hand(measures) {
      if (measures.length === 0) return
      const texts = measures.map((measure) => JSON.stringify(measure))
      await client
        .multi()
        .rpush(keys.measures, ...texts)
        .ltrim(keys.measures, -MOST_KEPT, -1)
        .exec()
    },

    async take() {
      const taken: EndMeasure[] = []
      let some: readonly string[]
      do {
        some = (await client.lpop(keys.measures, TAKEN_AT_ONCE)) ?? []
        taken.push(...some.map((text): EndMeasure => JSON.parse(text)))
      } while (some.length === TAKEN_AT_ONCE)
      return taken
    },
  }
}
