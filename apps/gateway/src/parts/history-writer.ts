// Hands ended jobs to the history (ADR 79) outside of the hot path: they are collected and packed once a second. For a minute, or up to 250 jobs, they are
// added to the same chunk, which is written again with them: texts that repeat then weigh little. The history is for people: what cannot be written is
// dropped and logged, and never delays or costs a job.
import { toKeptEnds, type JobEnd } from '@runyard/core'
import type { Logger } from '@runyard/kit'
import type { HistoryStore, OpenChunk } from '@runyard/store'

const FLUSH_EVERY_MS = 1000
/** Of one chunk; packing it takes about a millisecond. */
const AT_ONCE = 250
/** Shorter than readers expect a chunk to be late (`CHUNK_LAG_MS`). */
const OPEN_MS = 60_000
/** More than a gateway ends in several seconds. */
const MOST_WAITING = 20_000

export type HistoryWriter = ReturnType<typeof createHistoryWriter>

export function createHistoryWriter({ history, log }: { readonly history: HistoryStore; readonly log: Logger }) {
  let waiting: (readonly [string, JobEnd])[] = []
  let dropped = 0
  let timer: NodeJS.Timeout | undefined
  let open: { readonly since: number; readonly chunk: OpenChunk } | undefined
  let writing = Promise.resolve()

  async function write(taken: typeof waiting): Promise<void> {
    for (let from = 0; from < taken.length; from += AT_ONCE) {
      const { jobs, texts } = toKeptEnds(taken.slice(from, from + AT_ONCE))
      const isOpen = open !== undefined && open.chunk.jobs.length + jobs.length <= AT_ONCE && Date.now() - open.since < OPEN_MS
      const since = isOpen ? (open?.since ?? 0) : Date.now()
      const chunk = await history.addJobs(jobs, texts, isOpen ? open?.chunk : undefined)
      open = chunk && { since, chunk }
    }
  }

  async function flush(): Promise<void> {
    clearTimeout(timer)
    timer = undefined
    const taken = waiting
    waiting = []
    if (dropped > 0) log.warn({ jobs: dropped }, 'some ended jobs are not in the history')
    dropped = 0
    writing = writing
      .then(() => write(taken))
      .catch((error: unknown) => {
        open = undefined
        log.warn({ err: error, jobs: taken.length }, 'ended jobs were not written to the history')
      })
    await writing
  }

  return {
    add(endpointId: string, ends: readonly JobEnd[]) {
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
