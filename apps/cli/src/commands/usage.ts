// `runyard usage`: the ledger summed by what is asked for, with the billed part and its cost.
import { createClient } from '@runyard/client'
import { USAGE_DIMENSIONS, type UsageDimension, type UsageLine, type UsageView } from '@runyard/schema/api'
import { textOption, UsageError, type CommandContext } from '../command.ts'
import { printJson } from '../output/print-json.ts'
import { renderTable } from '../output/table.ts'
import { findTarget } from '../settings.ts'

const UNITS_MS = { m: 60_000, h: 3_600_000, d: 86_400_000 } as const
/** Width of a column of seconds. */
const DIGITS = 8
const DEFAULT_BY: readonly UsageDimension[] = ['endpoint', 'gpu', 'state']

export async function run(context: CommandContext): Promise<number> {
  const { out, options } = context
  const from = parseSince(textOption(context, 'since') ?? '30d', Date.now())
  const by = parseBy(textOption(context, 'by'))
  const client = createClient(await findTarget(context))
  if (options['csv'] === true) {
    const table = await client.usageTable({ from, by })
    for (const line of table.trimEnd().split('\r\n')) out.line(line)
    return 0
  }
  const answer = await client.usage({ from, by })
  if (options['json'] === true) return printJson(out, answer)
  printTable(context, answer, by)
  return 0
}

function printTable(
  { out }: Pick<CommandContext, 'out'>,
  { from, usage, total, currency }: UsageView,
  by: readonly UsageDimension[],
): void {
  out.line(`since ${from.slice(0, 16).replace('T', ' ')} UTC`)
  out.line()
  if (usage.length === 0) {
    out.line('no worker has run')
    return
  }
  // Without prices the column would be empty.
  const isPriced = total.cost > 0
  const sums = ({ seconds, billableSeconds, gpuSeconds, cost }: UsageView['total']): readonly string[] => [
    number(seconds),
    number(billableSeconds),
    number(gpuSeconds),
    ...(isPriced ? [cost.toFixed(2).padStart(DIGITS)] : []),
  ]
  const titles = ['seconds', 'billable', 'GPU', ...(isPriced ? [currency] : [])]
  const head = [...by.map((dimension) => TITLES[dimension]), ...titles.map((title) => title.padStart(DIGITS))]
  const label = [out.bold('total'), ...by.slice(1).map(() => '')]
  const rows = [...usage.map((line) => [...by.map((dimension) => WORDS[dimension](line)), ...sums(line)]), [...label, ...sums(total)]]
  for (const line of renderTable(out, rows, head)) out.line(line)
}

const TITLES: Readonly<Record<UsageDimension, string>> = {
  endpoint: 'endpoint',
  key: 'key',
  host: 'host',
  gpu: 'GPU',
  state: 'state',
  day: 'day (UTC)',
}

const WORDS: Readonly<Record<UsageDimension, (line: UsageLine) => string>> = {
  endpoint: ({ endpointName, endpointId }) => endpointName ?? (endpointId == null ? 'deleted endpoints' : `${endpointId} (deleted)`),
  key: ({ keyName, keyId }) => keyName ?? (keyId == null ? 'not recorded' : `${keyId} (gone)`),
  host: ({ host, hostId }) => host ?? (hostId == null ? 'not recorded' : `${hostId} (gone)`),
  gpu: ({ gpuType }) => gpuType ?? 'CPU',
  state: ({ state }) => state ?? '',
  day: ({ day }) => day ?? '',
}

function number(seconds: number): string {
  return (Number.isInteger(seconds) ? `${seconds}` : seconds.toFixed(1)).padStart(DIGITS)
}

/** @throws UsageError */
function parseBy(text: string | undefined): readonly UsageDimension[] {
  if (text === undefined) return DEFAULT_BY
  const words = [...new Set(text.split(',').map((word) => word.trim()))]
  const known = words.flatMap((word) => USAGE_DIMENSIONS.filter((dimension) => dimension === word))
  if (known.length === words.length) return known
  throw new UsageError(`--by takes ${USAGE_DIMENSIONS.join(', ')}, several with commas; "${text}" is something else.`)
}

/** `90m`, `24h`, `7d`, or a date, not before 1970. Epoch ms. @throws UsageError */
export function parseSince(text: string, now: number): number {
  const [, amount, unit] = /^(\d+)([mhd])$/.exec(text) ?? []
  const at = amount === undefined ? Date.parse(text) : now - Number(amount) * UNITS_MS[unit as keyof typeof UNITS_MS]
  if (at >= 0 && (at < now || amount !== undefined)) return at
  throw new UsageError(`--since takes a span such as 90m, 24h or 7d, or a past date such as 2026-11-01; "${text}" is neither.`)
}
