// Hands ended jobs to the history (ADR 79) outside of the hot path: they are collected and packed once a second. The history is for people: what cannot
// be written is dropped and logged, and never delays or costs a job.
import { toKeptEnds, type JobEnd } from '@runyard/core'
import type { Logger } from '@runyard/kit'
import type { HistoryStore } from '@runyard/store'

const FLUSH_EVERY_MS = 1000
/** Of one chunk; packing it takes about a millisecond. */
const AT_ONCE = 250
/** More than a gateway ends in several seconds. */
const MOST_WAITING = 20_000

export interface HistoryWriter extends AsyncDisposable {
  add(endpointId: string, ends: readonly JobEnd[]): void
  flush(): Promise<void>
}

export function createHistoryWriter({ history, log }: { readonly history: HistoryStore; readonly log: Logger }): HistoryWriter {
  let waiting: (readonly [string, JobEnd])[] = []
  let dropped = 0
  let timer: NodeJS.Timeout | undefined

  async function flush(): Promise<void> {
    clearTimeout(timer)
    timer = undefined
    const taken = waiting
    waiting = []
    if (dropped > 0) log.warn({ jobs: dropped }, 'some ended jobs are not in the history')
    dropped = 0
    try {
      for (let from = 0; from < taken.length; from += AT_ONCE) {
        const { jobs, texts } = toKeptEnds(taken.slice(from, from + AT_ONCE))
        await history.addJobs(jobs, texts)
      }
    } catch (error) {
      log.warn({ err: error, jobs: taken.length }, 'ended jobs were not written to the history')
    }
  }

  return {
    add(endpointId, ends) {
      if (!history.isKept) return
      for (const end of ends) {
        if (waiting.length < MOST_WAITING) waiting.push([endpointId, end])
        else dropped += 1
      }
      timer ??= setTimeout(() => void flush(), FLUSH_EVERY_MS)
    },
    flush,
    [Symbol.asyncDispose]: flush,
  }
}
