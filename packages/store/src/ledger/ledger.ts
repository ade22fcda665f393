// The billing ledger: open intervals, closed rows by their end, old rows added up by day, and totals that only grow. A worker has at most one open
// interval; the next begins where it ends, so the rows of a worker never overlap and sum to its wall time (docs/monitoring.md, Billing).
import type { BillingState, LedgerDay, LedgerRow, Reason } from '@runyard/schema'
import type { StoreContext } from '../context.ts'
import { findOwners, createLedgerReads } from './ledger-reads.ts'
import { createLedgerTidy } from './ledger-tidy.ts'
import { readLedgerRow } from '../data/records.ts'
import { defineLua, defineScript } from '../scripts/define-script.ts'
import { list, nothing, row, text } from '../scripts/replies.ts'

export interface LedgerTotal {
  /** null: of the endpoints that this owner deleted. */
  readonly endpointId: string | null
  /** '' if it is no longer known. */
  readonly ownerId: string
  readonly gpuType: string | null
  readonly state: BillingState
  readonly seconds: number
}

interface Range {
  readonly from: number
  readonly to: number
}

export interface LedgerUsage {
  /** As asked for, or of whole days where only their sums are left. */
  readonly range: Range
  /** Everybody's that overlap it, open ones without `to`. */
  readonly rows: readonly LedgerRow[]
  /** The owner's. */
  readonly days: readonly LedgerDay[]
}

export interface LedgerStore {
  /** Closes the worker's open interval at `at` and opens one in `state`, which inherits host, cards, key and reason; the same state again changes nothing; time never runs backwards. */
  transition(row: Omit<LedgerRow, 'from' | 'to'> & { at: number }): Promise<void>
  /** Closes the worker's last interval. */
  close(workerId: string, at: number, reason?: Reason): Promise<void>
  currentState(workerId: string): Promise<BillingState | undefined>
  /** How many workers have an interval that has not ended. */
  openIntervals(): Promise<number>
  /** Rows that overlap [from, to), open ones without `to`; those that were added up by day are not among them. */
  rows(range: Range): Promise<readonly LedgerRow[]>
  /** What an owner's usage is summed from: each interval in a row or in its days, never in both. */
  usage(ownerId: string, range: Range): Promise<LedgerUsage>
  /**
   * Seconds so far per endpoint, GPU type and state, those of deleted endpoints per owner; open intervals counted up to `now`. Never shrinks: read by
   * `/metrics`.
   */
  totals(now: number): Promise<readonly LedgerTotal[]>
  /**
   * Adds up by day what ended before the UTC midnight `keepMs` ago, and per owner what is left of endpoints that were deleted a week earlier than that;
   * removes open intervals whose worker has no record. May be broken off anywhere and done twice.
   */
  tidy(now: number, keepMs: number): Promise<LedgerTidied>
}

export interface LedgerTidied {
  /** Intervals that became days. */
  readonly rolledUp: number
  /** Endpoints that nothing is remembered of any more. */
  readonly forgotten: number
  /** Open intervals without a worker. */
  readonly dropped: number
}

const closeLua = defineLua({ lua: new URL('./close-interval.lua', import.meta.url) })

const transitionScript = defineScript({
  lua: new URL('./transition.lua', import.meta.url),
  uses: [closeLua],
  keys: ['open', 'rows', 'totals'],
  /** `row`: without its times. */
  args: { worker: 'text', row: 'text', at: 'number' },
  reply: nothing,
})

const closeScript = defineScript({
  lua: new URL('./close.lua', import.meta.url),
  uses: [closeLua],
  keys: ['open', 'rows', 'totals'],
  args: { worker: 'text', at: 'number', reason: 'text' },
  reply: nothing,
})

const totalsScript = defineScript({
  lua: new URL('./totals.lua', import.meta.url),
  keys: ['open', 'totals'],
  /** Totals: names and values, alternating. */
  reply: row({ openRows: list(text), flat: list(text) }),
})

export function createLedgerStore(context: StoreContext): LedgerStore {
  const { client, keys, run } = context
  const { open, rows, totals } = keys.ledger
  return {
    async transition({ at, ...interval }) {
      const { workerId: worker } = interval
      await run(transitionScript, { open, rows, totals, worker, row: JSON.stringify(interval), at: Math.round(at) })
    },

    async close(workerId, at, reason) {
      await run(closeScript, { open, rows, totals, worker: workerId, at: Math.round(at), reason: reason ?? '' })
    },

    async currentState(workerId) {
      const stored = await client.hget(open, workerId)
      return stored === null ? undefined : readLedgerRow(stored).state
    },

    openIntervals: () => client.hlen(open),

    totals: createTotals(context),
    ...createLedgerReads(context),
    ...createLedgerTidy(context),
  }
}

/** As it is written in Redis: that of a deleted endpoint bears no id, but an owner, once it was added to the owner's. */
type TotalName = readonly [endpointId: string, gpuType: string | null, state: BillingState, ownerId?: string]

const parseName = (name: string): TotalName => JSON.parse(name)

function createTotals(context: StoreContext): LedgerStore['totals'] {
  const { keys, run } = context
  const atLeast = createHighWater()
  return async (now) => {
    const { open, totals } = keys.ledger
    const { openRows, flat } = await run(totalsScript, { open, totals })
    const found: [TotalName, number][] = []
    for (let at = 0; at + 1 < flat.length; at += 2) found.push([parseName(flat[at] ?? ''), Number(flat[at + 1])])
    for (const { endpointId, gpuType, state, from } of openRows.map(readLedgerRow)) {
      found.push([[endpointId, gpuType, state], Math.max(0, now - from)])
    }
    const ownerOf = await findOwners(
      context,
      found.map(([[id]]) => id),
    )
    const sums = new Map<string, number>()
    for (const [[id, gpuType, state, folded], ms] of found) {
      const { ownerId, isGone } = ownerOf(id)
      const key = JSON.stringify([isGone ? '' : id, gpuType, state, folded ?? ownerId] satisfies TotalName)
      sums.set(key, (sums.get(key) ?? 0) + ms)
    }
    return [...atLeast(sums)].map(([key, ms]) => toTotal(key, ms))
  }
}

/**
 * An open interval counted up to `now` may be closed at a time shortly before (the container's own end): a returned total is never
 * taken back. Held per process, as the counters that read it are, and for what there is: a name that is gone is forgotten.
 */
function createHighWater(): (values: ReadonlyMap<string, number>) => ReadonlyMap<string, number> {
  let highest: ReadonlyMap<string, number> = new Map()
  return (values) => {
    highest = new Map([...values].map(([name, value]) => [name, Math.max(value, highest.get(name) ?? 0)]))
    return highest
  }
}

function toTotal(key: string, ms: number): LedgerTotal {
  const [endpointId, gpuType, state, ownerId = ''] = parseName(key)
  return { endpointId: endpointId === '' ? null : endpointId, ownerId, gpuType, state, seconds: ms / 1000 }
}
