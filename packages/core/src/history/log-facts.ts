// What a line of a worker's log says beside its text: its level, and the job that it belongs to. Neither is guessed: without a sign there is none.
import type { EndpointEvent } from '@runyard/schema'

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const
export type LogLevel = (typeof LOG_LEVELS)[number]

const WORDS: Readonly<Record<string, LogLevel>> = {
  trace: 'debug',
  debug: 'debug',
  info: 'info',
  notice: 'info',
  warn: 'warn',
  warning: 'warn',
  error: 'error',
  critical: 'error',
  fatal: 'error',
}
/** In upper case near the beginning, else in lower case between brackets or before a colon. */
const SIGNS = [
  /(?:^|[^A-Za-z])(TRACE|DEBUG|INFO|NOTICE|WARN|WARNING|ERROR|CRITICAL|FATAL)(?![A-Za-z])/u,
  /\[(trace|debug|info|notice|warn|warning|error|critical|fatal)\]/u,
  /^(debug|info|warning|error|critical|fatal):/u,
]
const NEAR = 80
const MEMBER = /"(?:level|levelname|severity|lvl)"\s*:\s*"?([A-Za-z]+|\d+)/u

/** Undefined where the line does not say. Lines of Python tracebacks and exceptions are errors. */
export function levelOf(line: string): LogLevel | undefined {
  if (line.startsWith('{')) return wordOrNumber(MEMBER.exec(line)?.[1])
  if (/^Traceback \(most recent call last\)|^\w*(?:Error|Exception)(?::|$)/u.test(line)) return 'error'
  const head = line.slice(0, NEAR)
  return SIGNS.map((sign) => WORDS[sign.exec(head)?.[1]?.toLowerCase() ?? '']).find((level) => level !== undefined)
}

/** pino and bunyan write 10 to 60. */
function wordOrNumber(text: string | undefined): LogLevel | undefined {
  if (text === undefined) return undefined
  const number = Number(text)
  if (Number.isNaN(number)) return WORDS[text.toLowerCase()]
  if (number >= 50) return 'error'
  if (number >= 40) return 'warn'
  return number >= 30 ? 'info' : 'debug'
}

interface TimedText {
  readonly at: number
  readonly line: string
}

/** When a worker had a job. */
export interface JobSpan {
  readonly jobId: string
  readonly from: number
  /** Infinity: it still has it. */
  readonly to: number
}

export interface WorkerSpan extends JobSpan {
  readonly workerId: string
}

/** The last lines of a job are read from its worker's pipe while its result is already under way. */
const LATE_MS = 100

/** The job that the worker had at that time, or had until a moment ago; undefined where it had none or several. */
export function jobAt(spans: readonly JobSpan[], at: number): string | undefined {
  const during = spans.filter(({ from, to }) => from <= at && at <= to)
  const [only, second] = new Set(
    (during.length > 0 ? during : spans.filter(({ to }) => to < at && at <= to + LATE_MS)).map(({ jobId }) => jobId),
  )
  return second === undefined ? only : undefined
}

/** Runpod's SDK names the job in its own lines, e.g. `{"requestId": "…", "message": "Finished.", "level": "INFO"}`. */
export function jobNamedIn(line: string): string | undefined {
  return /"requestId": ?"([^"]+)"/u.exec(line)?.[1]
}

/** The job of a line: the one that it names, else the one of its time. */
export function jobOfLine(spans: readonly JobSpan[], { at, line }: TimedText): string | undefined {
  const named = jobNamedIn(line)
  return spans.some(({ jobId }) => jobId === named) ? named : jobAt(spans, at)
}

type JobEvent = Pick<EndpointEvent, 'at' | 'kind' | 'jobId' | 'workerId' | 'message'>

/** Attempts whose start and end are among the events of an endpoint. Those that go on have leases. */
export function endedAttempts(events: readonly JobEvent[]): readonly WorkerSpan[] {
  const open = new Map<string, WorkerSpan>()
  return events
    .toSorted((a, b) => a.at - b.at)
    .flatMap(({ kind, jobId = '', workerId, at, message }) => {
      // With a message it reports that the function was entered.
      if (kind === 'job_started' && message === undefined && workerId !== undefined) open.set(jobId, { jobId, workerId, from: at, to: at })
      const attempt = open.get(jobId)
      if (attempt === undefined || (kind !== 'job_requeued' && kind !== 'job_settled')) return []
      open.delete(jobId)
      return [{ ...attempt, to: at }]
    })
}

/**
 * Where all lines of one stream have one time, that of their file: those that were read before get the times of that. `read`: what has been read so far,
 * of all streams; it may end before the last line. E.g. `b c d` after `a b x c`: `b` and `c` have been read.
 */
export function withReadTimes<T extends TimedText>(lines: readonly T[], read: readonly TimedText[]): readonly T[] {
  if (lines.some(({ at }) => at !== lines[0]?.at)) return lines
  for (let known = lines.length; known > 0; known -= 1) {
    const times = timesOf(lines.slice(0, known), read)
    if (times !== undefined) return lines.map((line, index) => ({ ...line, at: times[index] ?? line.at }))
  }
  return lines
}

/** The latest ones at which these lines were read in this order; undefined: they were not. */
function timesOf(lines: readonly TimedText[], read: readonly TimedText[]): readonly number[] | undefined {
  const times: number[] = []
  let before = read.length
  for (const { line } of lines.toReversed()) {
    before = read.slice(0, before).findLastIndex((one) => one.line === line)
    const found = read[before]
    if (found === undefined) return undefined
    times.unshift(found.at)
  }
  return times
}
