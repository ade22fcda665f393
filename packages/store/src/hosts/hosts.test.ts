import type { HostSight } from '@runyard/schema'
import { expect, test } from 'vitest'
import { useStores } from '../testing/test-store.ts'

const stores = useStores()
const HOST = 'docker:ABCD:EFGH with spaces'
const facts = { machine: 'here', pid: 1, dataDir: '/d', since: 5, processTable: '', life: '' }
const sight: HostSight = {
  health: 'ready',
  label: 'box',
  kind: 'docker',
  at: 1,
  inventoryAt: 1,
  claims: { 'GPU-1': 'w1', 'GPU-2': null },
  inventory: {
    hostId: HOST,
    kind: 'docker',
    capabilities: { runsImages: true, isolates: true, gpuChoice: 'uuid', remembersExits: true },
    cpuCount: 8,
    memoryBytes: 1e9,
    gpus: [{ uuid: 'GPU-1', name: 'NVIDIA L4', memoryBytes: 24e9, simulated: false, healthy: true }],
    cudaVersion: '12.4',
  },
}

test('what the leader sees, whether a host rests and what the operator wants are one record with three writers', async () => {
  const { hosts } = await stores.open()
  expect(await hosts.list()).toEqual([])
  const rest = { what: 'gpus', count: 2, lastAt: 5, message: 'nvml error' } as const
  await hosts.putSight(HOST, sight)
  await hosts.putRest(HOST, rest)
  await hosts.putCordon(HOST, { since: 7, reason: 'a fan fails' })
  expect(await hosts.list()).toEqual([{ hostId: HOST, sight, rest, cordon: { since: 7, reason: 'a fan fails' } }])
  expect(await hosts.restraints(['other', HOST])).toEqual(
    new Map([[HOST, { hostId: HOST, rest, cordon: { since: 7, reason: 'a fan fails' } }]]),
  )
  await hosts.putRest(HOST, undefined)
  await hosts.putCordon(HOST, undefined)
  expect(await hosts.list()).toEqual([{ hostId: HOST, sight }])
  await hosts.forget(HOST)
  expect(await hosts.list()).toEqual([])
})

test('a sight gives a signal, unless it is a quiet one', async () => {
  const store = await stores.open()
  const { hosts } = store
  const heard = stores.listen(store)
  await hosts.putSight(HOST, sight)
  await hosts.putSight(HOST, { ...sight, at: 60_001 }, { quiet: true })
  expect(await hosts.list()).toMatchObject([{ sight: { at: 60_001 } }])
  await hosts.putCordon(HOST, { since: 7, reason: 'a fan fails' })
  await expect.poll(() => heard).toEqual([{ kind: 'pool-changed' }, { kind: 'pool-changed' }])
})

test('a leader of an earlier term writes nothing of a host', async () => {
  const store = await stores.open()
  const first = await store.leader.hold('one', { ttlMs: 60_000, facts })
  await store.leader.release('one')
  await store.leader.hold('two', { ttlMs: 60_000, facts })
  const old = store.underTerm(first.kind === 'held' ? first.term : 0)
  await expect(old.hosts.putSight(HOST, sight)).rejects.toMatchObject({ code: 'stale_term' })
  expect(await store.hosts.list()).toEqual([])
})

test('a damaged record is named', async () => {
  const store = await stores.open()
  await stores.raw().hset(`${stores.prefix()}:{@}:hosts`, `cordon ${HOST}`, '{}')
  await expect(store.hosts.list()).rejects.toThrow(`The record of host ${HOST} in Redis cannot be read (cordon.since`)
})
