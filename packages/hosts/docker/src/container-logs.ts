// Docker's multiplexed log stream → lines. Each frame is one log message, led by its time; a message longer than 16 KiB comes in
// several frames, of which only the last ends with a newline. Only the start of an unfinished line is kept (core `createLineSplitter`), so memory is
// bounded for any output.
import { createLineSplitter, type LineSplitter } from '@runyard/core'
import type { LogLine } from '@runyard/schema'
import { setTimeout as sleep } from 'node:timers/promises'
import type Docker from 'dockerode'
import { statusOf } from './docker-errors.ts'

const HEADER_BYTES = 8
const STDERR = 2
const SPACE = 0x20
/** A time is 30 characters or so. */
const MAX_TIME_BYTES = 64

interface Frame {
  readonly source: LogLine['source']
  /** Bytes of it that are still to come. */
  left: number
  /** Undefined until its time is there. */
  at: number | undefined
}

/** Decodes a stream asked for with `timestamps: true` of a container without a TTY. */
export function createLogDecoder() {
  const splitters: Record<LogLine['source'], LineSplitter> = { stdout: newSplitter(), stderr: newSplitter() }
  /** Of a header or a time that a chunk cut; shorter than MAX_TIME_BYTES. */
  let cut = Buffer.alloc(0)
  let frame: Frame | undefined

  /** Takes one header, time or piece of text off the front; undefined: more bytes are needed. */
  function step(data: Buffer): { readonly rest: Buffer; readonly lines: readonly LogLine[] } | undefined {
    if (frame === undefined) {
      if (data.length < HEADER_BYTES) return undefined
      frame = { source: data.readUInt8(0) === STDERR ? 'stderr' : 'stdout', left: data.readUInt32BE(4), at: undefined }
      return { rest: data.subarray(HEADER_BYTES), lines: [] }
    }
    const own = data.subarray(0, frame.left)
    if (frame.at === undefined) {
      const space = own.subarray(0, MAX_TIME_BYTES).indexOf(SPACE)
      if (space < 0 && own.length < Math.min(frame.left, MAX_TIME_BYTES)) return undefined
      frame.at = parseTime(own.toString('latin1', 0, Math.max(space, 0)))
      return { rest: skip(data, space + 1), lines: [] }
    }
    if (own.length === 0 && frame.left > 0) return undefined
    const { source, at } = frame
    return { rest: skip(data, own.length), lines: splitters[source].push(own, at).map((line) => ({ ...line, source })) }
  }

  function skip(data: Buffer, bytes: number): Buffer {
    if (frame !== undefined) frame.left -= bytes
    if (frame?.left === 0) frame = undefined
    return data.subarray(bytes)
  }

  return {
    push(chunk: Buffer): readonly LogLine[] {
      let data = cut.length === 0 ? chunk : Buffer.concat([cut, chunk])
      const lines: LogLine[] = []
      for (let taken = step(data); taken !== undefined; taken = step(data)) {
        lines.push(...taken.lines)
        data = taken.rest
      }
      cut = Buffer.from(data)
      return lines
    },
    /** What is left when the stream has ended. */
    end: (): readonly LogLine[] =>
      (['stdout', 'stderr'] as const).flatMap((source) => splitters[source].end().map((line) => ({ ...line, source }))),
  }
}

const newSplitter = (): LineSplitter => createLineSplitter(new TextDecoder())

/** `2025-03-04T09:12:44.123456789Z` → epoch ms with the fraction that Date would drop. */
export function parseTime(iso: string): number {
  const match = /^(.*?)(\.\d+)?(Z|[+-]\d\d:\d\d)$/.exec(iso)
  if (match === null) return Date.parse(iso)
  return Date.parse(`${match[1]}${match[3]}`) + Number(match[2] ?? 0) * 1000
}

/** A container's output is read at 20 MiB a second at most: a flood waits in the engine's files, which are bounded. */
const READ_AT_ONCE_BYTES = 2 ** 20
const READ_PAUSE_MS = 50

/** The last lines of a container; none of a removed one. */
export async function tail(container: Docker.Container, lines: number): Promise<readonly LogLine[]> {
  const decoder = createLogDecoder()
  try {
    const output: unknown = await container.logs({ stdout: true, stderr: true, timestamps: true, tail: lines, follow: false })
    return [...(Buffer.isBuffer(output) ? decoder.push(output) : []), ...decoder.end()]
  } catch (error) {
    if (statusOf(error) === 404) return []
    throw error
  }
}

interface Follow {
  readonly sinceMs: number
  readonly onLine: (line: LogLine) => void
  readonly signal: AbortSignal
}

export async function followLogs(container: Docker.Container, { sinceMs, onLine, signal }: Follow): Promise<void> {
  const decoder = createLogDecoder()
  try {
    const stream = await container.logs({
      stdout: true,
      stderr: true,
      timestamps: true,
      follow: true,
      since: sinceMs / 1000,
      abortSignal: signal,
    })
    let left = READ_AT_ONCE_BYTES
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      for (const line of decoder.push(chunk)) onLine(line)
      left -= chunk.length
      if (left > 0) continue
      await sleep(READ_PAUSE_MS, undefined, { signal })
      left = READ_AT_ONCE_BYTES
    }
    for (const line of decoder.end()) onLine(line)
  } catch (error) {
    if (signal.aborted || statusOf(error) === 404) return
    throw error
  }
}
