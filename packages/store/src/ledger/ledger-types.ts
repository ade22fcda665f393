// What the rest of Runyard knows of the billing ledger; the rest of the store's border is in `types.ts`.
import type { BillingState, LedgerDay, LedgerRow } from '@runyard/schema'

export interface LedgerTotal {
  /** null: of the endpoints that this owner deleted. */
  readonly endpointId: string | null
  /** '' where nobody knows it any more. */
  readonly ownerId: string
  readonly gpuType: string | null
  readonly state: BillingState
  readonly seconds: number
}

interface Range {
  readonly from: number
  readonly to: number
}

export interface LedgerUsage {
  /** As asked for, or of whole days where only their sums are left. */
  readonly range: Range
  /** Everybody's that overlap it, open ones without `to`. */
  readonly rows: readonly LedgerRow[]
  /** The owner's. */
  readonly days: readonly LedgerDay[]
}

export interface LedgerStore {
  /** Closes the worker's open interval at `at` and opens one in `state`; the same state again changes nothing; time never runs backwards. */
  transition(row: Omit<LedgerRow, 'from' | 'to'> & { at: number }): Promise<void>
  /** Closes the worker's last interval. */
  close(workerId: string, at: number): Promise<void>
  currentState(workerId: string): Promise<BillingState | undefined>
  /** Rows that overlap [from, to), open ones without `to`; those that were added up by day are not among them. */
  rows(range: Range): Promise<readonly LedgerRow[]>
  /** What an owner's usage is summed from: each interval in a row or in its days, never in both. */
  usage(ownerId: string, range: Range): Promise<LedgerUsage>
  /**
   * Seconds so far per endpoint, GPU type and state, those of deleted endpoints per owner; open intervals counted up to `now`. Never shrinks: read by
   * `/metrics`.
   */
  totals(now: number): Promise<readonly LedgerTotal[]>
  /**
   * Adds up by day what ended before the UTC midnight `keepMs` ago, and per owner what is left of endpoints that were deleted a week earlier than that;
   * removes open intervals whose worker has no record. May be broken off anywhere and done twice.
   */
  tidy(now: number, keepMs: number): Promise<LedgerTidied>
}

export interface LedgerTidied {
  /** Intervals that became days. */
  readonly rolledUp: number
  /** Endpoints that nothing is remembered of any more. */
  readonly forgotten: number
  /** Open intervals without a worker. */
  readonly dropped: number
}
