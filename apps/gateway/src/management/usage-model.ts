// What an owner used, from the ledger (ADR 43): endpoints that the owner deleted still count.
import { bucketsOf, usageByBucket, type BillingQuery, type Ledger, type UsageRange, type UsedBucket } from '@runyard/core'
import type { Config } from '@runyard/schema'
import type { Store } from '@runyard/store'
import type { ManagementModel } from './model.ts'

export interface UsageDeps {
  readonly model: Pick<ManagementModel, 'list'>
  readonly store: Pick<Store, 'ledger' | 'endpoints'>
  readonly config: Pick<Config, 'billing'>
}

export interface OwnedLedger extends Required<Ledger> {
  /** As asked, or extended to whole days where only their sums are left. */
  readonly range: UsageRange
  /** Of the endpoints that there are. */
  readonly names: ReadonlyMap<string, string>
  /** Of deleted ones. */
  readonly goneNames: ReadonlyMap<string, string>
}

export async function readOwnedLedger({ model, store }: UsageDeps, ownerId: string, asked: UsageRange): Promise<OwnedLedger> {
  const [{ range, rows, days }, own] = await Promise.all([store.ledger.usage(ownerId, asked), model.list(ownerId)])
  const names = new Map(own.map((endpoint) => [endpoint.id as string, endpoint.name]))
  const others = new Set(rows.map(({ endpointId }) => endpointId).filter((id) => !names.has(id)))
  const [owners, gone] = await Promise.all([store.endpoints.goneOwners([...others]), store.endpoints.goneNames([...others])])
  const goneNames = new Map([...gone].filter(([id]) => owners.get(id) === ownerId))
  const visible = rows.filter(({ endpointId }) => names.has(endpointId) || owners.get(endpointId) === ownerId)
  return { range, names, goneNames, rows: visible, days }
}

export interface Billed {
  readonly window: UsageRange
  /** Those in which something was billed. */
  readonly buckets: readonly UsedBucket[]
}

/** @throws RunyardError('bad_request' | 'unprocessable') */
export async function readBilling(deps: UsageDeps, ownerId: string, query: BillingQuery): Promise<Billed> {
  const now = Date.now()
  const ranges = bucketsOf(query, now)
  const window = { from: ranges[0]?.from ?? now, to: ranges.at(-1)?.to ?? now }
  const ledger = await readOwnedLedger(deps, ownerId, window)
  return { window, buckets: usageByBucket(ledger, ranges, { billedStates: deps.config.billing.states, now }) }
}
