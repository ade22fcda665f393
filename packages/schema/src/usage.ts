// The billing ledger: one row per worker and state, never overlapping, summing to the worker's wall time (docs/monitoring.md, Billing).
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

/** Intervals of one UTC day, added up: of an endpoint, or of the deleted ones of an owner. */
export interface LedgerDay {
  /** Its midnight, epoch ms. */
  readonly day: number
  /** null: deleted. */
  readonly endpointId: string | null
  readonly gpuType: string | null
  readonly state: BillingState
  /** Of each interval, rounded up. */
  readonly seconds: number
  /** The same times the worker's GPUs. */
  readonly gpuSeconds: number
}

/** Which states are billed by default. */
export const DEFAULT_BILLED_STATES = ['initializing', 'running', 'outdated'] as const satisfies readonly BillingState[]
