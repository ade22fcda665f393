// Forwards a process's output byte for byte and at once, limited by the gate and to LINE_BYTES per line. For the agent, which forwards output;
// `createLineSplitter` is for code that reads it. Unfinished lines and progress bars pass without delay.
import { bytesMore, LINE_BYTES } from './log-lines.ts'
import type { LogGate } from './log-pace.ts'

const NEWLINE = 0x0a
const RETURN = 0x0d

interface Line {
  /** Bytes of it so far. */
  length: number
  /** Undefined at the start of the line. */
  passes: boolean | undefined
}

export function createLogThrottle(gate: LogGate) {
  const line: Line = { length: 0, passes: undefined }

  /** Reports that are due although no further output arrived. */
  const report = (now: number): readonly string[] => {
    const text = gate.report(now)
    return text === undefined ? [] : [`${text}\n`]
  }

  /** Takes a part of one line; a carriage return or a newline ends the line. */
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

  function end(last: number | undefined): readonly string[] {
    const { passes } = line
    const more = line.length - 1 - LINE_BYTES
    Object.assign(line, { length: 0, passes: undefined })
    if (passes !== true || more < 0) return []
    const mark = last === NEWLINE ? '\n' : '\r'
    return [more === 0 ? mark : `\n${bytesMore(more)}${mark}`]
  }

  return {
    report,
    /** The output to forward, in order. Strings are report lines of the throttle itself. */
    push(bytes: Uint8Array, now: number): readonly (Uint8Array | string)[] {
      const out: (Uint8Array | string)[] = []
      let from = 0
      for (let to = nextEnd(bytes, from); to >= 0; to = nextEnd(bytes, from)) {
        out.push(...take(bytes.subarray(from, to + 1), now), ...end(bytes[to]))
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
