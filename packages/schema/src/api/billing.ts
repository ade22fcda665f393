// Billing of REST v2 and v1 (management §2.5, §8.2). Amounts are 0, because there are no prices; `billedSeconds` is ours and says what was used.
import { z } from 'zod'
import { DateTime, Instant } from './shared.ts'

export const BucketSize = z.enum(['hour', 'day', 'week', 'month', 'year'])

const Window = {
  startTime: Instant.optional().describe('Default: 30 days before `endTime`.'),
  endTime: Instant.optional().describe('Default: now.'),
  bucketSize: BucketSize.default('day'),
}

export const BillingQuery = z.object({
  ...Window,
  lastN: z.coerce.number().int().min(1).max(1000).optional().describe('The last so many buckets.'),
})
export const ServerlessBillingQuery = BillingQuery.extend({ serverlessId: z.string().optional() })

const Amount = z.number().describe('Always 0.')
const Query = z.object({ startTime: DateTime, endTime: DateTime, bucketSize: BucketSize })

/** Amounts of one kind of resource. */
function amounts<const N extends readonly string[]>(...names: N) {
  const members = Object.fromEntries(['totalAmount', ...names].map((name) => [name, Amount]))
  return z.object(members as { readonly [K in N[number] | 'totalAmount']: typeof Amount })
}

const TotalAmounts = amounts(
  'podGpuAmount',
  'podCpuAmount',
  'podDiskAmount',
  'serverlessGpuAmount',
  'serverlessCpuAmount',
  'serverlessDiskAmount',
  'serverlessFeeAmount',
  'storageStandardAmount',
  'storageHighPerformanceAmount',
  'endpointAmount',
  'clusterGpuAmount',
  'clusterDiskAmount',
  'clusterNetworkingAmount',
)
const ServerlessAmounts = amounts('gpuAmount', 'cpuAmount', 'diskAmount', 'feeAmount')
const Used = z.object({ startTime: DateTime, endTime: DateTime, billedSeconds: z.number() })

export const BillingView = z
  .object({
    records: z.array(Used.extend(TotalAmounts.shape)),
    metadata: z.object({ query: Query, recordCount: z.int(), totals: TotalAmounts }),
  })
  .meta({ id: 'Billing', description: 'What was used per bucket, over all endpoints.' })
export type BillingView = z.infer<typeof BillingView>

export const ServerlessBillingView = z
  .object({
    records: z.array(Used.extend({ ...ServerlessAmounts.shape, serverlessId: z.string() })),
    metadata: z.object({
      query: Query.extend({ serverlessId: z.string().nullable() }),
      recordCount: z.int(),
      uniqueServerlessCount: z.int(),
      totals: ServerlessAmounts,
    }),
  })
  .meta({
    id: 'ServerlessBilling',
    description: 'What each endpoint used per bucket. Deleted endpoints of old buckets are added up as "deleted".',
  })
export type ServerlessBillingView = z.infer<typeof ServerlessBillingView>

/** Of what this pool does not have. */
export const NoBillingView = z
  .object({
    records: z.array(z.never()),
    metadata: z.looseObject({
      query: z.looseObject(Query.shape),
      recordCount: z.literal(0),
      totals: z.looseObject({ totalAmount: Amount }),
    }),
  })
  .meta({ id: 'NoBilling', description: 'Billing of resources that Runyard does not have: no records.' })

export const AMOUNT_NAMES = {
  total: TotalAmounts.keyof().options,
  serverless: ServerlessAmounts.keyof().options,
} as const

const list = z.union([z.string(), z.array(z.string())]).transform((value) => [value].flat().flatMap((text) => text.split(',')))

export const V1BillingQuery = z.object({
  ...Window,
  grouping: z.enum(['endpointId', 'gpuTypeId', 'podId']).default('endpointId'),
  endpointId: z.string().optional(),
  gpuTypeId: list.optional(),
})

export const V1BillingView = z
  .array(
    z.object({
      time: DateTime,
      amount: Amount,
      timeBilledMs: z.int(),
      diskSpaceBilledGb: z.int(),
      endpointId: z.string().optional(),
      gpuTypeId: z.string().optional(),
    }),
  )
  .meta({ id: 'V1Billing' })
export type V1BillingView = z.infer<typeof V1BillingView>
