// GET /runyard/v1/usage: the ledger summed per endpoint, GPU type and state over a range (an extension of ours, for `runyard usage`).
// Endpoints that their owner deleted still count; their name is null then, and their id, too, where only sums of days are left. The default
// range is the last 24 hours; it is one of whole days where only those sums are left (ADR 43).
import { sumUsage } from '@runyard/core'
import type { UsageOptions } from '@runyard/core'
import { RunyardError } from '@runyard/schema'
import { readOwnedLedger, type UsageDeps } from '../usage-model.ts'
import { keyOf, restRoute } from './conventions.ts'
import type { RestApp } from './conventions.ts'

const DAY_MS = 24 * 3600 * 1000

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

async function usageOf(deps: UsageDeps, ownerId: string, asked: Pick<UsageOptions, 'range' | 'now'>) {
  const { range, names, rows, days } = await readOwnedLedger(deps, ownerId, asked.range)
  const lines = sumUsage({ rows, days }, { range, billedStates: deps.config.billing.states, now: asked.now })
  return { range, lines: lines.map((line) => ({ ...line, endpointName: names.get(line.endpointId ?? '') ?? null })) }
}
