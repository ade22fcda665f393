// The billing ledger: one row per worker and state, never overlapping, summing to the worker's wall time (docs/operations.md, Billing).
import { z } from 'zod'
import { BillingState } from './wire-words.ts'

export const LedgerRow = z.object({
  workerId: z.string(),
  endpointId: z.string(),
  /** Display name of the GPU, or null for a CPU worker. */
  gpuType: z.string().nullable(),
  gpuCount: z.int(),
  state: BillingState,
  /** Epoch ms; `to` is absent on the open interval of a living worker. */
  from: z.number(),
  to: z.number().optional(),
})
export type LedgerRow = z.infer<typeof LedgerRow>

/** Which states are billed by default. */
export const DEFAULT_BILLED_STATES = ['initializing', 'running', 'outdated'] as const satisfies readonly BillingState[]
