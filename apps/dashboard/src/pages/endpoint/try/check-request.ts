// Whether a text can be sent, before it is: JSON errors with their line, and what the gateway would refuse.
import type { ModeName } from './modes.ts'

export interface RequestFault {
  readonly message: string
  /** In the text; undefined: it is not about one place. */
  readonly position?: number
}

/** Undefined: it can be sent. */
export function checkRequest(text: string, mode: ModeName): RequestFault | undefined {
  const parsed = parse(text)
  if ('fault' in parsed) return parsed.fault
  const { value } = parsed
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return { message: 'The request must be an object: {…}.' }
  if (mode === 'chat') {
    return Array.isArray((value as { messages?: unknown }).messages)
      ? undefined
      : { message: 'A chat needs "messages": a list of { "role", "content" }.' }
  }
  const { input } = value as { input?: unknown }
  return input === undefined || input === null ? { message: 'The request needs an "input", which the function gets.' } : undefined
}

type Parsed = { readonly value: unknown } | { readonly fault: RequestFault }

function parse(text: string): Parsed {
  try {
    return { value: JSON.parse(text) }
  } catch (error) {
    const told = error instanceof Error ? error.message : String(error)
    const position = positionIn(told, text)
    const what = told.replace(/ (?:in JSON )?at (?:position|line) .*$/u, '').replace(/^JSON\.parse: /u, '')
    if (position === undefined) return { fault: { message: `This is not JSON: ${what}.` } }
    const before = text.slice(0, position).split('\n')
    return { fault: { message: `Line ${before.length}, column ${(before.at(-1) ?? '').length + 1}: ${what}.`, position } }
  }
}

/** Chromium and Safari tell a position or an unexpected end, Firefox a line and a column. */
function positionIn(message: string, text: string): number | undefined {
  const [, position] = /at position (\d+)/u.exec(message) ?? []
  if (position !== undefined) return Number(position)
  const [, line, column] = /line (\d+) column (\d+)/u.exec(message) ?? []
  if (line !== undefined) {
    const lines = text.split('\n').slice(0, Number(line) - 1)
    return lines.reduce((sum, one) => sum + one.length + 1, Number(column) - 1)
  }
  return /end of|EOF|Unterminated/u.test(message) ? text.length : undefined
}
