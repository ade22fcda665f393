// What the leading scaler reports of itself, its hosts and their cards, for `/metrics` of the gateways (ADR 73). By the name of the metric.
import { z } from 'zod'

export const ReportedSample = z.object({
  /** In the order of the metric's labels; an endpoint by its id alone. */
  values: z.array(z.string()),
  reading: z.union([z.object({ value: z.number() }), z.object({ counts: z.array(z.number()), sum: z.number(), count: z.number() })]),
})

export const ScalerReport = z.object({
  /** Epoch ms. */
  at: z.number(),
  metrics: z.record(z.string(), z.array(ReportedSample)),
})
export type ScalerReport = z.infer<typeof ScalerReport>
