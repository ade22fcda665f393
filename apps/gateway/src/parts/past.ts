// The history for who reads much of it: unpacked once and kept in memory, within bytes. One for all callers, so what it returns is of all owners.
import { buildJobColumns, buildReadingColumns, type JobColumns, type ReadingColumns } from '@runyard/core'
import { WorkerLife } from '@runyard/schema'
import type { HistoryStore } from '@runyard/store'
import { createHistoryBlocks, type HistoryBlocks } from './history-blocks.ts'

const MIB = 1024 * 1024
/** Lives that are read for one answer. */
const MOST_LIVES = 5000

type Range = Parameters<HistoryBlocks<JobColumns>['read']>[0]
type PastStore = Pick<HistoryStore, 'chunks' | 'lives'>

export interface Past {
  readonly jobs: HistoryBlocks<JobColumns>
  readonly samples: HistoryBlocks<ReadingColumns>
  readonly sampleMinutes: HistoryBlocks<ReadingColumns>
  /** Of workers that were gone in the range, latest first. */
  lives(range: Range): Promise<readonly WorkerLife[]>
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

/** Parsing thousands takes longer than reading them. */
function createLifeReader(history: PastStore): Past['lives'] {
  let parsed = new Map<string, readonly WorkerLife[]>()
  return async ({ from, to }) => {
    const texts = await history.lives({ from, to, count: MOST_LIVES })
    const found = texts.map((text) => [text, parsed.get(text) ?? parseLife(text)] as const)
    if (parsed.size > MOST_LIVES) parsed = new Map()
    for (const [text, life] of found) parsed.set(text, life)
    return found.flatMap(([, life]) => life)
  }
}

/** None where a later release wrote it in another form. */
function parseLife(text: string): readonly WorkerLife[] {
  const life = WorkerLife.safeParse(JSON.parse(text))
  return life.success ? [life.data] : []
}
