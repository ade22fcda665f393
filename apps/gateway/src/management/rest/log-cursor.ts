// The position of a reader of a worker's log: the number of lines it has read, and the time of the last one. Written into the SSE id as
// `<time>/<number>`; resuming is exclusive (management §3.4). The number finds new lines without a search. The time is used if the log
// was started again after a loss of Redis.
export interface LoggedLine {
  readonly at: number
  readonly line: string
  /** Of all lines that the log ever had, from 1. */
  readonly number: number
}

export interface LogCursor {
  readonly at: number
  readonly number: number
}

export function cursorOf({ at, number }: LoggedLine): LogCursor {
  return { at, number }
}

/** What of the lines behind the cursor's number is new; `ever`: how many lines there ever were. */
export function linesAfter(lines: readonly LoggedLine[], ever: number, cursor: LogCursor): readonly LoggedLine[] {
  return ever >= cursor.number ? lines : lines.filter(({ at }) => at > cursor.at)
}

export function formatCursor({ at, number }: LogCursor): string {
  return `${at}/${number}`
}

/** Undefined for an id that we never gave out. */
export function parseCursor(text: string): LogCursor | undefined {
  const match = /^(\d{1,16}(?:\.\d{1,20})?)\/(\d{1,15})$/u.exec(text)
  return match === null ? undefined : { at: Number(match[1]), number: Number(match[2]) }
}
