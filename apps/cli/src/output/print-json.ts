// `--json`: for programs, the same words as the API's.
import type { Terminal } from './terminal.ts'

export function printJson(out: Pick<Terminal, 'line'>, value: unknown): number {
  out.line(JSON.stringify(value, undefined, 2))
  return 0
}
