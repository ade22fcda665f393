// `runyard usage`: the ledger summed by what is asked for, with the billed part and its cost.
import { USAGE_DIMENSIONS, type UsageDimension, type UsageLine, type UsageView } from '@runyard/schema/api'
import { textOption, UsageError, type CommandContext } from '../command.ts'
import { printListing, timeFormOf, type Column, type Listing } from '../output/listing.ts'
import type { Terminal } from '../output/terminal.ts'
import { formatTime, parseSince } from '../output/time.ts'
import { findClient } from '../settings.ts'

const DEFAULT_BY: readonly UsageDimension[] = ['endpoint', 'gpu', 'state']

export async function run(context: CommandContext): Promise<number> {
  const { out, options } = context
  const from = parseSince(textOption(context, 'since') ?? '30d', Date.now())
  const by = parseBy(textOption(context, 'by'))
  const client = await findClient(context)
  if (options['csv'] === true) {
    const table = await client.usageTable({ from, by })
    for (const line of table.trimEnd().split('\r\n')) out.line(line)
    return 0
  }
  const answer = await client.usage({ from, by })
  if (options['json'] !== true) {
    out.line(`since ${formatTime(Date.parse(answer.from), timeFormOf(context))}`)
    out.line()
  }
  return printListing(context, usageListing(answer, by, out))
}

/** A line, or the sum of all. */
type Row = UsageLine & { readonly isTotal?: true }

export function usageListing(answer: UsageView, by: readonly UsageDimension[], out: Terminal): Listing<Row> {
  const { usage, total, currency } = answer
  // Without prices the column would be empty.
  const isPriced = usage.length > 0 && total.cost > 0
  const labels = by.map((dimension, index): Column<Row> => {
    const cell = (row: Row): string => (row.isTotal !== true ? WORDS[dimension](row) : index === 0 ? 'total' : '')
    return {
      title: TITLES[dimension],
      cell,
      cut: 'middle',
      paint: ({ isTotal }) => (isTotal === true ? out.bold : (text) => text),
    }
  })
  return {
    rows: usage.length === 0 ? [] : [...usage, { ...total, isTotal: true }],
    columns: [
      ...labels,
      { title: 'seconds', cell: ({ seconds }) => number(seconds), isNumber: true, goes: 2 },
      { title: 'billable', cell: ({ billableSeconds }) => number(billableSeconds), isNumber: true },
      { title: 'GPU s', cell: ({ gpuSeconds }) => number(gpuSeconds), isNumber: true, goes: 1 },
      ...(isPriced ? [{ title: currency, cell: ({ cost }: Row) => cost.toFixed(2), isNumber: true }] : []),
    ],
    data: answer,
    empty: 'no worker has run',
  }
}

const TITLES: Readonly<Record<UsageDimension, string>> = {
  endpoint: 'endpoint',
  key: 'key',
  host: 'host',
  gpu: 'card',
  state: 'state',
  day: 'day (UTC)',
}

const WORDS: Readonly<Record<UsageDimension, (line: UsageLine) => string>> = {
  endpoint: ({ endpointName, endpointId, isDeleted }) =>
    endpointId == null
      ? 'deleted endpoints'
      : `${endpointName ?? endpointId}${isDeleted === true || endpointName == null ? ' (deleted)' : ''}`,
  key: ({ keyName, keyId }) => keyName ?? (keyId == null ? 'not recorded' : `${keyId} (gone)`),
  host: ({ host, hostId }) => host ?? (hostId == null ? 'not recorded' : `${hostId} (gone)`),
  gpu: ({ gpuType }) => gpuType?.replace(/^NVIDIA (?:GeForce )?/u, '') ?? 'CPU',
  state: ({ state }) => state ?? '',
  day: ({ day }) => day ?? '',
}

function number(seconds: number): string {
  return Number.isInteger(seconds) ? `${seconds}` : seconds.toFixed(1)
}

/** @throws UsageError */
function parseBy(text: string | undefined): readonly UsageDimension[] {
  if (text === undefined) return DEFAULT_BY
  const words = [...new Set(text.split(',').map((word) => word.trim()))]
  const known = words.flatMap((word) => USAGE_DIMENSIONS.filter((dimension) => dimension === word))
  if (known.length === words.length) return known
  throw new UsageError(`--by takes ${USAGE_DIMENSIONS.join(', ')}, several with commas; "${text}" is something else.`)
}
