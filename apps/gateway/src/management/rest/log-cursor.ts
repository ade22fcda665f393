// Where a reader of a worker's log stands, so that it gets each line once: the time of the last line it got, and how many lines with
// that very time it has had. Written into the SSE id as `<time>/<count>`; resuming is exclusive (management §3.4).
export interface LoggedLine {
  readonly at: number
  readonly line: string
}

export interface LogCursor {
  readonly at: number
  readonly count: number
}

export const LOG_START: LogCursor = { at: Number.NEGATIVE_INFINITY, count: 0 }

/** Everything from `at` on, lines of that very moment included. */
export function cursorSince(at: number): LogCursor {
  return { at, count: 0 }
}

/** The lines that lie behind the cursor, each with the cursor after it. Lines are in order of time. */
export function linesAfter(lines: readonly LoggedLine[], cursor: LogCursor): readonly { line: LoggedLine; cursor: LogCursor }[] {
  const counts = new Map<number, number>()
  return lines.flatMap((line) => {
    const count = (counts.get(line.at) ?? 0) + 1
    counts.set(line.at, count)
    const isNew = line.at > cursor.at || (line.at === cursor.at && count > cursor.count)
    return isNew ? [{ line, cursor: { at: line.at, count } }] : []
  })
}

export function formatCursor({ at, count }: LogCursor): string {
  return `${at}/${count}`
}

/** Undefined for an id that we never gave out. */
export function parseCursor(text: string): LogCursor | undefined {
  const match = /^(\d+(?:\.\d+)?)\/(\d+)$/u.exec(text)
  return match === null ? undefined : { at: Number(match[1]), count: Number(match[2]) }
}
