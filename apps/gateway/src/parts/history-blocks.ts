// The history by blocks of ten minutes, unpacked into columns and kept in memory once nothing can be added to them, so that only the last minutes are read
// from Redis again. Streams only grow at their end, and writers replace no chunk that is older than a minute (ADR 79). What Redis has dropped, or lost, is
// not answered from memory.
import type { HistoryStore, StreamKind } from '@runyard/store'
import { nextTurn } from '../http/turns.ts'

/** The chunk of a job may be this much later than its end. */
export const CHUNK_LAG_MS = 90_000
const BLOCK_MS = 600_000
const SETTLED_MS = 2 * CHUNK_LAG_MS
/** Blocks that are asked for before they are needed. */
const AHEAD = 8
/** Some ten milliseconds of the event loop. */
const CHUNKS_AT_ONCE = 32
/** What an empty one weighs in memory. */
const ENTRY_BYTES = 2000

export interface Columns {
  /** What they hold, about. */
  readonly bytes: number
}

interface Builder<T> {
  addChunk(chunk: Uint8Array): void
  finish(): T
}

interface Range {
  readonly from: number
  readonly to: number
}

export interface HistoryBlocks<T extends Columns> {
  /**
   * Blocks with all chunks from one time to another, newest first, and more around them. No later block has a chunk as late as `from`. Begins to read at
   * once, not when the first one is asked for.
   */
  read(range: Range): AsyncGenerator<T & { readonly from: number }>
}

export interface BlocksOptions<T extends Columns> {
  readonly history: Pick<HistoryStore, 'chunks'>
  readonly kind: StreamKind
  readonly build: () => Builder<T>
  readonly mostBytes: number
}

export function createHistoryBlocks<T extends Columns>(options: BlocksOptions<T>): HistoryBlocks<T> {
  const { history, kind, mostBytes } = options
  const memory = createMemory(mostBytes, (start) => readChunks(options, start, start + BLOCK_MS - 1))
  let newestSeen = 0

  /** When the first and the last chunk were written that there are. Forgets what is before them, or after them. */
  async function ends(): Promise<{ readonly oldest: number; readonly newest: number } | undefined> {
    const one = { from: 0, to: Number.MAX_SAFE_INTEGER, count: 1 }
    const [[oldest], [newest]] = await Promise.all([history.chunks(kind, one), history.chunks(kind, { ...one, newestFirst: true })])
    const isOther = newest === undefined || newest.at < newestSeen
    newestSeen = newest?.at ?? 0
    // A store that was emptied or restored has nothing of before. Else the block that lost its first chunks is read again.
    memory.forgetBefore(isOther ? Infinity : (oldest?.at ?? Infinity))
    return oldest && newest && { oldest: oldest.at, newest: newest.at }
  }

  async function readOpen({ from, to }: Range) {
    const known = await ends()
    if (known === undefined) return undefined
    const openFrom = blockOf(known.newest - SETTLED_MS)
    const open = Math.max(from, openFrom)
    return { ...known, openFrom, block: to < openFrom ? undefined : { ...(await readChunks(options, open, to)), from: open } }
  }

  async function* readAll({ from, to }: Range, opened: ReturnType<typeof readOpen>) {
    const known = await opened
    if (known === undefined) return
    if (known.block !== undefined) yield known.block
    const starts = blocksBack(Math.min(to + 1, known.openFrom), Math.max(from, known.oldest))
    try {
      for (const [index, start] of starts.entries()) {
        for (const ahead of starts.slice(index, index + AHEAD)) void memory.load(ahead)
        yield { ...(await memory.load(start)), from: start }
      }
    } finally {
      memory.makeRoom(starts)
    }
  }

  return {
    read(range) {
      const opened = readOpen(range)
      // Who never asks for the first one does not hear of it.
      opened.catch(() => undefined)
      return readAll(range, opened)
    },
  }
}

async function readChunks<T extends Columns>({ history, kind, build }: BlocksOptions<T>, from: number, to: number): Promise<T> {
  const builder = build()
  let after: string | undefined
  for (;;) {
    const chunks = await history.chunks(kind, { from, to, after, count: CHUNKS_AT_ONCE })
    for (const { bytes } of chunks) builder.addChunk(bytes)
    if (chunks.length < CHUNKS_AT_ONCE) return builder.finish()
    after = chunks.at(-1)?.id
    await nextTurn()
  }
}

interface Kept<T> {
  readonly block: Promise<T>
  /** Not known before it is read. */
  bytes: number
}

function createMemory<T extends Columns>(mostBytes: number, read: (start: number) => Promise<T>) {
  /** By their begin; those last asked for last. */
  const kept = new Map<number, Kept<T>>()
  return {
    load(start: number): Promise<T> {
      const known = kept.get(start)
      const entry = known ?? { block: read(start), bytes: 0 }
      kept.delete(start)
      kept.set(start, entry)
      if (known !== undefined) return entry.block
      entry.block.then(
        ({ bytes }) => (entry.bytes = bytes + ENTRY_BYTES),
        () => kept.get(start) === entry && kept.delete(start),
      )
      return entry.block
    },

    forgetBefore(at: number): void {
      for (const start of kept.keys()) if (start < at) kept.delete(start)
    },

    /** What the reader did not ask for goes first, then its oldest: else a range that is larger than the memory would find nothing again. */
    makeRoom(asked: readonly number[]): void {
      let total = [...kept.values()].reduce((sum, { bytes }) => sum + bytes, 0)
      const own = new Set(asked)
      for (const start of [...[...kept.keys()].filter((one) => !own.has(one)), ...asked.toReversed()]) {
        if (total <= mostBytes) return
        total -= kept.get(start)?.bytes ?? 0
        kept.delete(start)
      }
    },
  }
}

const blockOf = (at: number): number => Math.floor(at / BLOCK_MS) * BLOCK_MS

/** The begins of the blocks from `from` on that begin before `to`, newest first. */
function blocksBack(to: number, from: number): readonly number[] {
  const starts: number[] = []
  for (let start = blockOf(to - 1); start + BLOCK_MS > from; start -= BLOCK_MS) starts.push(start)
  return starts
}
