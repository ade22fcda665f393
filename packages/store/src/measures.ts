// What processes without a listener hand to the gateways: measures of job ends for `/metrics`, and ends whose spans are sent. A gateway takes each once, so
// the sum over all gateways is right. If none takes them, the oldest are dropped. The counters of the queue (`QueueStats`) are kept by the scripts and
// lose nothing.
import type { EndMeasure, JobEnd } from '@runyard/core'
import type { StoreContext } from './context.ts'

/** On their way from a process that has no `/metrics` to one that has. */
export interface MeasureStore {
  hand(measures: readonly EndMeasure[]): Promise<void>
  take(): Promise<readonly EndMeasure[]>
}

/** A job that a process without traces has ended. */
export interface TracedJobEnd {
  readonly endpoint: { readonly id: string; readonly name?: string | undefined }
  readonly end: JobEnd
  /** As its caller sent it. */
  readonly traceparent?: string | undefined
}

/** Ends whose spans a gateway sends. */
export interface TracedEndStore {
  hand(ends: readonly TracedJobEnd[]): Promise<void>
  take(): Promise<readonly TracedJobEnd[]>
}

/** About 1.5 MB. */
const MOST_KEPT = 10_000
const TAKEN_AT_ONCE = 1000

export const createMeasureStore = (context: StoreContext): MeasureStore =>
  createHandOver<EndMeasure>(context, { key: context.keys.measures })
/** Spans of an hour ago are useless. */
export const createTracedEndStore = (context: StoreContext): TracedEndStore =>
  createHandOver<TracedJobEnd>(context, { key: context.keys.tracedEnds, keepS: 3600 })

interface HandOver {
  readonly key: string
  /** Absent: until they are taken. */
  readonly keepS?: number
}

function createHandOver<T>({ client }: Pick<StoreContext, 'client'>, { key, keepS }: HandOver) {
  return {
    async hand(items: readonly T[]): Promise<void> {
      if (items.length === 0) return
      const texts = items.map((item) => JSON.stringify(item))
      const written = client
        .multi()
        .rpush(key, ...texts)
        .ltrim(key, -MOST_KEPT, -1)
      await (keepS === undefined ? written : written.expire(key, keepS)).exec()
    },

    async take(): Promise<readonly T[]> {
      const taken: T[] = []
      let some: readonly string[]
      do {
        some = (await client.lpop(key, TAKEN_AT_ONCE)) ?? []
        taken.push(...some.map((text): T => JSON.parse(text)))
      } while (some.length === TAKEN_AT_ONCE)
      return taken
    },
  }
}
