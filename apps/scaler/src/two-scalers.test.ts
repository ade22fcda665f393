// Two scalers on one Redis: one acts, the other stands by; whatever the first one leaves half-done, the second goes on with it.
import { RunyardError, toJson, type JobSubmission, type WorkerRecord } from '@runyard/schema'
import { openStore, type Store } from '@runyard/store'
import { workerRecord } from '@runyard/testing/records'
import { expect, vi } from 'vitest'
import { createFakeHost, endpointOf, fixture, test } from './testing/scaler-test.ts'

const WAIT = { timeout: 30_000, interval: 5 }
/** Short, so that a take-over is soon. */
const TTL = { leaderTtlMs: 500 }

const job = (id: string): JobSubmission => ({ id, input: toJson({}), sync: false, policy: {}, keyId: 'key' })
const workers = (endpointId = 'ep-one'): Promise<readonly WorkerRecord[]> => fixture.store.workers.list(endpointId)

async function save(settings: Parameters<typeof endpointOf>[1] = {}): Promise<void> {
  await fixture.store.endpoints.upsert({ id: 'ep-one' }, () => endpointOf('ep-one', settings))
}

async function until(look: () => Promise<void> | void): Promise<void> {
  await vi.waitFor(look, WAIT)
}

/** A store whose process can be "killed": its calls end nowhere, until the test is over. */
async function mortalStore(): Promise<{ store: Store; kill: () => void } & AsyncDisposable> {
  const store = await openStore({ redisUrl: fixture.redis.url, leaseMs: 30_000, retention: { asyncMs: 60_000, syncMs: 60_000 } })
  const buried = Promise.withResolvers<never>()
  buried.promise.catch(() => undefined)
  let isDead = false
  const mortal = <T extends object>(part: T): T =>
    new Proxy(part, {
      get(target, name, receiver) {
        const value: unknown = Reflect.get(target, name, receiver)
        if (typeof value !== 'function') return value !== null && typeof value === 'object' ? mortal(value) : value
        if (name === 'underTerm') return (term: number) => mortal((value as (term: number) => object)(term))
        return (...args: unknown[]): unknown => (isDead ? buried.promise : Reflect.apply(value, target, args))
      },
    })
  return {
    store: mortal(store),
    kill: () => void (isDead = true),
    async [Symbol.asyncDispose]() {
      buried.reject(new RunyardError('store_unavailable', 'dead'))
      await store[Symbol.asyncDispose]()
    },
  }
}

test('of two scalers one acts, and the other takes over when it is stopped', async () => {
  const first = await fixture.open(TTL)
  await until(async () => expect(await fixture.store.leader.hold('no-scaler', hold)).toMatchObject({ kind: 'others' }))
  const second = await fixture.open(TTL)
  await save({ settings: { workersMin: 1, workersMax: 1 } })
  for (const id of ['j1', 'j2', 'j3']) await fixture.store.jobs.submit('ep-one', job(id))
  await until(() => expect(fixture.host.launches).toHaveLength(1))
  for (let round = 0; round < 5; round += 1) await Promise.all([first.loop.tick(), second.loop.tick()])
  expect(await workers()).toHaveLength(1)
  await first[Symbol.asyncDispose]()
  await save({ settings: { workersMin: 2, workersMax: 2 } })
  await until(() => expect(fixture.host.launches).toHaveLength(2))
  expect(new Set((await workers()).map(({ id }) => id)).size).toBe(2)
  expect(fixture.host.stops).toEqual([])
})

const hold = { ttlMs: 1, facts: { machine: 'x', pid: 1, dataDir: '/', since: 1, processTable: '', life: '' } }

test('a scaler that stands by drains nothing when it is stopped', async () => {
  const first = await fixture.open(TTL)
  await save({ settings: { workersMin: 1 } })
  await until(() => expect(fixture.host.launches).toHaveLength(1))
  await first.loop.tick()
  const second = await fixture.open(TTL)
  await second.drainAll()
  await first.loop.tick()
  expect((await workers())[0]?.drainingSince).toBeUndefined()
})

test('a start in the middle of a long pull is gone on with by the next leader, is no failure, and happens once', async () => {
  await using mortal = await mortalStore()
  fixture.host.problem.image = 'endless'
  await fixture.open({ ...TTL, store: mortal.store })
  await save()
  await fixture.store.jobs.submit('ep-one', job('j1'))
  await until(() => expect(fixture.host.pulledWith).toHaveLength(1))
  const [placed] = await workers()
  mortal.kill()
  delete fixture.host.problem.image
  await fixture.open(TTL)
  await until(async () => expect((await workers())[0]?.containerStartedAt).toBeGreaterThan(0))
  expect((await workers()).map(({ id, gpus }) => [id, gpus])).toEqual([[placed?.id, placed?.gpus]])
  expect(fixture.host.launches.map(({ workerId }) => workerId)).toEqual([placed?.id])
  expect((await fixture.store.status.get('ep-one'))?.unhealthy ?? 0).toBe(0)
  const placements = (await fixture.store.events.list('ep-one', 10)).filter(({ kind }) => kind === 'worker_placed')
  expect(placements).toHaveLength(1)
})

