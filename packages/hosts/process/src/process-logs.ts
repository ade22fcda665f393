// Reads the logs that workers write directly to disk, so that they outlive the scaler. The lines have no time: a line that is read while following gets
// the time of the read; an older one gets the time of its file's last change.
import { open, stat } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { createLineSplitter, type TimedLine } from '@runyard/core'
import type { LogLine } from '@runyard/schema'
import { LOG_SOURCES } from './worker-files.ts'

const TAIL_BYTES = 2 ** 20
const READ_BYTES = 2 ** 18
/** What one look takes of a log: a worker that prints more is read later, and its log is emptied before it grows for long. */
const READ_AT_ONCE_BYTES = 2 ** 20
const POLL_MS = 100

type PathOf = (source: LogLine['source']) => string

const changedAt = (path: string): Promise<{ at: number; size: number }> =>
  stat(path).then(
    (info) => ({ at: Math.floor(info.mtimeMs), size: info.size }),
    () => ({ at: 0, size: 0 }),
  )

async function readFrom(path: string, { offset, bytes }: { offset: number; bytes: number }): Promise<Buffer> {
  const file = await open(path, 'r').catch(() => undefined)
  if (file === undefined) return Buffer.alloc(0)
  try {
    const length = Math.min(READ_BYTES, bytes)
    const { buffer, bytesRead } = await file.read(Buffer.allocUnsafe(length), 0, length, offset)
    return buffer.subarray(0, bytesRead)
  } finally {
    await file.close()
  }
}

/** The last lines of both logs; that which changed last comes last. */
export async function tailProcessLogs(pathOf: PathOf, lines: number): Promise<readonly LogLine[]> {
  const perSource = await Promise.all(
    LOG_SOURCES.map(async (source) => {
      const { at, size } = await changedAt(pathOf(source))
      const reader = createReader(pathOf(source), Math.max(0, size - TAIL_BYTES))
      const found = [...(await reader.drain(at)), ...reader.rest()]
      return { at, found: found.slice(-lines).map(({ line }): LogLine => ({ at, source, line })) }
    }),
  )
  return perSource
    .toSorted((one, other) => one.at - other.at)
    .flatMap(({ found }) => found)
    .slice(-lines)
}

interface Follow {
  readonly sinceMs: number
  readonly onLine: (line: LogLine) => void
  readonly signal: AbortSignal
  /** Asked before each read: what is read after a "no" is the end. */
  readonly isAlive: () => boolean
}

export async function followProcessLogs(pathOf: PathOf, { sinceMs, onLine, signal, isAlive }: Follow): Promise<void> {
  const readers = await Promise.all(
    LOG_SOURCES.map(async (source) => {
      const { at, size } = await changedAt(pathOf(source))
      return { source, oldAt: at, oldUntil: size, reader: createReader(pathOf(source), at < sinceMs ? size : 0) }
    }),
  )
  for (let alive = true, behind = false; (alive || behind) && !signal.aborted;) {
    alive = isAlive()
    for (const { source, oldAt, oldUntil, reader } of readers) {
      const lines = await readNext(reader, { at: reader.offset() < oldUntil ? oldAt : Date.now(), alive })
      if (signal.aborted) return
      for (const line of lines) onLine({ ...line, source })
    }
    behind = readers.some(({ reader }) => reader.isBehind())
    if (alive || behind) await sleep(POLL_MS, undefined, { signal }).catch(() => undefined)
  }
}

async function readNext(reader: Reader, { at, alive }: { at: number; alive: boolean }): Promise<readonly TimedLine[]> {
  const lines = await reader.drain(at)
  return alive || reader.isBehind() ? lines : [...lines, ...reader.rest()]
}

type Reader = ReturnType<typeof createReader>

function createReader(path: string, start: number) {
  let offset = start
  let seen = start
  const splitter = createLineSplitter(new TextDecoder())
  return {
    offset: (): number => offset,
    /** The last look left something unread. */
    isBehind: (): boolean => offset < seen,
    /** The next complete lines, of at most READ_AT_ONCE_BYTES, with the time `at`. */
    async drain(at: number): Promise<readonly TimedLine[]> {
      const { size } = await changedAt(path)
      // It was cut: what follows is new from the start.
      if (size < offset) offset = 0
      seen = size
      const lines: TimedLine[] = []
      // Most looks find nothing new: they cost one stat.
      for (const end = Math.min(size, offset + READ_AT_ONCE_BYTES); offset < end;) {
        const chunk = await readFrom(path, { offset, bytes: end - offset })
        if (chunk.length === 0) break
        offset += chunk.length
        lines.push(...splitter.push(chunk, at))
      }
      return lines
    },
    /** An unfinished last line. */
    rest: (): readonly TimedLine[] => splitter.end(),
  }
}
