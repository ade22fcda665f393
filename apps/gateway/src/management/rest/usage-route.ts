// GET /runyard/v1/usage: the ledger summed per endpoint, GPU type and state over a range (an extension of ours, for `runyard usage`).
// Endpoints that their owner deleted still count; their name is null then. The default range is the last 24 hours.
import { sumUsage } from '@runyard/core'
import type { UsageOptions } from '@runyard/core'
import type { Config } from '@runyard/schema'
import { BillingState, RunyardError } from '@runyard/schema'
import type { Store } from '@runyard/store'
import { z } from 'zod'
import type { ManagementModel } from '../model.ts'
import { keyOf } from './conventions.ts'
import type { RestApp } from './conventions.ts'
import { Instant } from './instant.ts'

const DAY_MS = 24 * 3600 * 1000

const UsageQuery = z.object({ from: Instant.optional(), to: Instant.optional() })

const UsageShape = z.object({
  from: z.string(),
  to: z.string(),
  usage: z.array(
    z.object({
      endpointId: z.string(),
      endpointName: z.string().nullable(),
      gpuType: z.string().nullable(),
      state: BillingState,
      seconds: z.number(),
      billableSeconds: z.number(),
      gpuSeconds: z.number(),
    }),
  ),
})

export interface UsageDeps {
  readonly model: Pick<ManagementModel, 'list'>
  readonly store: Pick<Store, 'ledger' | 'endpoints'>
  readonly config: Pick<Config, 'billing'>
}

export function registerUsageRoute(app: RestApp, deps: UsageDeps): void {
  app.route({
    method: 'GET',
    url: '/runyard/v1/usage',
    schema: { querystring: UsageQuery, response: { 200: UsageShape } },
    handler: async (request) => {
      const now = Date.now()
      const to = request.query.to ?? now
      const range = { from: request.query.from ?? to - DAY_MS, to }
      if (range.from >= range.to) throw new RunyardError('bad_request', '"from" must lie before "to".')
      const usage = await usageOf(deps, keyOf(request).ownerId, { range, now })
      return { from: new Date(range.from).toISOString(), to: new Date(range.to).toISOString(), usage }
    },
  })
}

async function usageOf({ model, store, config }: UsageDeps, ownerId: string, { range, now }: Pick<UsageOptions, 'range' | 'now'>) {
  const [rows, own, gone] = await Promise.all([store.ledger.rows(range), model.list(ownerId), store.endpoints.goneOf(ownerId)])
  const names = new Map(own.map((endpoint) => [endpoint.id as string, endpoint.name]))
  const visible = rows.filter(({ endpointId }) => names.has(endpointId) || gone.has(endpointId))
  const lines = sumUsage(visible, { range, billedStates: config.billing.states, now })
  return lines.map((line) => ({ ...line, endpointName: names.get(line.endpointId) ?? null }))
}
