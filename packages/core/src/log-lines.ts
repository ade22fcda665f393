// Splits a worker's output into lines of bounded length, for every source: container logs, files of the process host, the agent's pipe.
// A line longer than LINE_BYTES is emitted at once as its first LINE_BYTES; a separate line then reports how many more bytes there were.
// Invariants: each byte is read a constant number of times, at most LINE_BYTES are held, and the lines do not depend on how the bytes were
// cut into chunks.

/** The longest line that is kept in full. */
export const LINE_BYTES = 16 * 1024

export interface TimedLine {
  /** Epoch ms of the first byte. */
  readonly at: number
  readonly line: string
}

export type LineSplitter = ReturnType<typeof createLineSplitter>

const NEWLINE = 0x0a
const RETURN = 0x0d
const LONGEST_CHARACTER = 4

interface TextDecoderLike {
  decode(bytes: Uint8Array): string
}

interface Line {
  /** Buffer of the unfinished line. */
  readonly head: Uint8Array
  length: number
  at: number
  /** Number of bytes after the head, which was already emitted; undefined: the line still fits. */
  more: number | undefined
  /** The last byte was a carriage return: either half of a line end, or the line will be overwritten. */
  returned: boolean
}

/**
 * `decoder`: UTF-8, not fatal. As on a terminal, a carriage return restarts the line: of a progress bar, which overwrites itself for hours
 * before its newline arrives, only the latest state is kept.
 */
export function createLineSplitter(decoder: TextDecoderLike) {
  let out: TimedLine[] = []
  const line = createLine(decoder, (ended) => void out.push(ended))
  const take = (): readonly TimedLine[] => {
    const taken = out
    out = []
    return taken
  }
  return {
    push(bytes: Uint8Array, at: number): readonly TimedLine[] {
      let from = 0
      for (let to = bytes.indexOf(NEWLINE); to >= 0; to = bytes.indexOf(NEWLINE, from)) {
        line.feed(bytes.subarray(from, to), at)
        line.close(at)
        from = to + 1
      }
      if (from < bytes.length) line.feed(bytes.subarray(from), at)
      return take()
    },
    /** Returns an unfinished line when the output has ended. */
    end(): readonly TimedLine[] {
      line.end()
      return take()
    },
  }
}

function createLine(decoder: TextDecoderLike, onLine: (line: TimedLine) => void) {
  const line: Line = { head: new Uint8Array(LINE_BYTES), length: 0, at: 0, more: undefined, returned: false }
  const emit = (text: string): void => onLine({ at: line.at, line: text })
  const restart = (): void => void Object.assign(line, { length: 0, more: undefined, returned: false })

  function close(at: number): void {
    if (line.length === 0) line.at = at
    emit(line.more === undefined ? decoder.decode(line.head.subarray(0, line.length)) : bytesMore(line.more))
    restart()
  }

  function append(bytes: Uint8Array, at: number): void {
    if (line.length === 0) line.at = at
    if (line.more !== undefined) {
      line.more += bytes.length
      return
    }
    const fits = bytes.subarray(0, LINE_BYTES - line.length)
    line.head.set(fits, line.length)
    line.length += fits.length
    const next = bytes[fits.length]
    if (next === undefined) return
    const end = endOfCharacters(line.head, next)
    emit(decoder.decode(line.head.subarray(0, end)))
    line.more = LINE_BYTES - end + bytes.length - fits.length
  }

  function startAnew(at: number): void {
    if (line.more !== undefined) close(at)
    restart()
  }

  return {
    close,
    /** A part of the line, without its newline. */
    feed(bytes: Uint8Array, at: number): void {
      for (let from = 0; from < bytes.length;) {
        const found = bytes.indexOf(RETURN, from)
        const to = found < 0 ? bytes.length : found
        if (to > from) {
          if (line.returned) startAnew(at)
          append(bytes.subarray(from, to), at)
        }
        if (found >= 0) line.returned = true
        from = to + 1
      }
    },
    end(): void {
      if (line.length > 0) close(line.at)
      restart()
    },
  }
}

/** The end of the last complete character in a full head, where `next` is the byte after the head. */
function endOfCharacters(head: Uint8Array, next: number): number {
  let end = head.length
  for (let byte: number | undefined = next; isContinuation(byte) && end > head.length - LONGEST_CHARACTER; byte = head[end]) end -= 1
  return end
}

const isContinuation = (byte: number | undefined): boolean => byte !== undefined && (byte & 0xc0) === 0x80

export function bytesMore(bytes: number): string {
  return `… ${bytes} bytes more`
}

/** Cuts a line that is already text, e.g. one that we wrote ourselves, like the others. */
export function toLine(text: string): string {
  // A UTF-16 unit has at most three bytes in UTF-8, so most lines need no exact count.
  if (text.length * 3 <= LINE_BYTES) return text
  const head = text.slice(0, LINE_BYTES)
  const isSplit = isHighSurrogate(head.charCodeAt(head.length - 1)) && text.length > head.length
  const kept = isSplit ? head.slice(0, -1) : head
  return kept.length === text.length ? text : `${kept}… ${text.length - kept.length} characters more`
}

const isHighSurrogate = (unit: number): boolean => unit >= 0xd800 && unit <= 0xdbff

/**
 * The time of a line as clients read it: 1764000000000.5 → 2025-11-24T16:00:00.000500Z. Clients drop lines by comparing these times, so whole seconds
 * would lose some (sdk2-api §3.3).
 */
export function toTimestamp(epochMs: number): string {
  const wholeMs = Math.floor(epochMs)
  const micros = Math.round((epochMs - wholeMs) * 1000)
  return new Date(wholeMs).toISOString().replace('Z', `${String(Math.min(micros, 999)).padStart(3, '0')}Z`)
}
