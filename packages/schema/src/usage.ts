// The billing ledger: one row per worker and state, never overlapping, summing to the worker's wall time (docs/monitoring.md, Billing).
import { z } from 'zod'
import { Reason } from './reason.ts'
import { BillingState } from './wire-words.ts'

export const LedgerRow = z.object({
  workerId: z.string(),
  endpointId: z.string(),
  /** Display name of the GPU; null for a CPU worker. */
  gpuType: z.string().nullable(),
  gpuCount: z.int(),
  state: BillingState,
  /** Where it ran, on which cards (their UUIDs), and the key that created its endpoint; absent in rows of an older version. */
  hostId: z.string().optional(),
  cards: z.array(z.string()).optional(),
  keyId: z.string().optional(),
  /** Why the worker was started. */
  reason: Reason.optional(),
  /** Why it ended, in its last interval. */
  endReason: Reason.optional(),
  /** Epoch ms; `to` is absent in the open interval of a running worker. */
  from: z.number(),
  to: z.number().optional(),
})
export type LedgerRow = z.infer<typeof LedgerRow>

/** The sum of one UTC day's intervals, of one endpoint or of all deleted endpoints of an owner. */
export interface LedgerDay {
  /** The midnight at its start, epoch ms. */
  readonly day: number
  /** null: deleted endpoints. */
  readonly endpointId: string | null
  readonly gpuType: string | null
  readonly state: BillingState
  /** Absent: not recorded. */
  readonly hostId?: string | undefined
  readonly keyId?: string | undefined
  /** The sum of the intervals, each rounded up. */
  readonly seconds: number
  /** The same, multiplied by the worker's GPUs. */
  readonly gpuSeconds: number
}

export const DEFAULT_BILLED_STATES = ['initializing', 'running', 'outdated'] as const satisfies readonly BillingState[]
