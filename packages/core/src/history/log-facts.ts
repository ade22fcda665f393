// What a line of a worker's log says beside its text: its level, and the job that it belongs to. Neither is guessed: without a sign there is none.

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

/** When a worker had a job. */
export interface JobSpan {
  readonly jobId: string
  readonly from: number
  /** Infinity: it still has it. */
  readonly to: number
}

/** The job that the worker had at that time; undefined where it had none or several. */
export function jobAt(spans: readonly JobSpan[], at: number): string | undefined {
  const [only, second] = spans.filter(({ from, to }) => from <= at && at <= to)
  return second === undefined ? only?.jobId : undefined
}