test('a leader that was believed dead and wakes up in mid-pull starts nothing and stops nothing', async () => {
  await using mortal = await mortalStore()
  const { host } = fixture
  let release = (): void => undefined
  const pulled = new Promise<void>((resolve) => {
    release = resolve
  })
  const slow = { ...host, hasImage: async () => false, pullImage: () => pulled }
  await fixture.open({ ...TTL, store: mortal.store, driver: slow })
  await save({ settings: { workersMax: 1 } })
  await fixture.store.jobs.submit('ep-one', job('j1'))
  await until(async () => expect(await workers()).toHaveLength(1))
  mortal.kill()
  await fixture.open(TTL)
  await until(() => expect(host.launches).toHaveLength(1))
  release()
  await save({ settings: { workersMax: 1, workersMin: 1 }, hash: 'hash-2' })
  await until(async () => expect((await workers()).map(({ specHash }) => specHash)).toEqual(['hash-2']))
  expect(new Set(host.launches.map(({ workerId }) => workerId)).size).toBe(host.launches.length)
  await until(() => expect(host.observed.size).toBe(1))
})

test('workers of another scaler’s host are left alone by one that does not have it, as long as they report', async () => {
  const theirs = createFakeHost('local', 'docker:theirs')
  const first = await fixture.open({ ...TTL, driver: theirs })
  await save({ settings: { workersMin: 1, workersMax: 1 } })
  await until(async () => expect((await workers())[0]?.containerStartedAt).toBeGreaterThan(0))
  const [worker] = await workers()
  await fixture.store.workers.patch({
    endpointId: 'ep-one',
    workerId: worker?.id ?? '',
    fields: { readyAt: Date.now(), lastSeenAt: Date.now() },
  })
  await fixture.store.jobs.submit('ep-one', job('j1'))
  await fixture.store.jobs.take('ep-one', worker?.id ?? '')
  await first[Symbol.asyncDispose]()
  const ours = createFakeHost('local', 'docker:ours')
  const second = await fixture.open({ ...TTL, driver: ours, policy: { settleMs: 1, heartbeatLostMs: 600_000 } })
  await until(async () => expect(await fixture.store.leader.hold('no-scaler', hold)).toMatchObject({ kind: 'others' }))
  for (let round = 0; round < 5; round += 1) await second.loop.tick()
  expect(await workers()).toMatchObject([{ id: worker?.id, hostId: 'docker:theirs' }])
  expect(await fixture.store.jobs.get('ep-one', 'j1')).toMatchObject({ status: 'IN_PROGRESS', retries: 0 })
  expect(ours.launches).toEqual([])
})

test('a worker on record under its host’s earlier name goes on, and is cleared away where it runs', async () => {
  const host = createFakeHost('local', 'docker:engine')
  await save({ settings: { workersMin: 1, workersMax: 1 } })
  const { specHash, version } = (await fixture.store.endpoints.get('ep-one')) ?? endpointOf('ep-one')
  const at = Date.now() - 60_000
  const times = { createdAt: at, containerStartedAt: at, readyAt: at, lastSeenAt: Date.now() }
  const old = workerRecord('old0000000001', { endpointId: 'ep-one', specHash, endpointVersion: version, ...times })
  await fixture.store.workers.create(old)
  const listed = {
    workerId: old.id,
    endpointId: 'ep-one',
    specHash,
    state: 'running' as const,
    startedAt: at,
    exit: undefined,
    gpuUuids: [],
  }
  host.observed.set(old.id, listed)
  const scaler = await fixture.open({ ...TTL, driver: host, policy: { settleMs: 1 } })
  for (let round = 0; round < 3; round += 1) await scaler.loop.tick()
  expect([host.launches, host.stops]).toEqual([[], []])
  await save({ settings: { workersMin: 0, workersMax: 0 } })
  await until(async () => expect(await workers()).toEqual([]))
  expect([[...new Set(host.stops)], host.observed.size]).toEqual([[old.id], 0])
})

test('a Redis that is emptied under a leader begins a new term, and what ran is removed after its grace', async () => {
  await fixture.open(TTL)
  await save({ settings: { workersMin: 1 } })
  await until(() => expect(fixture.host.observed.size).toBe(1))
  await fixture.store.endpoints.delete('ep-one')
  await save({ settings: { workersMin: 1 } })
  await fixture.flush()
  await until(() => expect(fixture.host.observed.size).toBe(0))
  await save({ settings: { workersMin: 1 } })
  await until(() => expect(fixture.host.observed.size).toBe(1))
})
