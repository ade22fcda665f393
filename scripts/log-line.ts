// Formats a log line for reading: `12:00:01.123 warn message field=value`. A line that is not JSON stays unchanged.

const LEVELS: Readonly<Record<number, string>> = { 10: 'trace', 20: 'debug', 30: 'info', 40: 'warn', 50: 'error', 60: 'fatal' }
/** Fields with the same value in every line of a process. */
const SKIPPED = new Set(['level', 'time', 'msg', 'name', 'pid', 'hostname'])

export function formatLogLine(line: string): string {
  const record = parse(line)
  if (record === undefined) return line
  const time = new Date(record['time'] as number | string)
  const clock = Number.isNaN(time.getTime()) ? '' : `${time.toISOString().slice(11, 23)} `
  const level = typeof record['level'] === 'number' ? LEVELS[record['level']] : record['level']
  const fields = Object.entries(record).flatMap(([name, value]) => (SKIPPED.has(name) ? [] : [` ${name}=${toText(value)}`]))
  return `${clock}${plain(level).padEnd(5)} ${plain(record['msg'])}${fields.join('')}`
}

function parse(line: string): Record<string, unknown> | undefined {
  if (!line.startsWith('{')) return undefined
  try {
    return JSON.parse(line) as Record<string, unknown>
  } catch {
    return undefined
  }
}

function toText(value: unknown): string {
  return typeof value === 'string' && /[\s"]/.test(value) ? JSON.stringify(value) : plain(value)
}

function plain(value: unknown): string {
  if (typeof value === 'string') return value
  return value === undefined ? '' : JSON.stringify(value)
}
