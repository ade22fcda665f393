// What ends in the ledger: old rows become days, deleted endpoints become their owner's, and no sum changes by it (ADR 43).
import { DAY_MS, sumUsage } from '@runyard/core'
import * as fc from 'fast-check'
import type { BillingState } from '@runyard/schema'
import { workerRecord } from '@runyard/testing/records'
import { describe, expect, test } from 'vitest'
import { endpoint } from '../testing/endpoint-fixture.ts'
import { useStores, type Store } from '../testing/test-store.ts'

const stores = useStores()
const DAY = Date.parse('2026-01-01T00:00:00Z')
const KEEP_MS = 90 * DAY_MS
/** When the first `days` days and no others are added up. */
const tidyDay = (days: number) => DAY + days * DAY_MS + KEEP_MS
const keyOf = (name: string) => `${stores.prefix()}:{@}:${name}`

async function openWith(...ids: readonly string[]): Promise<Store> {
  const store = await stores.open()
  for (const id of ids) await store.endpoints.upsert({ id }, () => endpoint(id))
  return store
}

interface Interval {
  readonly from: number
  readonly to: number
  readonly endpointId?: string
  readonly state?: BillingState
  readonly gpuCount?: number
}

let workers = 0
async function live({ ledger }: Store, { from, to, endpointId = 'ep-1', state = 'running', gpuCount = 1 }: Interval): Promise<void> {
  workers += 1
  const workerId = `w${workers}`
  await ledger.transition({ workerId, endpointId, gpuType: 'NVIDIA L4', gpuCount, state, at: DAY + from })
  await ledger.close(workerId, DAY + to)
}

async function usageOf({ ledger }: Store, range = { from: 0, to: DAY + 1000 * DAY_MS }, ownerId = 'owner') {
  const { range: whole, ...used } = await ledger.usage(ownerId, range)
  return sumUsage(used, { range: whole, billedStates: ['running', 'initializing'], now: DAY + 1000 * DAY_MS })
}

