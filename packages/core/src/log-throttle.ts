// What a process prints, byte for byte and at once, but no more than the gate lets through and no line longer than LINE_BYTES. For the one who
// writes output on (the agent), where `createLineSplitter` serves the one who reads it: unfinished lines and progress bars pass as they come.
import { bytesMore, LINE_BYTES } from './log-lines.ts'
import type { LogGate } from './log-pace.ts'

export interface LogThrottle {
  /** What of the bytes goes on, in order; texts are lines of our own. */
  push(bytes: Uint8Array, now: number): readonly (Uint8Array | string)[]
  /** What is to be reported although nothing more came. */
  report(now: number): readonly string[]
}

const NEWLINE = 0x0a
const RETURN = 0x0d

interface Line {
  /** Bytes of it so far. */
  length: number
  /** Undefined at its start. */
  passes: boolean | undefined
}

export function createLogThrottle(gate: LogGate): LogThrottle {
  const line: Line = { length: 0, passes: undefined }

  const report = (now: number): readonly string[] => {
    const text = gate.report(now)
    return text === undefined ? [] : [`${text}\n`]
  }

  /** A part of one line; a carriage return or a newline ends it. */
  function take(part: Uint8Array, now: number): readonly (Uint8Array | string)[] {
    const room = Math.max(0, LINE_BYTES - line.length)
    const fits = part.subarray(0, room)
    const isFirst = line.passes === undefined
    line.passes ??= gate.admits(fits.length, now)
    line.length += part.length
    if (!line.passes) {
      gate.drop(isFirst ? part.length - fits.length : part.length, 0)
      return []
    }
    if (!isFirst) gate.charge(fits.length, now)
    return [...(isFirst ? report(now) : []), ...(fits.length === 0 ? [] : [fits])]
  }

  function end(last: number): readonly string[] {
    const { passes } = line
    const more = line.length - 1 - LINE_BYTES
    Object.assign(line, { length: 0, passes: undefined })
    if (passes !== true || more < 0) return []
    const mark = last === NEWLINE ? '\n' : '\r'
    return [more === 0 ? mark : `\n${bytesMore(more)}${mark}`]
  }

  return {
    report,
    push(bytes, now) {
      const out: (Uint8Array | string)[] = []
      let from = 0
      for (let to = nextEnd(bytes, from); to >= 0; to = nextEnd(bytes, from)) {
        out.push(...take(bytes.subarray(from, to + 1), now), ...end(bytes[to] ?? NEWLINE))
        from = to + 1
      }
      if (from < bytes.length) out.push(...take(bytes.subarray(from), now))
      return out
    },
  }
}

function nextEnd(bytes: Uint8Array, from: number): number {
  for (let at = from; at < bytes.length; at += 1) if (bytes[at] === NEWLINE || bytes[at] === RETURN) return at
  return -1
}
