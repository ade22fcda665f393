// The ledger summed per endpoint, GPU type and state over a range (ours, ADR 43).
import { z } from 'zod'
import { BillingState } from '../wire-words.ts'
import { DateTime, Instant } from './shared.ts'

export const UsageQuery = z.object({
  from: Instant.optional().describe('Default: 24 hours before `to`.'),
  to: Instant.optional().describe('Default: now.'),
})

export const UsageLine = z
  .object({
    endpointId: z.string().nullable().describe('null: of deleted endpoints, where only sums of days are left.'),
    endpointName: z.string().nullable().describe('null: the endpoint is gone.'),
    gpuType: z.string().nullable().describe('null: a CPU worker.'),
    state: BillingState,
    seconds: z.number(),
    billableSeconds: z.number(),
    gpuSeconds: z.number(),
  })
  .meta({ id: 'UsageLine' })
export type UsageLine = z.infer<typeof UsageLine>

export const UsageView = z
  .object({ from: DateTime, to: DateTime, usage: z.array(UsageLine) })
  .meta({ id: 'Usage', description: 'Seconds of [from, to). The range is one of whole days where only their sums are left.' })
export type UsageView = z.infer<typeof UsageView>