describe('old rows', () => {
  test('become days of their owner and are rows no more; newer ones stay', async () => {
    const store = await openWith('ep-1')
    await live(store, { from: DAY_MS - 500, to: DAY_MS + 500, gpuCount: 2 })
    await live(store, { from: 3000, to: 4500 })
    await live(store, { from: DAY_MS, to: 2 * DAY_MS + 1 })
    const before = await usageOf(store)
    expect(await store.ledger.tidy(tidyDay(2), KEEP_MS)).toEqual({ rolledUp: 2, forgotten: 0, dropped: 0 })
    expect(await store.ledger.rows({ from: 0, to: Infinity })).toHaveLength(1)
    const line = { endpointId: 'ep-1', gpuType: 'NVIDIA L4', state: 'running' }
    const { days } = await store.ledger.usage('owner', { from: 0, to: DAY + 9 * DAY_MS })
    expect(days.toSorted((a, b) => a.day - b.day)).toEqual([
      { ...line, day: DAY, seconds: 3, gpuSeconds: 4 },
      { ...line, day: DAY + DAY_MS, seconds: 1, gpuSeconds: 2 },
    ])
    expect(await usageOf(store)).toEqual(before)
    expect(await store.ledger.usage('other', { from: 0, to: DAY + 9 * DAY_MS })).toMatchObject({ days: [] })
    expect(await store.ledger.tidy(tidyDay(2), KEEP_MS)).toEqual({ rolledUp: 0, forgotten: 0, dropped: 0 })
  })

  test('are returned in whole days afterwards, and the response says which range that is', async () => {
    const store = await openWith('ep-1')
    await live(store, { from: 1000, to: 2000 })
    const half = { from: DAY + DAY_MS / 2, to: DAY + 20 * DAY_MS }
    expect(await usageOf(store, half)).toEqual([])
    await store.ledger.tidy(tidyDay(5), KEEP_MS)
    expect((await store.ledger.usage('owner', half)).range).toEqual({ from: DAY, to: half.to })
    expect(await usageOf(store, half)).toMatchObject([{ seconds: 1 }])
    const later = { from: DAY + 5 * DAY_MS + 1, to: half.to }
    expect((await store.ledger.usage('owner', later)).range).toEqual(later)
  })

  test('stay added up where more days are kept from then on', async () => {
    const store = await openWith('ep-1')
    await live(store, { from: 0, to: 1000 })
    await live(store, { from: DAY_MS, to: DAY_MS + 1000 })
    await store.ledger.tidy(tidyDay(2), KEEP_MS)
    await live(store, { from: 0, to: 1000 })
    await store.ledger.tidy(tidyDay(2), KEEP_MS + DAY_MS)
    expect((await usageOf(store, { from: DAY, to: DAY + 3 * DAY_MS }))[0]?.seconds).toBe(3)
  })

  test('sum to the same in every range of whole days, however often they are added up, even by two processes at once', async () => {
    const at = fc.integer({ min: 0, max: 8 * DAY_MS })
    const interval = fc.record({
      from: at,
      ms: fc.integer({ min: 1, max: 3 * DAY_MS }),
      endpointId: fc.constantFrom('ep-1', 'ep-2'),
      state: fc.constantFrom('running' as const, 'outdated' as const),
      gpuCount: fc.integer({ min: 0, max: 3 }),
    })
    const day = fc.integer({ min: 0, max: 12 })
    await fc.assert(
      fc.asyncProperty(fc.array(interval, { maxLength: 10 }), fc.array(day, { maxLength: 3 }), day, async (intervals, steps, cut) => {
        await stores.raw().flushall()
        const store = await openWith('ep-1', 'ep-2')
        const other = await stores.open()
        for (const { ms, ...one } of intervals) await live(store, { ...one, to: one.from + ms })
        const ranges = [
          { from: 0, to: DAY + cut * DAY_MS },
          { from: DAY + cut * DAY_MS, to: DAY + 99 * DAY_MS },
        ]
        const before = await Promise.all(ranges.map((range) => usageOf(store, range)))
        for (const days of steps) {
          const [during] = await Promise.all([
            usageOf(store, ranges[0]),
            ...[store, other].map(({ ledger }) => ledger.tidy(tidyDay(days), KEEP_MS)),
          ])
          expect(during).toEqual(before[0])
          expect(await Promise.all(ranges.map((range) => usageOf(other, range)))).toEqual(before)
        }
      }),
      { numRuns: 25 },
    )
  })

  test('are read in pages, none twice and none left out', async () => {
    const store = await openWith('ep-1')
    const row = { endpointId: 'ep-1', gpuType: null, gpuCount: 0, state: 'running', from: DAY }
    const members = Array.from({ length: 12_001 }, (_, n) => {
      // Many end at the same time.
      const to = DAY + 1 + Math.floor(n / 7000)
      return [String(to), JSON.stringify({ ...row, workerId: `w${n}`, to })]
    })
    await stores.raw().zadd(keyOf('ledger-rows'), ...members.flat())
    const found = await store.ledger.rows({ from: 0, to: Infinity })
    expect(new Set(found.map(({ workerId }) => workerId)).size).toBe(12_001)
    expect(found).toHaveLength(12_001)
  })
})

