// `runyard config`: every setting, its value and where it came from.
import { listSettings } from '@runyard/kit'
import type { CommandContext } from '../command.ts'
import { alignColumns } from '../output/terminal.ts'
import { loadSettings } from '../settings.ts'

export async function run(context: CommandContext): Promise<number> {
  const { config, origins, dataDir } = await loadSettings(context)
  const { out } = context
  const rows = listSettings().map(({ key, path, variable }) => {
    const value =
      key === 'dataDir' ? dataDir : path.reduce<unknown>((node, part) => (node as Record<string, unknown> | undefined)?.[part], config)
    const origin = origins[key] ?? 'default'
    return [key, show(key, value), origin === 'default' ? out.dim(`default (${variable})`) : origin]
  })
  for (const line of alignColumns([[out.bold('setting'), out.bold('value'), out.bold('from')], ...rows])) out.line(line)
  return 0
}

function show(key: string, value: unknown): string {
  if (value === undefined) return '–'
  if (typeof value !== 'string') return JSON.stringify(value)
  if (key.endsWith('.secretAccessKey')) return '…'
  return key === 'redis.url' ? withoutPassword(value) : value
}

/** Also of what is no URL nothing is shown that may be a password: all between the first colon after a user and the last `@`. */
export function withoutPassword(url: string): string {
  return url.replace(/^(\w+:\/\/[^:/@]*):.*@/s, '$1:…@')
}
