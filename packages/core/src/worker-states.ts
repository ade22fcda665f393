// The six states of a worker that users pay attention to, as the ledger names them: one table from the facts to every place that shows them (`/health`, REST,
// metrics, the CLI). `idle` is no worker but a place for one: its image is on a host, and no container runs.
import { BILLING_STATES, type BillingState } from '@runyard/schema'
import type { CountedWorker, Shortfall } from './projections.ts'
import { availabilityOf } from './worker-facts.ts'

/** The state of a worker that exists; undefined: it is leaving without a job, and counts as none. */
export function stateOf({ record, leaseCount }: CountedWorker): BillingState | undefined {
  if (record.unhealthyReason !== undefined) return 'unhealthy'
  const availability = availabilityOf(record)
  if (leaseCount > 0) return record.outdatedSince === undefined ? 'running' : 'outdated'
  if (availability === 'draining' || availability === 'leaving') return undefined
  return record.readyAt === undefined ? 'initializing' : 'running'
}

export interface StateFacts {
  readonly workers: readonly CountedWorker[]
  /** The scaler's latest report; `mayStart`: how many more workers could start without a pull. */
  readonly missing: (Shortfall & { readonly mayStart?: number | undefined }) | undefined
}

export function countStates({ workers, missing }: StateFacts): Readonly<Record<BillingState, number>> {
  const states = workers.map(stateOf)
  const count = (state: BillingState): number => states.filter((one) => one === state).length
  const counts = Object.fromEntries(BILLING_STATES.map((state) => [state, count(state)])) as Record<BillingState, number>
  return {
    ...counts,
    idle: missing?.mayStart ?? 0,
    throttled: missing?.throttled ?? 0,
    unhealthy: counts.unhealthy + (missing?.unhealthy ?? 0),
  }
}
