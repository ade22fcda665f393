// Billing arithmetic (management §8): turns the ledger into seconds per endpoint, GPU type and state. Each interval is rounded up to a whole
// second, as Runpod bills (2.5 s → 3 s), in each UTC day that it touches. The days of a month therefore add up to the month, and intervals
// that were rolled up into days count as before (ADR 43). If a range cuts an interval, the part inside the range is rounded.
import type { BillingState, LedgerDay, LedgerRow } from '@runyard/schema'

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
  const { endpointId, gpuType, state, gpuCount, from, to = from } = row
  const days: LedgerDay[] = []
  for (let day = startOfDay(from); day < to; day += DAY_MS) {
    const seconds = roundUp({ from: Math.max(from, day), to: Math.min(to, day + DAY_MS) })
    days.push({ day, endpointId, gpuType, state, seconds, gpuSeconds: seconds * gpuCount })
  }
  return days
}

/** Lines in a stable order: endpoint, GPU type, state. */
export function sumUsage({ rows, days = [] }: Ledger, { range, billedStates, now }: UsageOptions): readonly UsageLine[] {
  const lines = new Map<string, UsageLine>()
  const add = (what: Pick<LedgerDay, 'endpointId' | 'gpuType' | 'state' | 'seconds' | 'gpuSeconds'>): void => {
    if (what.seconds === 0) return
    const { endpointId, gpuType, state } = what
    const key = [endpointId ?? '', gpuType ?? '', state].join('\n')
    const line = lines.get(key) ?? { endpointId, gpuType, state, seconds: 0, billableSeconds: 0, gpuSeconds: 0 }
    const isBilled = billedStates.includes(state)
    lines.set(key, {
      ...line,
      seconds: line.seconds + what.seconds,
      billableSeconds: line.billableSeconds + (isBilled ? what.seconds : 0),
      gpuSeconds: line.gpuSeconds + (isBilled ? what.gpuSeconds : 0),
    })
  }
  for (const row of rows) {
    const seconds = secondsInside(row, range, now)
    add({ ...row, seconds, gpuSeconds: seconds * row.gpuCount })
  }
  for (const day of days) if (day.day >= range.from && day.day < range.to) add(day)
  return [...lines].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, line]) => line)
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
