// Words and numbers of the usage page.
import { formatDuration } from '@runyard/core/durations'
import type { UsageDimension, UsageLine, UsageView } from '@runyard/schema/api'

/** What usage is grouped by, in the address. */
export const GROUPINGS = [
  { by: 'endpoint', label: 'Endpoint' },
  { by: 'key', label: 'Key' },
  { by: 'gpu', label: 'Card type' },
  { by: 'host', label: 'Host' },
  { by: 'day', label: 'Day' },
  { by: 'state', label: 'State' },
] as const satisfies readonly { readonly by: UsageDimension; readonly label: string }[]
export type Grouping = (typeof GROUPINGS)[number]['by']

export interface UsageSearch {
  readonly by?: Grouping
}

export const USUAL_GROUPING: Grouping = 'endpoint'

/** Of an address's search parameters. */
export function readUsageSearch({ by }: Readonly<Record<string, unknown>>): UsageSearch {
  const known = GROUPINGS.find((grouping) => grouping.by === by)?.by
  return known === undefined || known === USUAL_GROUPING ? {} : { by: known }
}

const NAMES: Readonly<Record<Grouping, (line: UsageLine) => string>> = {
  endpoint: ({ endpointName, endpointId, isDeleted }) =>
    endpointId == null
      ? 'deleted endpoints'
      : `${endpointName ?? endpointId}${isDeleted === true || endpointName == null ? ' (deleted)' : ''}`,
  key: ({ keyName, keyId }) => keyName ?? (keyId == null ? 'not recorded' : `${keyId} (gone)`),
  host: ({ host, hostId }) => host ?? (hostId == null ? 'not recorded' : `${hostId} (gone)`),
  gpu: ({ gpuType }) => gpuType ?? 'CPU only',
  day: ({ day }) => day ?? '',
  state: ({ state }) => state ?? '',
}

export const nameOf = (line: UsageLine, by: Grouping): string => NAMES[by](line)

const HOUR_S = 3600

/** `0 s`, `21.0 s`, `4 min 12 s`, `1.50 h`, `31.2 h`, `1,204 h`. */
export function formatHours(seconds: number): string {
  if (seconds === 0) return '0 s'
  if (seconds < HOUR_S) return formatDuration(1000 * seconds)
  const hours = seconds / HOUR_S
  const digits = hours < 10 ? 2 : hours < 1000 ? 1 : 0
  return `${new Intl.NumberFormat('en', { minimumFractionDigits: digits, maximumFractionDigits: digits }).format(hours)} h`
}

/** Of the billed seconds, the share without a job. Undefined: not known, or nothing was billed. */
export function idleShare({
  idleSeconds,
  billableSeconds,
}: Pick<UsageView['total'], 'idleSeconds' | 'billableSeconds'>): number | undefined {
  return idleSeconds == null || billableSeconds === 0 ? undefined : idleSeconds / billableSeconds
}

/** How long the bar of each line is, 0 to 1, and how much of it is idle. By cost where there are prices, else by GPU time, else by the time of workers. */
export function barsOf(usage: readonly UsageLine[]): readonly { readonly length: number; readonly idle: number }[] {
  const measure = (['cost', 'gpuSeconds', 'billableSeconds'] as const).find((name) => usage.some((line) => line[name] > 0)) ?? 'seconds'
  const most = Math.max(...usage.map((line) => line[measure]), 0)
  return usage.map((line) => ({ length: most === 0 ? 0 : line[measure] / most, idle: idleShare(line) ?? 0 }))
}

/** Most first; days in their order. */
export function sortUsage(usage: readonly UsageLine[], by: Grouping): readonly UsageLine[] {
  if (by === 'day') return usage.toSorted((a, b) => ((a.day ?? '') < (b.day ?? '') ? -1 : 1))
  return usage.toSorted((a, b) => b.cost - a.cost || b.gpuSeconds - a.gpuSeconds || b.billableSeconds - a.billableSeconds)
}

interface CommandOptions {
  readonly by: Grouping
  /** `24h`; undefined: two fixed times. */
  readonly span: string | undefined
  readonly csvUrl: string
}

/** What reads the same in a terminal. */
export function toCommand({ by, span, csvUrl }: CommandOptions): string {
  if (span !== undefined) return `runyard usage --since ${span} --by ${by}`
  return `curl -H "Authorization: Bearer $RUNPOD_API_KEY" '${csvUrl.replace('&format=csv', '')}'`
}
