// `--json`: output for programs, in the API's own format. Control characters and bidirectional overrides are escaped, which loses nothing.
import type { Terminal } from './terminal.ts'

const ESCAPED = /[\u007F-\u009F\u061C\u200E\u200F\u2028\u2029\u202A-\u202E\u2066-\u2069]/gu

export function printJson(out: Pick<Terminal, 'write'>, value: unknown): number {
  const text = JSON.stringify(value, undefined, 2)
  out.write(`${text.replaceAll(ESCAPED, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)}\n`)
  return 0
}
