// /v2/billing (management §8.2). There are no prices: amounts are 0, and `billedSeconds` says what was used.
import type { UsageLine, UsageRange } from '@runyard/core'
import { AMOUNT_NAMES, type BillingView, type ServerlessBillingView } from '@runyard/schema/api'
import { queryOf } from '../../http/query.ts'
import { readBilling, type UsageDeps } from '../usage-model.ts'
import { keyOf, restRoutes, type RestApp } from './conventions.ts'

/** As in the sums of days of deleted endpoints. */
const DELETED = 'deleted'
const EMPTY = {
  '/v2/billing/pods': { unique: 'uniquePodCount', filter: 'podId', amounts: ['gpuAmount', 'cpuAmount', 'diskAmount'] },
  '/v2/billing/endpoints': { unique: undefined, filter: undefined, amounts: [] },
  '/v2/billing/network-volumes': volumes(),
  '/v2/billing/networkvolumes': volumes(),
  '/v2/billing/clusters': { unique: 'uniqueClusterCount', filter: 'clusterId', amounts: ['gpuAmount', 'diskAmount', 'networkingAmount'] },
} as const

function volumes() {
  return { unique: 'uniqueNetworkVolumeCount', filter: 'networkVolumeId', amounts: ['standardAmount', 'highPerformanceAmount'] } as const
}

export function registerBillingRoutes(app: RestApp, deps: UsageDeps): void {
  const route = restRoutes(app)
  route('GET /v2/billing', async (request): Promise<BillingView> => {
    const { window, buckets } = await readBilling(deps, keyOf(request).ownerId, request.query)
    const amounts = zeros(AMOUNT_NAMES.total)
    const records = buckets.map(({ range, lines }) => ({ ...times(range), ...amounts, billedSeconds: secondsIn(lines) }))
    return {
      records,
      metadata: { query: { ...times(window), bucketSize: request.query.bucketSize }, recordCount: records.length, totals: amounts },
    }
  })

  route('GET /v2/billing/serverless', async (request): Promise<ServerlessBillingView> => {
    const { serverlessId = null, ...query } = request.query
    const { window, buckets } = await readBilling(deps, keyOf(request).ownerId, query)
    const amounts = zeros(AMOUNT_NAMES.serverless)
    const records = buckets.flatMap(({ range, lines }) =>
      [...Map.groupBy(lines, ({ endpointId }) => endpointId ?? DELETED)]
        .filter(([id]) => serverlessId === null || id === serverlessId)
        .map(([id, own]) => ({ ...times(range), serverlessId: id, ...amounts, billedSeconds: secondsIn(own) })),
    )
    return {
      records,
      metadata: {
        query: { ...times(window), bucketSize: query.bucketSize, serverlessId },
        recordCount: records.length,
        uniqueServerlessCount: new Set(records.map((record) => record.serverlessId)).size,
        totals: amounts,
      },
    }
  })

  registerEmptyBilling(app, deps)
}

function registerEmptyBilling(app: RestApp, deps: UsageDeps): void {
  const route = restRoutes(app)
  for (const [path, { unique, filter, amounts }] of Object.entries(EMPTY) as [keyof typeof EMPTY, (typeof EMPTY)[keyof typeof EMPTY]][]) {
    route(`GET ${path}`, async (request) => {
      const { window } = await readBilling(deps, keyOf(request).ownerId, request.query)
      const asked = filter === undefined ? {} : { [filter]: queryOf(request)[filter] ?? null }
      return {
        records: [],
        metadata: {
          query: { ...times(window), bucketSize: request.query.bucketSize, ...asked },
          recordCount: 0 as const,
          ...(unique === undefined ? {} : { [unique]: 0 }),
          totals: { totalAmount: 0, ...zeros(amounts) },
        },
      }
    })
  }
}

const times = ({ from, to }: UsageRange) => ({ startTime: new Date(from).toISOString(), endTime: new Date(to).toISOString() })
const secondsIn = (lines: readonly UsageLine[]): number => lines.reduce((sum, { billableSeconds }) => sum + billableSeconds, 0)
const zeros = <K extends string>(names: readonly K[]): Record<K, number> =>
  Object.fromEntries(names.map((name) => [name, 0])) as Record<K, number>
