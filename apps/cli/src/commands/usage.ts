// `runyard usage`: the ledger summed by endpoint, GPU and state, with the billed part.
import { createClient } from '@runyard/client'
import type { UsageLine } from '@runyard/schema/api'
import { textOption, UsageError, type CommandContext } from '../command.ts'
import { printJson } from '../output/print-json.ts'
import { renderTable } from '../output/table.ts'
import { findTarget } from '../settings.ts'

const UNITS_MS = { m: 60_000, h: 3_600_000, d: 86_400_000 } as const
/** Width of a column of seconds. */
const DIGITS = 8

export async function run(context: CommandContext): Promise<number> {
  const { out, options } = context
  const from = parseSince(textOption(context, 'since') ?? '30d', Date.now())
  const answer = await createClient(await findTarget(context)).usage({ from })
  if (options['json'] === true) return printJson(out, answer)
  const { usage } = answer
  out.line(`since ${answer.from.slice(0, 16).replace('T', ' ')} UTC`)
  out.line()
  if (usage.length === 0) {
    out.line('no worker has run')
    return 0
  }
  const head = ['endpoint', 'GPU', 'state', ...['seconds', 'billable'].map((title) => title.padStart(DIGITS))]
  const total = usage.reduce((sum, { billableSeconds }) => sum + billableSeconds, 0)
  const rows = [...usage.map(describe), [out.bold('total'), '', '', '', out.bold(number(total))]]
  for (const line of renderTable(out, rows, head)) out.line(line)
  return 0
}

function describe({ endpointName, endpointId, gpuType, state, seconds, billableSeconds }: UsageLine): readonly string[] {
  return [
    endpointName ?? (endpointId === null ? 'deleted endpoints' : `${endpointId} (deleted)`),
    gpuType ?? 'CPU',
    state,
    number(seconds),
    number(billableSeconds),
  ]
}

function number(seconds: number): string {
  return (Number.isInteger(seconds) ? `${seconds}` : seconds.toFixed(1)).padStart(DIGITS)
}

/** `90m`, `24h`, `7d`, or a date, not before 1970. Epoch ms. @throws UsageError */
export function parseSince(text: string, now: number): number {
  const [, amount, unit] = /^(\d+)([mhd])$/.exec(text) ?? []
  const at = amount === undefined ? Date.parse(text) : now - Number(amount) * UNITS_MS[unit as keyof typeof UNITS_MS]
  if (at >= 0 && (at < now || amount !== undefined)) return at
  throw new UsageError(`--since takes a span such as 90m, 24h or 7d, or a past date such as 2026-11-01; "${text}" is neither.`)
}
