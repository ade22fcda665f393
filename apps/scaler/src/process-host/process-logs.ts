// Reads the logs that workers write straight to disk, so that they outlive the scaler. The price: a line carries no time of its own.
// A line seen while following bears the time at which it was seen; one that was there before bears its file's last change.
import { open, stat } from 'node:fs/promises'
import { StringDecoder } from 'node:string_decoder'
import { setTimeout as sleep } from 'node:timers/promises'
import type { LogLine } from '@runyard/schema'
import { LOG_SOURCES } from './worker-files.ts'

const TAIL_BYTES = 2 ** 20
const READ_BYTES = 2 ** 18
const POLL_MS = 100

type PathOf = (source: LogLine['source']) => string

const changedAt = (path: string): Promise<{ at: number; size: number }> =>
  stat(path).then(
    (info) => ({ at: info.mtimeMs, size: info.size }),
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
      const texts = [...(await reader.drain()), ...reader.rest()]
      return { at, found: texts.slice(-lines).map((line): LogLine => ({ at, source, line })) }
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
  for (let alive = true; alive && !signal.aborted;) {
    alive = isAlive()
    for (const { source, oldAt, oldUntil, reader } of readers) {
      const old = reader.offset() < oldUntil
      const texts = [...(await reader.drain()), ...(alive ? [] : reader.rest())]
      if (signal.aborted) return
      const at = old ? oldAt : Date.now()
      for (const line of texts) onLine({ at, source, line })
    }
    if (alive) await sleep(POLL_MS, undefined, { signal }).catch(() => undefined)
  }
}

interface Reader {
  offset(): number
  /** All complete lines up to the present end. */
  drain(): Promise<readonly string[]>
  /** An unfinished last line. */
  rest(): readonly string[]
}

function createReader(path: string, start: number): Reader {
  let offset = start
  let decoder = new StringDecoder('utf8')
  let unfinished = ''
  return {
    offset: () => offset,
    async drain() {
      const { size } = await changedAt(path)
      // It was cut: what follows is new from the start.
      if (size < offset) offset = 0
      // Most looks find nothing new: they cost one stat.
      while (offset < size) {
        const chunk = await readFrom(path, { offset, bytes: size - offset })
        if (chunk.length === 0) break
        offset += chunk.length
        unfinished += decoder.write(chunk)
      }
      const lines = unfinished.split('\n')
      unfinished = lines.pop() ?? ''
      return lines.map((line) => line.replace(/\r$/, ''))
    },
    rest() {
      const line = unfinished + decoder.end()
      unfinished = ''
      decoder = new StringDecoder('utf8')
      return line === '' ? [] : [line]
    },
  }
}
