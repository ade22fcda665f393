// /billing of REST v1 (management §2.5), which runpodctl still asks. Amounts are 0, because there are no prices; `timeBilledMs` is the time of workers,
// not multiplied by their GPUs.
import type { UsageLine } from '@runyard/core'
import { RunyardError } from '@runyard/schema'
import type { V1BillingView } from '@runyard/schema/api'
import { keyOf, v1Routes, type RestApp } from '../rest/conventions.ts'
import { readBilling, type UsageDeps } from '../usage-model.ts'

export function registerBillingRoutes(app: RestApp, deps: UsageDeps): void {
  const route = v1Routes(app)
  route('GET /v1/billing/endpoints', async (request): Promise<V1BillingView> => {
    const { grouping, endpointId, gpuTypeId: gpuTypes, ...query } = request.query
    if (grouping === 'podId')
      throw new RunyardError('bad_request', 'What was used is kept per endpoint and GPU type here, not per worker; use another "grouping".')
    const { buckets } = await readBilling(deps, keyOf(request).ownerId, query)
    const isWanted = (line: UsageLine): boolean =>
      (endpointId === undefined || line.endpointId === endpointId) && (gpuTypes === undefined || gpuTypes.includes(line.gpuType ?? ''))
    return buckets.flatMap(({ range, lines }) =>
      [...Map.groupBy(lines.filter(isWanted), (line) => (grouping === 'endpointId' ? line.endpointId : line.gpuType) ?? '')].map(
        ([key, own]) => ({
          time: new Date(range.from).toISOString(),
          amount: 0,
          timeBilledMs: own.reduce((sum, { billableSeconds }) => sum + billableSeconds * 1000, 0),
          diskSpaceBilledGb: 0,
          [grouping]: key,
        }),
      ),
    )
  })
  route('GET /v1/billing/pods', () => [])
  route('GET /v1/pods', () => [])
  route('GET /v1/billing/networkvolumes', () => [])
}
