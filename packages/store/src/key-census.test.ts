// Every key ends, or stands in the list of permanent ones (ADR 43): the keys are counted after lives of endpoints.
import { DAY_MS } from '@runyard/core'
import { createMemoryBlobs, ENDING_KEYS, isPermanent, keysWithoutExpiry } from '@runyard/testing'
import { workerRecord } from '@runyard/testing/records'
import type { Redis } from 'ioredis'
import { describe, expect, test, vi } from 'vitest'
import { endpoint, template } from './testing/endpoint-fixture.ts'
import { saveTemplate } from './testing/resource-fixture.ts'
import { completed, drainStream, submission, useStores, type Store } from './testing/test-store.ts'

const stores = useStores()
const KEEP_MS = 90 * DAY_MS
const LIMITS = { requests: 100, bytes: 100_000 }
const L4 = { uuid: 'GPU-1', name: 'NVIDIA L4', simulated: false }
const facts = { machine: 'm', pid: 1, dataDir: '/d', since: 1, processTable: '', life: '' }
const webhook = { url: 'https://one.test/hook', ownerId: 'owner' }

async function open(): Promise<Store> {
  const retention = { asyncMs: 60_000, syncMs: 30_000, outboxEvents: 2 }
  return stores.open({ retention, blobs: { store: createMemoryBlobs(), thresholdBytes: 2000 } })
}

/** Jobs that end in every way there is. */
async function runJobs({ jobs, webhooks }: Store, ep: string): Promise<void> {
  const once = { key: 'k', fingerprint: 'f', windowMs: 60_000 }
  await jobs.submit(ep, submission('done', { webhook }))
  await jobs.submit(ep, submission('failed', { webhook, sync: true }))
  await jobs.submit(ep, submission('dropped', { webhook }))
  await jobs.submit(ep, submission('large', { input: 'x'.repeat(5000) }))
  await jobs.submit(ep, submission('lost'))
  await jobs.submitOnce(ep, submission('once'), once)
  for (let n = 0; n < 6; n += 1) await jobs.take(ep, 'w1')
  await jobs.appendChunk({ endpointId: ep, jobId: 'done', workerId: 'w1', chunk: { chunk: 1 }, post: 'post' })
  await jobs.appendChunk({ endpointId: ep, jobId: 'large', workerId: 'w1', chunk: 'y'.repeat(5000) })
  await jobs.progress({ endpointId: ep, jobId: 'done', workerId: 'w1', output: { at: 1 } })
  await jobs.heartbeat(ep, 'w1', { jobIds: ['done', 'large'], withLeases: true })
  await drainStream(jobs, ep, 'done', 10)
  for (const id of ['done', 'large']) await jobs.settle({ endpointId: ep, jobId: id, workerId: 'w1', outcome: completed(id) })
  await jobs.settle({ endpointId: ep, jobId: 'failed', workerId: 'w1', outcome: { status: 'FAILED', error: 'x' } })
  await jobs.forceSettle(ep, 'dropped', { status: 'CANCELLED' })
  await jobs.takeBack({ endpointId: ep, jobId: 'lost', workerId: 'w1' }, { budget: 2, evidence: 'lost', withAll: true })
  await jobs.retry(ep, 'failed')
  await jobs.submit(ep, submission('low', { policy: { lowPriority: true } }))
  await jobs.purge(ep)
  await jobs.submit(ep, submission('overdue', { policy: { ttlMs: 1 } }))
  await jobs.submit(ep, submission('left'))
  await jobs.setRetention(ep, 'done', 30_000)
  await jobs.setRetention(ep, 'large', 1)
  const { events } = await webhooks.claim(ep, { now: Date.now() + 1000, leaseMs: 1000, limit: 1, perLane: 1, busy: new Map() })
  for (const event of events) {
    const attempt = { eventId: event.eventId, jobId: event.jobId, url: '', attempt: 1, at: 1, durationMs: 1 }
    await webhooks.finish(event, { ...attempt, outcome: 'delivered' })
  }
}

async function runBatches({ batches }: Store, ep: string): Promise<void> {
  for (const batchId of ['b1', 'b2', 'draft']) {
    const at = { endpointId: ep, batchId }
    await batches.create(at, 10)
    await batches.add(at, [submission(`${batchId}-1`, { batchId }), submission(`${batchId}-2`, { batchId })], LIMITS)
    if (batchId === 'draft') continue
    await batches.finalize(at, 100)
    await batches.submit(at, 0)
    if (batchId === 'b2') await batches.cancel(at)
    await batches.noteFinished(at)
  }
}

