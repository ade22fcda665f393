// Cards between two workers. That a card has one holder is shown with the fence, in leader.test.ts.
import { hostname } from 'node:os'
import type { CardClaim, RunyardError, WorkerRecord } from '@runyard/schema'
import { workerRecord } from '@runyard/testing/records'
import { expect, test } from 'vitest'
import { useStores, type Store } from '../testing/test-store.ts'

const stores = useStores()
const EP = 'ep-1'
const conflict: unknown = expect.objectContaining({ code: 'conflict' } satisfies Partial<RunyardError>)
const quarantined: CardClaim = {
  kind: 'quarantined',
  workerId: 'w1',
  since: 5,
  quarantines: [5],
  cause: 'not_released',
  message: 'memory is used',
}

function withCard(id: string, uuid: string, simulated = false): WorkerRecord {
  return workerRecord(id, { gpus: [{ uuid, name: 'NVIDIA L4', simulated }] })
}

async function released({ workers, cards }: Store) {
  await workers.create(withCard('w1', 'GPU-1'))
  await workers.remove(EP, 'w1', undefined)
  const [card] = await cards.list()
  if (card === undefined) throw new Error('the card has no claim')
  return card
}

test('the card of a removed worker is in release, and no worker gets it until the leader writes that it is free', async () => {
  const store = await stores.open()
  const { workers, cards } = store
  const card = await released(store)
  expect(card).toMatchObject({ uuid: 'GPU-1', claim: { kind: 'releasing', workerId: 'w1', quarantines: [] } })
  await expect(workers.create(withCard('w2', 'GPU-1'))).rejects.toEqual(conflict)
  expect(await cards.putClaim(card, quarantined)).toBe(true)
  await expect(workers.create(withCard('w2', 'GPU-1'))).rejects.toEqual(conflict)
  // It was read before the change.
  expect(await cards.putClaim(card, undefined)).toBe(false)
  const [now] = await cards.list()
  expect(now?.claim).toEqual(quarantined)
  if (now !== undefined) await cards.putClaim(now, undefined)
  await workers.create(withCard('w2', 'GPU-1'))
})

test('the card of a worker that is removed stays in quarantine, and what was seen before its end proves nothing', async () => {
  const store = await stores.open()
  const { workers, cards } = store
  await workers.create(withCard('w1', 'GPU-1'))
  await cards.putClaim({ uuid: 'GPU-1', claimText: '' }, { ...quarantined, cause: 'reset' })
  const before = Date.now()
  await workers.remove(EP, 'w1', undefined)
  const [card] = await cards.list()
  expect(card?.claim).toEqual({ ...quarantined, cause: 'reset', since: expect.any(Number) })
  expect(card?.claim?.since).toBeGreaterThanOrEqual(before)
})

test('another scaler sees claims and rests, and a card that was in quarantine is remembered through its next worker', async () => {
  const store = await stores.open()
  const { workers, cards } = store
  await cards.putClaim(await released(store), { ...quarantined, kind: 'free' })
  await cards.putRest('GPU-1', { usedBytes: 9, pids: [4] })
  await cards.putRest('GPU-1', { usedBytes: 8, pids: [] })
  const next = await stores.open()
  expect(await next.cards.list()).toMatchObject([{ uuid: 'GPU-1', claim: { kind: 'free' }, rest: { usedBytes: 8, pids: [] } }])
  await workers.create(withCard('w2', 'GPU-1'))
  await workers.remove(EP, 'w2', undefined)
  expect((await next.cards.list())[0]?.claim).toMatchObject({ kind: 'releasing', workerId: 'w2', quarantines: [5] })
})

test('a simulated card is free at once', async () => {
  const { workers, cards } = await stores.open()
  await workers.create(withCard('w1', 'GPU-simulated-1', true))
  await workers.remove(EP, 'w1', undefined)
  expect(await cards.list()).toEqual([])
  await workers.create(withCard('w2', 'GPU-simulated-1', true))
})

const sharing = (id: string, bytes: number, simulated = false): WorkerRecord =>
  workerRecord(id, { gpus: [{ uuid: 'GPU-1', name: 'NVIDIA L4', simulated, part: { bytes, ofBytes: 22 } }] })

test('workers with budgets hold one card together as long as it has room, and none joins a worker that has a card alone', async () => {
  const { workers } = await stores.open()
  await workers.create(sharing('w1', 10, true))
  await workers.create(sharing('w2', 10, true))
  await expect(workers.create(sharing('w3', 3, true))).rejects.toEqual(conflict)
  await workers.create(sharing('w4', 2, true))
  await expect(workers.create(withCard('w5', 'GPU-1', true))).rejects.toEqual(conflict)
  expect(await workers.mayStart(sharing('w1', 10, true))).toBe('yes')
  for (const id of ['w1', 'w2', 'w4']) await workers.remove(EP, id, undefined)
  await workers.create(withCard('w5', 'GPU-1', true))
  await expect(workers.create(sharing('w3', 3, true))).rejects.toEqual(conflict)
})

test('a part whose worker has no record is void', async () => {
  const { workers } = await stores.open()
  await workers.create(sharing('w1', 10, true))
  await stores.raw().hset(`${stores.prefix()}:{@}:cards`, 'GPU-1', JSON.stringify({ [`${EP}/w1`]: 10, [`${EP}/gone`]: 12 }))
  await workers.create(sharing('w2', 12, true))
  await expect(workers.create(sharing('w3', 1, true))).rejects.toEqual(conflict)
})

test('a shared card that a worker leaves is in release for others, while those that are there go on', async () => {
  const { workers, cards } = await stores.open()
  await workers.create(sharing('w1', 10))
  await workers.create(sharing('w2', 10))
  await workers.remove(EP, 'w1', undefined)
  const [card] = await cards.list()
  expect(card?.claim).toMatchObject({ kind: 'releasing', workerId: 'w1' })
  await expect(workers.create(sharing('w3', 2))).rejects.toEqual(conflict)
  expect(await workers.mayStart(sharing('w2', 10))).toBe('yes')
  if (card !== undefined) await cards.putClaim(card, undefined)
  await workers.create(sharing('w3', 12))
  await expect(workers.create(sharing('w4', 1))).rejects.toEqual(conflict)
})

test('a worker with a part does not start on a card in quarantine', async () => {
  const { workers, cards } = await stores.open()
  await workers.create(sharing('w1', 10))
  await cards.putClaim({ uuid: 'GPU-1', claimText: '' }, quarantined)
  expect(await workers.mayStart(sharing('w1', 10))).toBe('card_held')
})

test('a leader of an earlier term frees no card', async () => {
  const store = await stores.open()
  const hold = { ttlMs: 60_000, facts: { machine: hostname(), pid: 1, dataDir: '/d', since: 5, processTable: '', life: '' } }
  const first = await store.leader.hold('one', hold)
  const card = await released(store)
  await store.leader.release('one')
  await store.leader.hold('two', hold)
  const old = store.underTerm(first.kind === 'held' ? first.term : 0)
  await expect(old.cards.putClaim(card, undefined)).rejects.toMatchObject({ code: 'stale_term' })
  expect(await store.cards.list()).toEqual([card])
})
