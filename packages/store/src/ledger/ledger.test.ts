// The billing ledger: intervals that never overlap and sum to wall time, totals that only grow.
import { BILLING_STATES } from '@runyard/schema'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { endpoint } from '../testing/endpoint-fixture.ts'
import { useStores, type Store } from '../testing/test-store.ts'

const stores = useStores()
const T0 = 1_764_000_000_000
const row = (workerId: string, gpuType: string | null = null) => ({ workerId, endpointId: 'ep-1', gpuType, gpuCount: 1 })
const always = { from: 0, to: Number.MAX_SAFE_INTEGER }

async function open(): Promise<Store> {
  const store = await stores.open()
  await store.endpoints.upsert({ id: 'ep-1' }, () => endpoint('ep-1'))
  return store
}

describe('ledger', () => {
  test('each change closes one interval and opens the next', async () => {
    const { ledger } = await open()
    await ledger.transition({ ...row('w1', 'NVIDIA L4'), state: 'initializing', at: T0 })
    await ledger.transition({ ...row('w1', 'NVIDIA L4'), state: 'running', at: T0 + 1000 })
    await ledger.transition({ ...row('w1', 'NVIDIA L4'), state: 'running', at: T0 + 1500 })
    expect(await ledger.currentState('w1')).toBe('running')
    expect(await ledger.rows(always)).toEqual([
      { ...row('w1', 'NVIDIA L4'), state: 'initializing', from: T0, to: T0 + 1000 },
      { ...row('w1', 'NVIDIA L4'), state: 'running', from: T0 + 1000 },
    ])
    expect(await ledger.totals(T0 + 3000)).toEqual([
      { endpointId: 'ep-1', ownerId: 'owner', gpuType: 'NVIDIA L4', state: 'initializing', seconds: 1 },
      { endpointId: 'ep-1', ownerId: 'owner', gpuType: 'NVIDIA L4', state: 'running', seconds: 2 },
    ])
    await ledger.close('w1', T0 + 4000)
    await ledger.close('w1', T0 + 9000)
    expect(await ledger.currentState('w1')).toBeUndefined()
    expect((await ledger.totals(T0 + 9000)).map(({ seconds }) => seconds)).toEqual([1, 3])
  })

  test('a worker without a GPU keeps null as its type', async () => {
    const { ledger } = await open()
    await ledger.transition({ ...row('w1'), state: 'running', at: T0 })
    await ledger.close('w1', T0 + 500)
    expect(await ledger.rows(always)).toEqual([{ ...row('w1'), state: 'running', from: T0, to: T0 + 500 }])
    expect(await ledger.totals(T0)).toEqual([{ endpointId: 'ep-1', ownerId: 'owner', gpuType: null, state: 'running', seconds: 0.5 }])
  })

  test('rows are those that overlap the range', async () => {
    const { ledger } = await stores.open()
    for (const [n, state] of (['initializing', 'running', 'outdated'] as const).entries()) {
      await ledger.transition({ ...row('w1'), state, at: T0 + n * 1000 })
    }
    const states = async (from: number, to: number) => (await ledger.rows({ from: T0 + from, to: T0 + to })).map(({ state }) => state)
    expect(await states(-500, 0)).toEqual([])
    expect(await states(0, 1)).toEqual(['initializing'])
    expect(await states(1000, 2000)).toEqual(['running'])
    expect(await states(999, 2001)).toEqual(['initializing', 'running', 'outdated'])
    expect(await states(9000, 9001)).toEqual(['outdated'])
  })

  test('totals never decrease', async () => {
    const { ledger } = await open()
    await ledger.transition({ ...row('w1'), state: 'running', at: T0 })
    expect((await ledger.totals(T0 + 2000))[0]?.seconds).toBe(2)
    await ledger.close('w1', T0 + 1500)
    expect((await ledger.totals(T0 + 2500))[0]?.seconds).toBe(2)
  })

  test('whatever is reported when, rows never overlap and sum to the totals', async () => {
    const { endpoints, ledger } = await stores.open()
    let run = 0
    const change = fc.record({
      worker: fc.constantFrom('a', 'b'),
      state: fc.option(fc.constantFrom(...BILLING_STATES), { nil: undefined }),
      at: fc.integer({ min: 0, max: 1000 }),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(change, { maxLength: 25 }), async (changes) => {
        run += 1
        const endpointId = `ep-${run}`
        await endpoints.upsert({ id: endpointId }, () => endpoint(endpointId))
        for (const { worker, state, at } of changes) {
          const workerId = `${worker}-${run}`
          if (state === undefined) await ledger.close(workerId, T0 + at)
          else await ledger.transition({ ...row(workerId), endpointId, state, at: T0 + at })
        }
        for (const worker of ['a', 'b']) await ledger.close(`${worker}-${run}`, T0 + 2000)
        const rows = (await ledger.rows(always)).filter((one) => one.endpointId === endpointId)
        const total = (await ledger.totals(T0)).filter((one) => one.endpointId === endpointId).reduce((sum, one) => sum + one.seconds, 0)
        expect(rows.reduce((sum, one) => sum + ((one.to ?? NaN) - one.from) / 1000, 0)).toBeCloseTo(total, 6)
        for (const one of rows) expect(one.to).toBeGreaterThan(one.from)
      }),
      { numRuns: 40 },
    )
  })
})
