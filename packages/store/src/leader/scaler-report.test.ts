import { expect, test } from 'vitest'
import { useStores } from '../testing/test-store.ts'

const stores = useStores()
const facts = { machine: 'm', pid: 1, dataDir: '/d', since: 1, processTable: '', life: '' }
const report = (at: number) => ({
  at,
  metrics: {
    runyard_scaler_actions_in_flight: [{ values: [], reading: { value: 2 } }],
    runyard_scaler_tick_seconds: [{ values: [], reading: { counts: [1, 0], sum: 0.5, count: 1 } }],
  },
})

test('a gateway reads the latest report of the leader, and a scaler of an earlier term writes none', async () => {
  const store = await stores.open()
  expect(await store.scalerReport.get()).toBeUndefined()
  const first = await store.leader.hold('one', { ttlMs: 60_000, facts })
  const old = store.underTerm(first.kind === 'held' ? first.term : 0)
  await old.scalerReport.put(report(1))
  await store.leader.release('one')
  const second = await store.leader.hold('two', { ttlMs: 60_000, facts })
  await store.underTerm(second.kind === 'held' ? second.term : 0).scalerReport.put(report(2))
  await expect(old.scalerReport.put(report(3))).rejects.toMatchObject({ code: 'stale_term' })
  expect(await store.scalerReport.get()).toEqual(report(2))
})
