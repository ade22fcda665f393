// Reads the ledger: rows page by page, so that a long range does not delay other calls, and old rows as sums of days.
import { DAY_MS, toWholeDays } from '@runyard/core'
import { RunyardError, type BillingState, type LedgerDay, type LedgerRow } from '@runyard/schema'
import type { StoreContext } from '../context.ts'
import type { LedgerStore } from './ledger.ts'
import { readLedgerRow } from '../data/records.ts'
import { createEndpointLists } from '../endpoints/endpoint-lists.ts'

/** About a megabyte. */
const ROWS_A_PAGE = 5000
/** Rows become days once an hour, in some steps. */
const MAX_TRIES = 20

/** The last two are absent where they were not recorded. */
type DayField = readonly [date: string, endpointId: string, gpuType: string | null, state: BillingState, hostId?: string, keyId?: string]
type DayName = Pick<LedgerDay, 'day' | 'endpointId' | 'gpuType' | 'state' | 'hostId' | 'keyId'>

/** `endpointId` null becomes ''. */
export function dayField({ day, endpointId, gpuType, state, hostId, keyId }: DayName): string {
  const name = [new Date(day).toISOString().slice(0, 10), endpointId ?? '', gpuType, state] as const
  const field: DayField = hostId === undefined && keyId === undefined ? name : [...name, hostId ?? '', keyId ?? '']
  return JSON.stringify(field)
}

export function parseDay(field: string, value: string): LedgerDay {
  const [date, endpointId, gpuType, state, hostId, keyId]: DayField = JSON.parse(field)
  const [seconds, gpuSeconds] = value.split(' ').map(Number)
  const id = endpointId === '' ? null : endpointId
  const where = { ...(hostId ? { hostId } : {}), ...(keyId ? { keyId } : {}) }
  return { day: Date.parse(date), endpointId: id, gpuType, state, ...where, seconds: seconds ?? 0, gpuSeconds: gpuSeconds ?? 0 }
}

export function createLedgerReads({ client, keys }: Pick<StoreContext, 'client' | 'keys'>): Pick<LedgerStore, 'rows' | 'usage'> {
  const { open, rows: closed, rolled } = keys.ledger

  /** Open ones first: one that is closed meanwhile is then found twice, and not never. */
  async function rows({ from, to }: { from: number; to: number }): Promise<readonly LedgerRow[]> {
    const openRows = (await client.hvals(open)).map(readLedgerRow)
    const found: LedgerRow[] = []
    let page: readonly LedgerRow[]
    let next = { min: `(${from}`, skip: 0 }
    do {
      page = (await client.zrangebyscore(closed, next.min, '+inf', 'LIMIT', next.skip, ROWS_A_PAGE)).map(readLedgerRow)
      for (const row of page) if (row.from < to) found.push(row)
      const last = page.at(-1)?.to
      const atLast = page.filter((row) => row.to === last).length
      next = { min: String(last), skip: next.min === String(last) ? next.skip + atLast : atLast }
    } while (page.length === ROWS_A_PAGE)
    const ended = new Set(found.map(nameOf))
    return [...found, ...openRows.filter((row) => row.from < to && !ended.has(nameOf(row)))]
  }

  async function days(ownerId: string): Promise<readonly LedgerDay[]> {
    return Object.entries(await client.hgetall(keys.ledger.days(ownerId))).map(([field, value]) => parseDay(field, value))
  }

  return {
    rows,

    async usage(ownerId, asked) {
      for (let attempt = 0; attempt < MAX_TRIES; attempt += 1) {
        const [until, moves] = await client.hmget(rolled, 'until', 'moves')
        const range = toWholeDays(asked, Number(until ?? 0))
        const [read, added] = [await rows(range), range.from < Number(until ?? 0) ? await days(ownerId) : []]
        const inside = added.filter(({ day }) => day + DAY_MS > range.from && day < range.to)
        if ((await client.hget(rolled, 'moves')) === moves) return { range, rows: read, days: inside }
      }
      throw new RunyardError('conflict', 'The ledger is being added up by day; try again.')
    },
  }
}

const nameOf = ({ workerId, from }: LedgerRow): string => `${workerId} ${from}`

interface LedgerOwner {
  /** '' if it is no longer known. */
  readonly ownerId: string
  readonly isGone: boolean
}

/** Also of deleted endpoints. */
export async function findOwners(context: StoreContext, ids: Iterable<string>): Promise<(endpointId: string) => LedgerOwner> {
  const lists = createEndpointLists(context)
  const live = new Map((await lists.all()).map(({ id, ownerId }) => [id as string, ownerId]))
  const gone = await lists.goneOwners([...new Set(ids)].filter((id) => !live.has(id)))
  return (id) => ({ ownerId: live.get(id) ?? gone.get(id) ?? '', isGone: !live.has(id) })
}
