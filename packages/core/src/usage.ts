// Billing arithmetic (management §8): turns the ledger into seconds per endpoint, GPU type and state. Each interval is rounded up to a whole
// second, as Runpod bills (2.5 s → 3 s), in each UTC day that it touches. The days of a month therefore add up to the month, and intervals
// that were rolled up into days count as before (ADR 43). If a range cuts an interval, the part inside the range is rounded.
import type { BillingState, LedgerDay, LedgerRow } from '@runyard/schema'
import type { UsageDimension } from '@runyard/schema/api'

export const DAY_MS = 24 * 3600 * 1000

export interface UsageRange {
  /** Epoch ms; half-open [from, to). */
  readonly from: number
  readonly to: number
}

export interface UsageLine {
  /** null: deleted endpoints of the owner, added up. */
  readonly endpointId: string | null
  readonly gpuType: string | null
  readonly state: BillingState
  /** Whole seconds of wall time, each interval rounded up. */
  readonly seconds: number
  /** `seconds` if the state is billed, else 0. */
  readonly billableSeconds: number
  /** `billableSeconds` × the worker's GPUs; 0 for CPU workers. */
  readonly gpuSeconds: number
}

export interface UsageOptions {
  readonly range: UsageRange
  readonly billedStates: readonly BillingState[]
  /** End of intervals that are still open, epoch ms. */
  readonly now: number
}

export interface Ledger {
  readonly rows: readonly LedgerRow[]
  /** Sums of rows that are no longer in `rows`. */
  readonly days?: readonly LedgerDay[]
}

/** The UTC midnight at or before it. */
export function startOfDay(at: number): number {
  return Math.floor(at / DAY_MS) * DAY_MS
}

/** Before `rolledUntil` (a midnight) only daily sums exist, so a range that starts or ends there is extended to whole days. */
export function toWholeDays({ from, to }: UsageRange, rolledUntil: number): UsageRange {
  return {
    from: from < rolledUntil ? startOfDay(from) : from,
    to: to < rolledUntil ? startOfDay(to + DAY_MS - 1) : to,
  }
}

/** What an ended interval adds to each UTC day that it touches. */
export function splitByDay(row: LedgerRow): readonly LedgerDay[] {
  const { from, to = from } = row
  const days: LedgerDay[] = []
  for (let day = startOfDay(from); day < to; day += DAY_MS) {
    const seconds = roundUp({ from: Math.max(from, day), to: Math.min(to, day + DAY_MS) })
    days.push(partOf(row, day, seconds))
  }
  return days
}

/** Lines in a stable order: endpoint, GPU type, state. */
export function sumUsage(ledger: Ledger, options: UsageOptions): readonly UsageLine[] {
  const groups = groupUsage(ledger, { ...options, by: ['endpoint', 'gpu', 'state'], priceOf: () => 0 })
  return groups.map(({ of: { endpointId, gpuType, state }, seconds, billableSeconds, gpuSeconds }) => ({
    endpointId,
    gpuType,
    state,
    seconds,
    billableSeconds,
    gpuSeconds,
  }))
}

export interface GroupOptions extends UsageOptions {
  readonly by: readonly UsageDimension[]
  /** Of one hour of a GPU of that type, or of a CPU worker (null). */
  readonly priceOf: (gpuType: string | null) => number
}

export interface UsageGroup extends Pick<UsageLine, 'seconds' | 'billableSeconds' | 'gpuSeconds'> {
  /** One of its parts: what it has in the dimensions that were asked for holds for all of them. */
  readonly of: LedgerPart
  /** Of the billed part. */
  readonly cost: number
}

export type LedgerPart = LedgerDay

const VALUE_OF: Readonly<Record<UsageDimension, (part: LedgerPart) => string>> = {
  endpoint: ({ endpointId }) => endpointId ?? '',
  key: ({ keyId }) => keyId ?? '',
  host: ({ hostId }) => hostId ?? '',
  gpu: ({ gpuType }) => gpuType ?? '',
  state: ({ state }) => state,
  day: ({ day }) => new Date(day).toISOString(),
}

/** The same seconds in any grouping: each part of the ledger is in exactly one group. Groups are sorted by the dimensions, in the order asked for. */
export function groupUsage(ledger: Ledger, { range, billedStates, now, by, priceOf }: GroupOptions): readonly UsageGroup[] {
  const groups = new Map<string, UsageGroup>()
  for (const part of partsOf(ledger, { range, now, byDay: by.includes('day') })) {
    const key = by.map((dimension) => VALUE_OF[dimension](part)).join('\n')
    const before = groups.get(key) ?? { of: part, seconds: 0, billableSeconds: 0, gpuSeconds: 0, cost: 0 }
    const isBilled = billedStates.includes(part.state)
    const units = part.gpuType === null ? part.seconds : part.gpuSeconds
    groups.set(key, {
      of: before.of,
      seconds: before.seconds + part.seconds,
      billableSeconds: before.billableSeconds + (isBilled ? part.seconds : 0),
      gpuSeconds: before.gpuSeconds + (isBilled ? part.gpuSeconds : 0),
      cost: before.cost + (isBilled ? (units * priceOf(part.gpuType)) / 3600 : 0),
    })
  }
  return [...groups].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, group]) => group)
}

/** What of the ledger lies in a range. Not by day, an interval is one part, dated by its first day. */
function* partsOf(
  { rows, days = [] }: Ledger,
  { range, now, byDay }: Pick<UsageOptions, 'range' | 'now'> & { readonly byDay: boolean },
): Generator<LedgerPart> {
  for (const row of rows) {
    const [from, to] = [Math.max(row.from, range.from), Math.min(row.to ?? now, range.to)]
    if (to <= from) continue
    if (byDay) yield* splitByDay({ ...row, from, to })
    else yield partOf(row, startOfDay(from), secondsInside(row, range, now))
  }
  for (const day of days) if (day.day >= range.from && day.day < range.to && day.seconds > 0) yield day
}

function partOf({ endpointId, gpuType, state, hostId, keyId, gpuCount }: LedgerRow, day: number, seconds: number): LedgerPart {
  const where = { ...(hostId === undefined ? {} : { hostId }), ...(keyId === undefined ? {} : { keyId }) }
  return { day, endpointId, gpuType, state, ...where, seconds, gpuSeconds: seconds * gpuCount }
}

/** The days between the first and the last are whole days, so their seconds need no rounding. */
function secondsInside(row: LedgerRow, range: UsageRange, now: number): number {
  const from = Math.max(row.from, range.from)
  const to = Math.min(row.to ?? now, range.to)
  if (to <= from) return 0
  const firstMidnight = startOfDay(from) + DAY_MS
  if (to <= firstMidnight) return roundUp({ from, to })
  return roundUp({ from, to: firstMidnight }) + roundUp({ from: firstMidnight, to })
}

function roundUp({ from, to }: UsageRange): number {
  return Math.ceil((to - from) / 1000)
}
