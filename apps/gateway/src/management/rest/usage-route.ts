// GET /runyard/v1/usage: the ledger summed per endpoint, GPU type and state over a range (an extension of ours, for `runyard usage`).
// Endpoints that their owner deleted still count; their name is null then, and their id, too, where only sums of days are left. The default
// range is the last 24 hours; it is one of whole days where only those sums are left (ADR 43).
import { sumUsage } from '@runyard/core'
import type { UsageOptions } from '@runyard/core'
import type { Config } from '@runyard/schema'
import { RunyardError } from '@runyard/schema'
import type { Store } from '@runyard/store'
import type { ManagementModel } from '../model.ts'
import { keyOf, restRoute } from './conventions.ts'
import type { RestApp } from './conventions.ts'

const DAY_MS = 24 * 3600 * 1000

export interface UsageDeps {
  readonly model: Pick<ManagementModel, 'list'>
  readonly store: Pick<Store, 'ledger' | 'endpoints'>
  readonly config: Pick<Config, 'billing'>
}

export function registerUsageRoute(app: RestApp, deps: UsageDeps): void {
  app.route({
    ...restRoute('GET /runyard/v1/usage'),
    handler: async (request) => {
      const now = Date.now()
      const to = request.query.to ?? now
      const range = { from: request.query.from ?? to - DAY_MS, to }
      if (range.from >= range.to) throw new RunyardError('bad_request', '"from" must lie before "to".')
      const used = await usageOf(deps, keyOf(request).ownerId, { range, now })
      return { from: new Date(used.range.from).toISOString(), to: new Date(used.range.to).toISOString(), usage: used.lines }
    },
  })
}

async function usageOf({ model, store, config }: UsageDeps, ownerId: string, asked: Pick<UsageOptions, 'range' | 'now'>) {
  const [{ range, rows, days }, own] = await Promise.all([store.ledger.usage(ownerId, asked.range), model.list(ownerId)])
  const names = new Map(own.map((endpoint) => [endpoint.id as string, endpoint.name]))
  const others = new Set(rows.map(({ endpointId }) => endpointId).filter((id) => !names.has(id)))
  const owners = await store.endpoints.goneOwners([...others])
  const visible = rows.filter(({ endpointId }) => names.has(endpointId) || owners.get(endpointId) === ownerId)
  const lines = sumUsage({ rows: visible, days }, { range, billedStates: config.billing.states, now: asked.now })
  return { range, lines: lines.map((line) => ({ ...line, endpointName: names.get(line.endpointId ?? '') ?? null })) }
}
