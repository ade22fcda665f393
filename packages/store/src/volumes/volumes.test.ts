import { expect, test } from 'vitest'
import { useStores } from '../testing/test-store.ts'

const stores = useStores()

test('a volume has one store, however many scalers choose one', async () => {
  const [one, two] = [await stores.open(), await stores.open()]
  const claims = await Promise.all(
    [one, two].flatMap((store, n) => [store.volumes.claim('v1', `host ${n}`), store.volumes.claim('v1', 'other')]),
  )
  expect(new Set(claims).size).toBe(1)
  expect(await one.volumes.stores()).toEqual(new Map([['v1', claims[0]]]))
})

test('a scaler of an earlier term chooses no store', async () => {
  const store = await stores.open()
  const facts = { machine: 'x', pid: 1, dataDir: '/d', since: 5, processTable: '', life: '' }
  const lead = async (owner: string): Promise<number> => {
    const held = await store.leader.hold(owner, { ttlMs: 60_000, facts })
    if (held.kind !== 'held') throw new Error(`${owner} does not lead`)
    return held.term
  }
  const old = store.underTerm(await lead('one'))
  await old.volumes.claim('v1', 'host a')
  await store.leader.release('one')
  await store.underTerm(await lead('two')).volumes.claim('v1', 'host a')
  await expect(old.volumes.claim('v2', 'host b')).rejects.toMatchObject({ code: 'stale_term' })
  expect([...(await store.volumes.stores()).keys()]).toEqual(['v1'])
})

test('a removal stays until the data is gone, or until it is dropped', async () => {
  const store = await stores.open()
  const removal = { id: 'v1', name: 'models', ownerId: 'owner', at: 1 }
  await store.volumes.claim('v1', 'host a')
  await store.volumes.putRemoval(removal)
  await store.volumes.putRemoval({ ...removal, id: 'v2' })
  await store.volumes.dropRemoval('v2')
  expect(await store.volumes.removals()).toEqual([removal])
  await store.volumes.forget('v1')
  expect(await store.volumes.removals()).toEqual([])
  expect((await store.volumes.stores()).size).toBe(0)
})
