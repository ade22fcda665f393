// Billing arithmetic (management §8): ledger rows → seconds per endpoint, GPU type and state. Each worker's interval is
// rounded up to a whole second, as Runpod bills (2.5 s → 3 s); a range that cuts an interval rounds the part inside it.
import type { BillingState, LedgerRow } from '@runyard/schema'

export interface UsageRange {
  /** Epoch ms; half-open [from, to). */
  readonly from: number
  readonly to: number
}

export interface UsageLine {
  readonly endpointId: string
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

/** Lines in a stable order: endpoint, GPU type, state. */
export function sumUsage(rows: readonly LedgerRow[], options: UsageOptions): readonly UsageLine[] {
  const lines = new Map<string, UsageLine>()
  for (const row of rows) {
    const seconds = secondsInside(row, options)
    if (seconds === 0) continue
    const key = [row.endpointId, row.gpuType ?? '', row.state].join('\n')
    const line = lines.get(key) ?? emptyLine(row)
    const billable = options.billedStates.includes(row.state) ? seconds : 0
    lines.set(key, {
      ...line,
      seconds: line.seconds + seconds,
      billableSeconds: line.billableSeconds + billable,
      gpuSeconds: line.gpuSeconds + billable * row.gpuCount,
    })
  }
  return [...lines].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, line]) => line)
}

function secondsInside(row: LedgerRow, { range, now }: UsageOptions): number {
  const from = Math.max(row.from, range.from)
  const to = Math.min(row.to ?? now, range.to)
  return to > from ? Math.ceil((to - from) / 1000) : 0
}

function emptyLine({ endpointId, gpuType, state }: LedgerRow): UsageLine {
  return { endpointId, gpuType, state, seconds: 0, billableSeconds: 0, gpuSeconds: 0 }
}
