// Billing arithmetic (management §8): the ledger → seconds per endpoint, GPU type and state. Each worker's interval is rounded up to a
// whole second, as Runpod bills (2.5 s → 3 s), in each UTC day that it touches: so the days of a month add up to the month, and intervals that
// were added up by day count as they did before (ADR 43). A range that cuts an interval rounds the part inside it.
import type { BillingState, LedgerDay, LedgerRow } from '@runyard/schema'

export const DAY_MS = 24 * 3600 * 1000

export interface UsageRange {
  /** Epoch ms; half-open [from, to). */
  readonly from: number
  readonly to: number
}

export interface UsageLine {
  /** null: of deleted endpoints, where their days were added up. */
  readonly endpointId: string | null
  readonly gpuType: string | null
  readonly state: BillingState
  /** Whole seconds of wall time, each interval rounded up. */
  readonly seconds: number
  /** `seconds` where the state is billed, else 0. */
  readonly billableSeconds: number
  /** `billableSeconds` × GPUs of the worker; 0 for CPU workers. */
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
  /** Added up from rows that are not in `rows` any more. */
  readonly days?: readonly LedgerDay[]
}

/** The UTC midnight at or before it. */
export function startOfDay(at: number): number {
  return Math.floor(at / DAY_MS) * DAY_MS
}

/** Where only sums of days are left, before `rolledUntil` (a midnight), a range is one of whole days: it grows to them. */
export function toWholeDays({ from, to }: UsageRange, rolledUntil: number): UsageRange {
  return {
    from: from < rolledUntil ? startOfDay(from) : from,
    to: to < rolledUntil ? startOfDay(to + DAY_MS - 1) : to,
  }
}

/** An ended interval as what it adds to each UTC day that it touches. */
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

/** The days between the first and the last one are whole ones, and so are their seconds. */
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