/** From the first save to the last word, as the gateway and the scaler write it. */
async function live(store: Store, ep: string): Promise<void> {
  const { endpoints, workers, workerLogs, events, status, ledger, leader } = store
  const held = await leader.hold('scaler', { ttlMs: 60_000, facts })
  const led = store.underTerm(held.kind === 'held' ? held.term : 0)
  await saveTemplate(store, template(`t-${ep}`))
  await endpoints.upsert({ id: ep }, () => endpoint(ep, { templateId: `bound-${ep}` }))
  await led.workers.create(workerRecord('w1', { endpointId: ep, gpus: [L4] }))
  const row = { workerId: 'w1', endpointId: ep, gpuType: L4.name, gpuCount: 1 }
  const at = Date.now()
  await led.ledger.transition({ ...row, state: 'initializing', at: at - 9000 })
  await ledger.transition({ ...row, state: 'running', at: at - 7500 })
  await workers.patch({ endpointId: ep, workerId: 'w1', fields: { readyAt: at } })
  await led.status.put(ep, { at, throttled: 0, reason: undefined, message: undefined, unhealthy: 0 })
  await workerLogs.append('w1', 'container', [{ at, line: 'hello' }])
  await workerLogs.follow('w1', 60_000)
  await events.append({ at, endpointId: ep, kind: 'worker_ready', workerId: 'w1' })
  await runJobs(store, ep)
  await runBatches(store, ep)
  await led.jobs.sweepExpired(ep, Date.now())
  await led.jobs.sweepRegister(ep, Date.now())
  await endpoints.delete(ep)
  await led.ledger.close('w1', at - 6000)
  await led.workers.remove(ep, 'w1', { at, exitCode: 0, oomKilled: false, lastLogLines: [] })
  for (const card of await led.cards.list()) await led.cards.putClaim(card, undefined)
  await led.endpoints.forget(ep)
  await store.resources.templates.remove('owner', { id: `t-${ep}` })
  await status.put(ep, { at, throttled: 1, reason: undefined, message: undefined, unhealthy: 0 })
}

/** What couriers and sweeps do in the weeks after. */
async function retire(store: Store): Promise<void> {
  const { webhooks, jobs, ledger } = store
  for (const ep of await webhooks.endpoints()) {
    const options = { leaseMs: 1000, limit: 10, perLane: 10, busy: new Map<string, number>() }
    const { events } = await webhooks.claim(ep, { ...options, now: Date.now() + 1000 })
    for (const event of events) {
      const attempt = { eventId: event.eventId, jobId: event.jobId, url: '', attempt: 1, at: 1, durationMs: 1 }
      await webhooks.finish(event, { ...attempt, outcome: 'given_up' })
    }
    await webhooks.claim(ep, { ...options, now: Date.now() + 25 * 3_600_000 })
  }
  await webhooks.endpoints()
  await vi.waitUntil(async () => {
    await jobs.sweepBlobs(Date.now() + 30 * DAY_MS)
    return (await stores.raw().exists(`${stores.prefix()}:{@}:blobs`)) === 0
  })
  await ledger.tidy(Date.now() + 2 * KEEP_MS, KEEP_MS)
}

async function sizes(raw: Redis, keys: readonly string[]): Promise<Record<string, number>> {
  const sizeOf: Record<string, (key: string) => Promise<number>> = {
    hash: (key) => raw.hlen(key),
    zset: (key) => raw.zcard(key),
    set: (key) => raw.scard(key),
    list: (key) => raw.llen(key),
    string: async () => 1,
  }
  const entries = keys.map(async (name) => {
    const key = `${stores.prefix()}:${name}`
    return [name, (await sizeOf[await raw.type(key)]?.(key)) ?? NaN] as const
  })
  return Object.fromEntries(await Promise.all(entries))
}

test('after a life of endpoints nothing without an expiry is left but what is permanent, and a second life leaves no more', async () => {
  const store = await open()
  const raw = stores.raw()
  const census = () => keysWithoutExpiry(raw, stores.prefix())
  await live(store, 'ep-1')
  // What is still to be delivered or swept by date.
  const due = /^\{ep-\d\}:(h:|e:|l:|r:(lanes|outbox|outbox-bytes|given-up)$)|^\{@\}:(webhook-endpoints|blobs)$/
  expect((await census()).filter((key) => !isPermanent(key) && !ENDING_KEYS.includes(key) && !due.test(key))).toEqual([])
  await retire(store)
  const left = await census()
  expect(left.filter((key) => !isPermanent(key))).toEqual([])
  const before = await sizes(raw, left)
  for (const ep of ['ep-2', 'ep-3']) await live(store, ep)
  await retire(store)
  expect(await sizes(raw, await census())).toEqual(before)
})

