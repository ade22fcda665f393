import { toJson } from '@runyard/schema'
import { workerRecord } from '@runyard/testing/records'
import { beforeEach, expect, vi } from 'vitest'
import { createEndpointReads, type EndpointReads, type Look } from './endpoint-reads.ts'
import { endpointOf, fixture, test } from './testing/scaler-test.ts'

const IDS = ['ep-one', 'ep-two', 'ep-three']

let reads: EndpointReads
/** The endpoints that were read from Redis. */
let asked: string[]
let store: Look['store']

beforeEach(async () => {
  reads = createEndpointReads()
  asked = []
  store = watched()
})

/** The same store, which notes what is read. */
function watched(): Look['store'] {
  const { jobs, workers, requests } = fixture.store
  const stats: typeof jobs.stats = (endpointId) => {
    asked.push(endpointId)
    return jobs.stats(endpointId)
  }
  return { jobs: { ...jobs, stats }, workers, requests }
}

async function readAgain(change: Partial<Look> = {}): Promise<readonly string[]> {
  asked.length = 0
  const look = { store, endpointIds: IDS, inFlight: new Map(), now: Date.now(), also: new Set<string>(), ...change }
  expect([...(await reads.read(look)).keys()]).toEqual(look.endpointIds)
  return asked
}

const submit = (id: string) => fixture.store.jobs.submit('ep-one', { id, input: toJson({}), sync: false, policy: {}, keyId: 'key' })

test('the first look reads every endpoint, the next one reads none', async () => {
  expect(await readAgain()).toEqual(IDS)
  expect(await readAgain()).toEqual([])
})

test('an endpoint is read again after a signal that names it, and only once', async () => {
  await readAgain()
  reads.note({ kind: 'job-added', endpointId: 'ep-two' })
  expect(await readAgain()).toEqual(['ep-two'])
  expect(await readAgain()).toEqual([])
})

test('all are read again after an outage, under another term and after a failed look', async () => {
  await readAgain()
  reads.note({ kind: 'resync' })
  expect(await readAgain()).toEqual(IDS)
  store = watched()
  expect(await readAgain()).toEqual(IDS)
  const broken = { ...store, workers: { ...store.workers, list: () => Promise.reject(new Error('away')) } }
  await expect(readAgain({ store: broken })).rejects.toThrow('away')
  expect(await readAgain()).toEqual(IDS)
})

test('without any signal all are read within 10 s, and not all at one time', async () => {
  const ids = Array.from({ length: 50 }, (_, index) => `ep-${index}`)
  await readAgain({ endpointIds: ids })
  const now = Date.now()
  const after = async (ms: number) => [...(await readAgain({ endpointIds: ids, now: now + ms }))]
  const [early, middle] = [await after(4000), await after(7500)]
  expect(early).toEqual([])
  expect(middle.length).toBeGreaterThan(5)
  expect(middle.length).toBeLessThan(45)
  expect(new Set([...middle, ...(await after(10_100))])).toEqual(new Set(ids))
})

test('an endpoint is read again while this scaler acts on one of its workers, and once more afterwards', async () => {
  await fixture.store.workers.create(workerRecord('w1', { endpointId: 'ep-one' }))
  await readAgain()
  const inFlight = new Map([['worker:w1', 'other' as const]])
  expect(await readAgain({ inFlight })).toEqual(['ep-one'])
  expect(await readAgain()).toEqual(['ep-one'])
  expect(await readAgain()).toEqual([])
})

test('an endpoint is read again when one of its leases expires', async () => {
  await submit('j1')
  await fixture.store.jobs.take('ep-one', 'w1')
  await readAgain()
  expect(await readAgain({ now: Date.now() + 1000 })).toEqual([])
  const afterLease = Date.now() + 31_000
  await readAgain({ now: afterLease, endpointIds: ['ep-one'] })
  expect(asked).toEqual(['ep-one'])
})

test('a tick acts only on what it has just read: a worker that worked without a signal is not retired as idle', async () => {
  const scaler = await fixture.open({ config: { simulatedGpus: '' } })
  const brief = endpointOf('ep-one', { spec: { gpu: null }, settings: { idleTimeoutMs: 1000 } })
  await fixture.store.endpoints.upsert({ id: 'ep-one' }, () => brief)
  await submit('j1')
  const started = await vi.waitFor(async () => {
    const [found] = await fixture.store.workers.list('ep-one')
    if (found?.containerStartedAt === undefined) throw new Error('no worker yet')
    return found
  })
  const held = { endpointId: 'ep-one', workerId: started.id, jobId: 'j1' }
  await fixture.store.jobs.take('ep-one', started.id)
  await fixture.store.jobs.settle({ ...held, outcome: { status: 'COMPLETED' } })
  const now = Date.now()
  // Idle for 900 ms as far as the scaler knows.
  const fields = { readyAt: now - 900, lastSeenAt: now, lastJobEndedAt: now - 900 }
  await fixture.store.workers.patch({ endpointId: 'ep-one', workerId: started.id, fields })
  await scaler.loop.tick()
  await fixture.store.workers.patch({ ...held, fields: { lastJobEndedAt: now + 60_000 }, quiet: true })
  await vi.waitFor(() => expect(Date.now() - now).toBeGreaterThan(200))
  await scaler.loop.tick()
  expect((await fixture.store.workers.get('ep-one', started.id))?.drainingSince).toBeUndefined()
})