describe('a deleted endpoint', () => {
  const totals = async ({ ledger }: Store) =>
    (await ledger.totals(DAY)).map(({ endpointId, ownerId, seconds }) => ({ endpointId, ownerId, seconds }))

  async function remove({ endpoints }: Store, id: string): Promise<void> {
    await endpoints.delete(id)
    await endpoints.forget(id)
  }

  test('is its owner’s in the totals, however many there were, and the sum goes on growing', async () => {
    const store = await openWith('ep-1', 'ep-2', 'ep-3')
    for (const endpointId of ['ep-1', 'ep-2', 'ep-3']) await live(store, { endpointId, from: 0, to: 1000 })
    expect(await totals(store)).toHaveLength(3)
    await store.endpoints.delete('ep-1')
    const gone = { endpointId: null, ownerId: 'owner' }
    expect(await totals(store)).toContainEqual({ ...gone, seconds: 1 })
    await store.endpoints.forget('ep-1')
    await remove(store, 'ep-2')
    expect((await totals(store)).toSorted((a, b) => a.seconds - b.seconds)).toEqual([
      { endpointId: 'ep-3', ownerId: 'owner', seconds: 1 },
      { ...gone, seconds: 2 },
    ])
    expect(await stores.raw().hlen(keyOf('ledger-totals'))).toBe(2)
    await live(store, { endpointId: 'ep-1', from: 0, to: 2000 })
    expect(await totals(store)).toContainEqual({ ...gone, seconds: 4 })
    await store.ledger.tidy(DAY, KEEP_MS)
    expect(await stores.raw().hlen(keyOf('ledger-totals'))).toBe(2)
    expect(await totals(store)).toContainEqual({ ...gone, seconds: 4 })
  })

  test('keeps its owner until a week after its last row could be one, and then is one of the deleted', async () => {
    const store = await openWith('ep-1')
    await live(store, { from: 0, to: 1500 })
    await store.ledger.tidy(tidyDay(1), KEEP_MS)
    const deletedAt = Date.now()
    await remove(store, 'ep-1')
    const before = await usageOf(store)
    expect(before).toMatchObject([{ endpointId: 'ep-1', seconds: 2 }])
    const later = (days: number) => store.ledger.tidy(deletedAt + KEEP_MS + days * DAY_MS, KEEP_MS)
    expect(await later(6)).toMatchObject({ forgotten: 0 })
    expect(await store.endpoints.goneOwners(['ep-1', 'ep-2'])).toEqual(new Map([['ep-1', 'owner']]))
    expect(await store.endpoints.goneNames(['ep-1', 'ep-2'])).toEqual(new Map([['ep-1', expect.any(String)]]))
    expect(await later(8)).toMatchObject({ forgotten: 1 })
    expect(await store.endpoints.goneOwners(['ep-1'])).toEqual(new Map())
    expect(await usageOf(store)).toEqual(before.map((line) => ({ ...line, endpointId: null })))
    expect(await stores.raw().exists(keyOf('endpoint-owners'), keyOf('endpoint-owners-since'))).toBe(0)
  })

  test('of an earlier release, whose deletion has no date, is dated when that release’s data is opened', async () => {
    const now = Date.now()
    await stores.raw().hset(keyOf('endpoint-owners'), 'old', 'owner')
    const store = await stores.open()
    expect(await store.ledger.tidy(now, KEEP_MS)).toMatchObject({ forgotten: 0 })
    expect(await store.ledger.tidy(now + KEEP_MS + 8 * DAY_MS, KEEP_MS)).toMatchObject({ forgotten: 1 })
  })

  test('whose rows become days afterwards counts as deleted from the start, and rows without an owner are not lost', async () => {
    const store = await openWith('ep-1')
    await live(store, { from: 0, to: 1000 })
    await live(store, { endpointId: 'never', from: 0, to: 1000 })
    await remove(store, 'ep-1')
    await store.ledger.tidy(tidyDay(1), KEEP_MS)
    expect(await usageOf(store)).toMatchObject([{ endpointId: null, seconds: 1 }])
    expect(await usageOf(store, undefined, '')).toMatchObject([{ endpointId: null, seconds: 1 }])
  })
})

test('an open interval whose worker has no record is dropped after an hour, that of a worker goes on', async () => {
  const store = await openWith('ep-1')
  await store.workers.create(workerRecord('there'))
  const now = Date.now()
  const open = (workerId: string, at: number) =>
    store.ledger.transition({ workerId, endpointId: 'ep-1', gpuType: null, gpuCount: 0, state: 'running', at })
  await open('there', now - 2 * 3_600_000)
  await open('gone', now - 2 * 3_600_000)
  await open('young', now - 1000)
  expect(await store.ledger.tidy(now, KEEP_MS)).toEqual({ rolledUp: 0, forgotten: 0, dropped: 1 })
  expect((await store.ledger.rows({ from: 0, to: now })).map(({ workerId }) => workerId).toSorted()).toEqual(['there', 'young'])
})

test('what the totals remember in a process is what there is', async () => {
  const store = await openWith('ep-1')
  await store.ledger.transition({ workerId: 'w', endpointId: 'ep-1', gpuType: null, gpuCount: 0, state: 'running', at: DAY })
  expect(await store.ledger.totals(DAY + 5000)).toMatchObject([{ seconds: 5 }])
  await store.ledger.close('w', DAY + 4000)
  expect(await store.ledger.totals(DAY + 5000)).toMatchObject([{ seconds: 5 }])
  await stores.raw().del(keyOf('ledger-totals'))
  expect(await store.ledger.totals(DAY)).toEqual([])
  await live(store, { from: 0, to: 1000 })
  expect(await store.ledger.totals(DAY)).toMatchObject([{ seconds: 1 }])
})
