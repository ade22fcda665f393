// Output for programs (`--json`, `-o json|jsonl|yaml|name`), in the API's own format. Control characters and bidirectional overrides are escaped,
// which loses nothing.
import { stringify } from 'yaml'
import { UsageError } from '../command.ts'
import type { Terminal } from './terminal.ts'

const ESCAPED = /[\u007F-\u009F\u061C\u200E\u200F\u2028\u2029\u202A-\u202E\u2066-\u2069]/gu

export function printJson(out: Pick<Terminal, 'write' | 'form'>, value: unknown): number {
  if (out.form === 'jsonl') for (const item of itemsOf(value)) out.write(`${escape(JSON.stringify(item))}\n`)
  else if (out.form === 'name') for (const item of itemsOf(value)) out.write(`${escape(nameOf(item))}\n`)
  else if (out.form === 'yaml') out.write(toYaml(value))
  else out.write(`${escape(JSON.stringify(value, undefined, 2))}\n`)
  return 0
}

/** An object stands for its first list: a page of jobs for the jobs. Without a list it is an item itself. */
export function itemsOf(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value
  if (typeof value !== 'object' || value === null) return [value]
  return Object.values(value).find((part): part is unknown[] => Array.isArray(part)) ?? [value]
}

function nameOf(item: unknown): string {
  if (typeof item === 'string') return item
  const { name, id, setting } = (item ?? {}) as Record<string, unknown>
  const found = [name, id, setting].find((value) => typeof value === 'string')
  if (typeof found === 'string') return found
  throw new UsageError('these rows have no names; use -o json.')
}

function escape(text: string): string {
  return text.replaceAll(ESCAPED, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

/** Plain style has no escapes, so text that needs one makes every text a quoted one. */
function toYaml(value: unknown): string {
  const plain = stringify(value, { lineWidth: 0 })
  return ESCAPED.test(plain)
    ? escape(stringify(value, { lineWidth: 0, defaultStringType: 'QUOTE_DOUBLE', defaultKeyType: 'QUOTE_DOUBLE' }))
    : plain
}
