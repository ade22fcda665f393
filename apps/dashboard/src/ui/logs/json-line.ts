// Lines that are JSON objects, as structured loggers print them, are shown as their message and a few members.

export interface JsonLine {
  readonly message: string
  /** Members beside message, level and time that have a value, as `name=value`. */
  readonly rest: string
  /** The whole, for a person. */
  readonly pretty: string
}

const MESSAGES = ['msg', 'message', 'event', 'text']
const TOLD_ELSEWHERE = new Set(['level', 'levelname', 'severity', 'lvl', 'time', 'timestamp', 'ts', '@timestamp', 'asctime'])
const LONGEST = 64_000

/** Undefined where the line is not a JSON object. `jobId`: of the line, where the reader sees it anyway. */
export function parseJsonLine(line: string, jobId?: string): JsonLine | undefined {
  const text = line.trim()
  if (!text.startsWith('{') || !text.endsWith('}') || text.length > LONGEST) return undefined
  const members = parseObject(text)
  if (members === undefined) return undefined
  const name = MESSAGES.find((candidate) => typeof members[candidate] === 'string')
  const rest = Object.entries(members)
    .filter(([member, value]) => member !== name && value !== null && value !== jobId && !TOLD_ELSEWHERE.has(member))
    .map(([member, value]) => `${member}=${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .join(' ')
  return { message: name === undefined ? '' : String(members[name]), rest, pretty: JSON.stringify(members, undefined, 2) }
}

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    return JSON.parse(text) as Record<string, unknown>
  } catch {
    return undefined
  }
}
