// `runyard config`: every setting, its value and its source.
import { listSettings } from '@runyard/kit'
import type { CommandContext } from '../command.ts'
import { printJson } from '../output/print-json.ts'
import { renderTable } from '../output/table.ts'
import { loadSettings } from '../settings.ts'

export async function run(context: CommandContext): Promise<number> {
  const { config, origins, dataDir } = await loadSettings(context)
  const { out, options } = context
  const settings = listSettings().map(({ key, path, variable }) => {
    const value =
      key === 'dataDir' ? dataDir : path.reduce<unknown>((node, part) => (node as Record<string, unknown> | undefined)?.[part], config)
    return { setting: key, value: withoutSecrets(key, value), from: origins[key] ?? 'default', variable }
  })
  if (options['json'] === true) return printJson(out, settings)
  const rows = settings.map(({ setting, value, from, variable }) => [
    setting,
    show(value),
    from === 'default' ? out.dim(`default (${variable})`) : from,
  ])
  for (const line of renderTable(out, rows, ['setting', 'value', 'from'])) out.line(line)
  return 0
}

function show(value: unknown): string {
  if (value === undefined) return '–'
  return typeof value === 'string' ? value : JSON.stringify(value)
}

function withoutSecrets(key: string, value: unknown): unknown {
  if (typeof value !== 'string') return value
  if (key.endsWith('.secretAccessKey')) return '…'
  return key === 'redis.url' ? withoutPassword(value) : value
}

/** Also hides a possible password in text that is no URL: everything between the first colon after a user and the last `@`. */
export function withoutPassword(url: string): string {
  return url.replace(/^(\w+:\/\/[^:/@]*):.*@/s, '$1:…@')
}
