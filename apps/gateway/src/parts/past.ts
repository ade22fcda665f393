// The history for who reads much of it: unpacked once and kept in memory, within bytes. One for all callers, so what it returns is of all owners.
import { buildJobColumns, buildReadingColumns, type JobColumns, type ReadingColumns } from '@runyard/core'
import { WorkerLife } from '@runyard/schema'
import type { HistoryStore } from '@runyard/store'
import { createHistoryBlocks, type HistoryBlocks } from './history-blocks.ts'

const MIB = 1024 * 1024
/** Lives that are read for one answer. */
const MOST_LIVES = 5000
/** By then the life of a worker is written, even if clearing it away was interrupted. */
const LIFE_SETTLED_MS = 180_000

type PastStore = Pick<HistoryStore, 'chunks' | 'ends' | 'lives'>

export interface Past {
  readonly jobs: HistoryBlocks<JobColumns>
  readonly samples: HistoryBlocks<ReadingColumns>
  readonly sampleMinutes: HistoryBlocks<ReadingColumns>
  /** Of workers that were gone in the range, latest first. */
  lives(range: Parameters<HistoryBlocks<JobColumns>['read']>[0]): Promise<readonly WorkerLife[]>
}

/** A million jobs weigh some 55 MiB, the minutes of 64 cards over a week 15 MiB. */
export function openPast(history: PastStore): Past {
  const readings = { history, build: buildReadingColumns }
  return {
    jobs: createHistoryBlocks({ history, kind: 'jobs', build: buildJobColumns, mostBytes: 64 * MIB }),
    samples: createHistoryBlocks({ ...readings, kind: 'samples', mostBytes: 4 * MIB }),
    sampleMinutes: createHistoryBlocks({ ...readings, kind: 'sampleMinutes', mostBytes: 16 * MIB }),
    lives: createLifeReader(history),
  }
}

interface ReadLife {
  readonly at: number
  /** None where it cannot be read. */
  readonly life: readonly WorkerLife[]
}

/** Reading and parsing thousands takes longer than finding them, so each is kept that ended a while ago. A life is written again only with another end, or at once. */
function createLifeReader(history: PastStore): Past['lives'] {
  let known: ReadonlyMap<string, ReadLife> = new Map()
  return async ({ from, to }) => {
    const ends = await history.ends({ from, to, count: MOST_LIVES })
    const before = known
    const settledAt = Date.now() - LIFE_SETTLED_MS
    const missing = ends.filter(({ id, at }) => at > settledAt || before.get(id)?.at !== at)
    const texts = await history.lives(missing.map(({ id }) => id))
    const read = new Map(missing.map(({ id, at }, index): [string, ReadLife] => [id, { at, life: parseLife(texts[index]) }]))
    const settled = [...read].filter(([, { at, life }]) => at <= settledAt && life.length > 0)
    if (settled.length > 0) known = new Map([...(known.size > MOST_LIVES ? [] : known), ...settled])
    return ends.flatMap(({ id }) => (read.get(id) ?? before.get(id))?.life ?? [])
  }
}

/** None where a later release wrote it in another form, or where it is gone by now. */
function parseLife(text: string | undefined): readonly WorkerLife[] {
  const life = WorkerLife.safeParse(text === undefined ? undefined : JSON.parse(text))
  return life.success ? [life.data] : []
}
