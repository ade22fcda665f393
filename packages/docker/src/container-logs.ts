// Docker's multiplexed log stream → lines. Each frame is one log message, led by its time; a message longer than 16 KiB comes in
// several frames, of which only the last ends with a newline. Anything cut off at the end is given as a line of its own. Of a progress bar,
// which writes over itself for hours before its newline comes, only the latest state is kept.
import type { LogLine } from '@runyard/schema'

const HEADER_BYTES = 8
const STDERR = 2

export interface LogDecoder {
  push(chunk: Buffer): readonly LogLine[]
  /** What is left when the stream has ended. */
  end(): readonly LogLine[]
}

interface Partial {
  at: number
  text: string
}

/** Decodes a stream asked for with `timestamps: true` of a container without a TTY. */
export function createLogDecoder(): LogDecoder {
  let buffer = Buffer.alloc(0)
  const partial: Record<LogLine['source'], Partial | undefined> = { stdout: undefined, stderr: undefined }

  function takeFrame(): readonly LogLine[] | undefined {
    if (buffer.length < HEADER_BYTES) return undefined
    const end = HEADER_BYTES + buffer.readUInt32BE(4)
    if (buffer.length < end) return undefined
    const source = buffer.readUInt8(0) === STDERR ? 'stderr' : 'stdout'
    const { at, text } = splitTime(buffer.subarray(HEADER_BYTES, end).toString('utf8'))
    buffer = buffer.subarray(end)
    const line = { at: partial[source]?.at ?? at, text: (partial[source]?.text ?? '') + text }
    const complete = line.text.endsWith('\n')
    partial[source] = complete ? undefined : { at: line.at, text: latestOf(line.text) }
    return complete ? [{ at: line.at, source, line: asShown(line.text) }] : []
  }

  return {
    push(chunk) {
      buffer = Buffer.concat([buffer, chunk])
      const lines: LogLine[] = []
      for (let frame = takeFrame(); frame !== undefined; frame = takeFrame()) lines.push(...frame)
      return lines
    },
    end() {
      const rest = (['stdout', 'stderr'] as const).flatMap((source) => {
        const left = partial[source]
        partial[source] = undefined
        return left === undefined ? [] : [{ at: left.at, source, line: asShown(left.text) }]
      })
      return rest
    },
  }
}

/** A carriage return at its very end may be half of the line's end. */
function latestOf(text: string): string {
  return text.slice(Math.max(0, text.lastIndexOf('\r', text.length - 2)))
}

/** What a terminal shows of a line: what follows its last carriage return. */
function asShown(text: string): string {
  const line = text.replace(/[\r\n]+$/, '')
  return line.slice(line.lastIndexOf('\r') + 1)
}

function splitTime(message: string): Partial {
  const space = message.indexOf(' ')
  return { at: parseTime(message.slice(0, space)), text: message.slice(space + 1) }
}

/** `2025-03-04T09:12:44.123456789Z` → epoch ms with the fraction that Date would drop. */
export function parseTime(iso: string): number {
  const match = /^(.*?)(\.\d+)?(Z|[+-]\d\d:\d\d)$/.exec(iso)
  if (match === null) return Date.parse(iso)
  return Date.parse(`${match[1]}${match[3]}`) + Number(match[2] ?? 0) * 1000
}