describe('an endpoint that was forgotten', () => {
  const EP = 'ep-1'
  const refused = { code: 'not_found', message: 'endpoint not found: it was deleted' }
  const ready = { endpointId: EP, kind: 'worker_ready' as const, workerId: 'w1' }
  const writes: readonly [string, (store: Store) => Promise<unknown>, object?][] = [
    ['job', ({ jobs }) => jobs.submit(EP, submission('late', { webhook })), refused],
    ['job with a key', ({ jobs }) => jobs.submitOnce(EP, submission('late'), { key: 'n', fingerprint: 'f', windowMs: 1000 }), refused],
    ['retry', ({ jobs }) => jobs.retry(EP, 'ended'), refused],
    ['batch', ({ batches }) => batches.create({ endpointId: EP, batchId: 'late' }, 10), refused],
    ['request of a batch', ({ batches }) => batches.add({ endpointId: EP, batchId: 'b' }, [submission('late')], LIMITS)],
    ['finalised batch', ({ batches }) => batches.finalize({ endpointId: EP, batchId: 'b' }, 10)],
    ['request that becomes a job', ({ batches }) => batches.submit({ endpointId: EP, batchId: 'b' }, 0)],
    ['worker', ({ workers }) => workers.create(workerRecord('w2', { gpus: [L4] })), { code: 'conflict' }],
    ['patch', ({ workers }) => workers.patch({ endpointId: EP, workerId: 'w1', fields: { readyAt: 1 } })],
    ['end of a worker', ({ workers }) => workers.remove(EP, 'w1', undefined)],
    ['event', ({ events }) => events.append({ at: 1, ...ready }, { at: 2, ...ready })],
    ['status', ({ status }) => status.put(EP, { at: 1, throttled: 0, reason: undefined, message: undefined, unhealthy: 0 })],
    ['line of a log', ({ workerLogs }) => workerLogs.append('w1', 'system', [{ at: 1, line: 'late' }])],
    ['take', ({ jobs }) => jobs.take(EP, 'w1')],
    ['ping', ({ jobs }) => jobs.heartbeat(EP, 'w1', { jobIds: ['ended'], withLeases: true })],
    ['result', ({ jobs }) => jobs.settle({ endpointId: EP, jobId: 'ended', workerId: 'w1', outcome: completed(1) })],
    ['chunk', ({ jobs }) => jobs.appendChunk({ endpointId: EP, jobId: 'ended', workerId: 'w1', chunk: 1 })],
    ['progress', ({ jobs }) => jobs.progress({ endpointId: EP, jobId: 'ended', workerId: 'w1', output: 1 })],
    ['cancel', ({ jobs }) => jobs.forceSettle(EP, 'ended', { status: 'CANCELLED' })],
    ['return', ({ jobs }) => jobs.giveBack(EP, 'ended', 'w1')],
    ['take-back', ({ jobs }) => jobs.takeBack({ endpointId: EP, jobId: 'ended', workerId: 'w1' }, { budget: 0, evidence: 'x' })],
    ['read', async ({ jobs }) => [await jobs.get(EP, 'ended'), await jobs.stats(EP), await jobs.list(EP, { offset: 0, limit: 9 })]],
    ['stream', ({ jobs }) => drainStream(jobs, EP, 'ended', 1)],
    ['longer retention', ({ jobs }) => jobs.setRetention(EP, 'ended', 50_000)],
    ['purge', ({ jobs }) => jobs.purge(EP)],
    ['sweep', async ({ jobs }) => [await jobs.sweepExpired(EP, Date.now()), await jobs.sweepRegister(EP, Date.now(), 0)]],
  ]

  test.each(writes)('keeps nothing of a late %s', async (_what, write, error) => {
    const store = await stores.open()
    await store.endpoints.upsert({ id: EP }, () => endpoint(EP))
    await store.workers.create(workerRecord('w1'))
    await store.batches.create({ endpointId: EP, batchId: 'b' }, 10)
    await store.batches.add({ endpointId: EP, batchId: 'b' }, [submission('b-1')], LIMITS)
    await store.jobs.submit(EP, submission('ended'))
    await store.jobs.take(EP, 'w1')
    await store.jobs.settle({ endpointId: EP, jobId: 'ended', workerId: 'w1', outcome: { status: 'FAILED', error: 'x' } })
    await store.endpoints.delete(EP)
    await store.workers.remove(EP, 'w1', undefined)
    await store.endpoints.forget(EP)
    const outcome = await write(store).then(
      () => undefined,
      (failure: unknown) => failure,
    )
    expect([outcome === undefined, outcome ?? {}]).toMatchObject([error === undefined, error ?? {}])
    const left = await keysWithoutExpiry(stores.raw(), stores.prefix())
    // Couriers and finishers look through these, and remove what has nothing to do.
    const looked = new Set(['{@}:webhook-endpoints', '{@}:batches-unfinished'])
    expect(left.filter((key) => !isPermanent(key) && !ENDING_KEYS.includes(key) && !looked.has(key))).toEqual([])
  })
})
