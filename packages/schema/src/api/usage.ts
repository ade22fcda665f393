// The ledger summed over a range, by what is asked for, and what it cost (ours, ADR 43, ADR 82).
import { z } from 'zod'
import { BillingState } from '../wire-words.ts'
import { tagged } from './operation.ts'
import { DateTime, Instant } from './shared.ts'
import { StandbyView } from './standby.ts'

export const USAGE_DIMENSIONS = ['endpoint', 'key', 'host', 'gpu', 'state', 'day'] as const
export type UsageDimension = (typeof USAGE_DIMENSIONS)[number]
const DEFAULT_BY = 'endpoint,gpu,state'

/** `key,day` */
const Dimensions = z
  .string()
  .default(DEFAULT_BY)
  .transform((text, context) => {
    const words = [...new Set(text.split(',').map((word) => word.trim()))]
    const known = words.flatMap((word) => USAGE_DIMENSIONS.filter((dimension) => dimension === word))
    if (known.length === words.length) return known
    context.addIssue({ code: 'custom', message: `must be one of ${USAGE_DIMENSIONS.join(', ')}, or several with commas` })
    return z.NEVER
  })

export const UsageQuery = z.object({
  from: Instant.optional().describe('Default: 24 hours before `to`.'),
  to: Instant.optional().describe('Default: now.'),
  by: Dimensions.describe(
    `What to group by: ${USAGE_DIMENSIONS.join(', ')}; several with commas. \`key\` is the key that created the endpoint.`,
  ),
  idle: z.stringbool().default(false).describe('Also say how many billed seconds had no job; the jobs of the range are read for it.'),
  format: z.enum(['json', 'csv']).default('json'),
})

const SUMS = {
  seconds: z.number().describe('Of workers.'),
  billableSeconds: z.number().describe('In a billed state.'),
  gpuSeconds: z.number().describe('The billed ones, multiplied by the GPUs of the worker.'),
  cost: z.number().describe('Of the billed ones, by the prices of today.'),
  idleSeconds: z
    .number()
    .nullable()
    .optional()
    .describe('With `idle`: the billed ones in which the worker had no job; null: the history does not reach that far back.'),
}

export const UsageLine = z
  .object({
    endpointId: z.string().nullable().optional().describe('null: of deleted endpoints, where only sums of days are left.'),
    endpointName: z.string().nullable().optional().describe('null: of deleted endpoints, where it is not known any more.'),
    isDeleted: z.boolean().optional().describe('The endpoint is gone.'),
    keyId: z.string().nullable().optional().describe('null: not recorded.'),
    keyName: z.string().nullable().optional().describe('null: the key is gone.'),
    hostId: z.string().nullable().optional().describe('null: not recorded.'),
    host: z.string().nullable().optional().describe('Its name; null: the host is gone.'),
    gpuType: z.string().nullable().optional().describe('null: a CPU worker.'),
    state: BillingState.optional(),
    day: z.string().meta({ format: 'date' }).optional().describe('In UTC.'),
    ...SUMS,
  })
  .meta({ id: 'UsageLine', description: 'It has the members that were asked for in `by`.' })
export type UsageLine = z.infer<typeof UsageLine>

export const UsageView = z
  .object({
    from: DateTime,
    to: DateTime,
    usage: z.array(UsageLine),
    by: z.array(z.enum(USAGE_DIMENSIONS)),
    currency: z.string(),
    total: z.object(SUMS),
  })
  .meta({ id: 'Usage', description: 'Seconds of [from, to). The range is one of whole days where only their sums are left.' })
export type UsageView = z.infer<typeof UsageView>

export const PricesView = z
  .object({ currency: z.string(), gpuPerHour: z.record(z.string(), z.number()), cpuWorkerPerHour: z.number() })
  .meta({ id: 'Prices', description: 'Of one billed hour of a GPU, and of a worker without a GPU. What has no price costs nothing.' })
export type PricesView = z.infer<typeof PricesView>

export const USAGE_OPERATIONS = tagged('usage', {
  'GET /runyard/v1/usage': {
    id: 'getUsage',
    summary: 'Read the seconds of workers in a range, and what they cost',
    querystring: UsageQuery,
    reply: UsageView,
    other: { 200: 'text/csv' },
  },
  'GET /runyard/v1/prices': { id: 'getPrices', summary: 'Read the prices of the configuration', reply: PricesView },
  'GET /runyard/v1/standby': { id: 'getStandby', summary: 'Read which workers wait for an endpoint', reply: StandbyView },
})
