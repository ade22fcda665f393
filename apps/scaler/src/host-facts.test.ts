import type { Observed } from '@runyard/core'
import { RunyardError, toJson, type StartFault, type WorkerRecord } from '@runyard/schema'
import { staticSource } from '@runyard/testing'
import { beforeEach, expect, vi } from 'vitest'
import { createHostSights } from './host-sights.ts'
import { createFakeHost, endpointOf, fixture, test, type FakeHost } from './testing/scaler-test.ts'

const WAIT = { timeout: 30_000, interval: 5 }

let first: FakeHost
let second: FakeHost

beforeEach(async () => {
  first = createFakeHost('first', 'id-1')
  second = createFakeHost('second', 'id-2')
})

async function submitOne(): Promise<void> {
  const endpoint = endpointOf('ep-one')
  await fixture.store.endpoints.upsert({ id: endpoint.id }, () => endpoint)
  await fixture.store.jobs.submit('ep-one', { id: 'j1', input: toJson({}), sync: false, policy: {}, keyId: 'key' })
}

function startedWorker(): Promise<WorkerRecord> {
  return vi.waitFor(async () => {
    const worker = (await fixture.store.workers.list('ep-one')).find(({ containerStartedAt }) => containerStartedAt !== undefined)
    if (worker === undefined) throw new Error('no worker was started yet')
    return worker
  }, WAIT)
}

const hostRecord = async (hostId: string) => (await fixture.store.hosts.list()).find((record) => record.hostId === hostId)
const failing = (fault: StartFault) => new RunyardError('internal', `The ${fault} is at fault.`, { fault })

test('a host that stays as it was is written each minute, without a signal', async () => {
  const putSight = vi.spyOn(fixture.store.hosts, 'putSight')
  const sights = createHostSights({ store: fixture.store, hosts: { twinsOf: () => [] } })
  const see = (now: number, unready?: string) => {
    const host = {
      hostId: 'id-1',
      isIdentified: true,
      label: 'first',
      kind: 'docker',
      workers: [],
      cardsOfOthers: [],
      releasing: [],
      unready,
    }
    return sights.write({ hosts: [host], endpoints: [], policy: { keepFreeBytes: 0 } } as unknown as Observed, now)
  }
  for (const seconds of [0, 30, 60]) await see(Date.now() + seconds * 1000)
  await see(Date.now() + 61_000, 'has no GPU runtime')
  expect(putSight.mock.calls.map(([, sight, options]) => [sight?.health, options?.quiet])).toEqual([
    ['ready', false],
    ['ready', true],
    ['unready', false],
  ])
})

test('a start that the host fails goes to another host at once, and the host rests', async () => {
  first.problem.start = failing('host')
  await fixture.open({ source: staticSource([first, second]) })
  await submitOne()
  expect((await startedWorker()).hostId).toBe('id-2')
  expect(await hostRecord('id-1')).toMatchObject({ rest: { what: 'host', count: 1, message: 'The host is at fault.' } })
  expect(await fixture.store.status.get('ep-one')).toMatchObject({ unhealthy: 0 })
})

test('where no other host is there, the endpoint says which one rests, and does not back off itself', async () => {
  first.problem.start = failing('host')
  await fixture.open({ driver: first })
  await submitOne()
  const status = {
    throttled: 1,
    unhealthy: 0,
    reason: 'hosts_closed',
    message: expect.stringContaining('host first rests until') as string,
  }
  await vi.waitFor(async () => expect(await fixture.store.status.get('ep-one')).toMatchObject(status), WAIT)
})

test('a rest outlives the scaler, and ends with a worker that starts', async () => {
  await fixture.store.hosts.putRest('id-1', { what: 'host', count: 1, lastAt: Date.now() - 9900, message: 'It broke.' })
  await fixture.open({ driver: first })
  await submitOne()
  await startedWorker()
  await vi.waitFor(async () => expect((await hostRecord('id-1'))?.rest).toBeUndefined(), WAIT)
})

test('an image at fault is the endpoint’s, which backs off', async () => {
  first.problem.start = failing('image')
  await fixture.open({ driver: first })
  await submitOne()
  await vi.waitFor(
    async () => expect(await fixture.store.status.get('ep-one')).toMatchObject({ unhealthy: 1, reason: 'backing_off' }),
    WAIT,
  )
  expect((await hostRecord('id-1'))?.rest).toBeUndefined()
})

test('no worker is placed on a cordoned host', async () => {
  await fixture.store.hosts.putCordon('id-1', { since: Date.now(), reason: 'a fan fails' })
  await fixture.open({ source: staticSource([first, second]) })
  await submitOne()
  expect((await startedWorker()).hostId).toBe('id-2')
})

test('what a host has, which worker holds which GPU, and since when is in the store', async () => {
  await fixture.open({ driver: first })
  await submitOne()
  const { id, gpus } = await startedWorker()
  const claims = { [gpus[0]?.uuid ?? '']: id }
  await vi.waitFor(async () => expect((await hostRecord('id-1'))?.sight).toMatchObject({ health: 'ready', label: 'first', claims }), WAIT)
  const sight = (await hostRecord('id-1'))?.sight
  expect(sight?.inventory?.gpus).toHaveLength(2)
  expect(Math.abs((sight?.inventoryAt ?? 0) - Date.now())).toBeLessThan(60_000)
  first.problem.list = 'the cable is out'
  await vi.waitFor(async () => expect((await hostRecord('id-1'))?.sight?.health).toBe('unreachable'), WAIT)
})

test('a worker that its host takes long to start is left to it, also by a scaler that comes later', async () => {
  first.problem.starting = 'pulling layer 3 of 9'
  const earlier = await fixture.open({ driver: first, policy: { initTimeoutMs: 1, settleMs: 1 } })
  await submitOne()
  const worker = await startedWorker()
  const said = async () => (await fixture.store.workerLogs.read(worker.id, 'system', 20)).map(({ line }) => line)
  await vi.waitFor(async () => expect(await said()).toContain('pulling layer 3 of 9'), WAIT)
  await earlier[Symbol.asyncDispose]()
  const later = await fixture.open({ driver: first, policy: { initTimeoutMs: 1, settleMs: 1 } })
  for (let look = 0; look < 3; look += 1) await later.loop.tick()
  expect(first.launches.map(({ workerId }) => workerId)).toEqual([worker.id])
  expect(first.stops).toEqual([])
  expect((await fixture.store.workers.list('ep-one')).map(({ id }) => id)).toEqual([worker.id])
})

test('a host that stays away is given up after the grace, its worker is replaced elsewhere, and what is left there goes when it returns', async () => {
  const policy = { hostGraceMs: 500, heartbeatLostMs: 100, reapGraceMs: 1 }
  await fixture.open({ source: staticSource([first, second]), policy })
  await submitOne()
  const lost = await startedWorker()
  expect(lost.hostId).toBe('id-1')
  first.problem.list = 'the cable is out'
  const placed = async () => (await fixture.store.workers.list('ep-one')).map(({ hostId }) => hostId)
  await vi.waitFor(async () => expect(await placed()).toEqual(['id-2']), WAIT)
  expect([...first.observed.keys()]).toEqual([lost.id])
  delete first.problem.list
  await vi.waitFor(() => expect([...first.observed.keys()]).toEqual([]), WAIT)
  expect(await placed()).toEqual(['id-2'])
})
