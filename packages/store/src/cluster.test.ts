// Redis Cluster refuses a command or script whose keys lie in different slots: one node of a real one is enough to see whether the
// hash tags hold.
import { findFreePort, startRedis } from '@runyard/testing'
import { workerRecord } from '@runyard/testing/records'
import { Redis } from 'ioredis'
import { expect, test, vi } from 'vitest'
import { openValueStore as openStore } from './testing/value-store.ts'
import { completed, drainStream, submission } from './testing/test-store.ts'

const EP = 'ep-1'

test('no operation crosses slots in cluster mode, and every key of an endpoint bears its tag', async () => {
  await using redis = await startRedis({ args: ['--cluster-enabled', 'yes', '--cluster-port', String(await findFreePort())] })
  const raw = new Redis(redis.url)
  try {
    await raw.call('CLUSTER', 'ADDSLOTSRANGE', '0', '16383')
    await vi.waitUntil(async () => String(await raw.call('CLUSTER', 'INFO')).includes('cluster_state:ok'))
    await using store = await openStore({
      redisUrl: redis.url,
      prefix: 'p',
      leaseMs: 30_000,
      retention: { asyncMs: 60_000, syncMs: 30_000 },
    })
    const { jobs, workers, ledger, keys } = store

    const leader = await store.leader.hold('s', {
      ttlMs: 60_000,
      facts: { machine: 'm', pid: 1, dataDir: '/d', since: 1, processTable: '', life: '' },
    })
    const led = store.underTerm(leader.kind === 'held' ? leader.term : 0)
    const withCard = workerRecord('w0', { gpus: [{ uuid: 'GPU-1', name: 'NVIDIA L4', simulated: false }] })
    await led.workers.create(withCard)
    expect(await led.workers.mayStart(withCard)).toBe('yes')
    expect(await led.jobs.leases(EP)).toEqual([])
    await led.status.put(EP, { at: 1, throttled: 0, reason: undefined, message: undefined, unhealthy: 0 })
    await led.ledger.close('w0', 1)
    await led.workers.remove(EP, 'w0', undefined)
    await store.leader.release('s')

    await workers.create(workerRecord('w1'))
    for (const id of ['a', 'b', 'c']) await jobs.submit(EP, submission(id))
    await jobs.submit(EP, submission('low', { policy: { lowPriority: true } }))
    await jobs.take(EP, 'w1')
    await jobs.appendChunk({ endpointId: EP, jobId: 'a', workerId: 'w1', chunk: 1 })
    await jobs.progress({ endpointId: EP, jobId: 'a', workerId: 'w1', output: 1 })
    await jobs.renew(EP, 'w1', ['a'])
    await jobs.heartbeat(EP, 'w1', { jobIds: ['a'], withLeases: true })
    expect(await jobs.settle({ endpointId: EP, jobId: 'a', workerId: 'w1', outcome: completed(1) })).toBe('settled')
    await jobs.take(EP, 'w1')
    expect(await jobs.takeBack({ endpointId: EP, jobId: 'b', workerId: 'w1' }, { budget: 2, evidence: '' })).toBe('requeued')
    await jobs.take(EP, 'w1')
    await jobs.giveBack(EP, 'b', 'w1')
    expect((await jobs.forceSettle(EP, 'b', { status: 'CANCELLED' })).result).toBe('settled')
    await jobs.submit(EP, submission('cancelled', { webhook: { url: 'https://one.test/', ownerId: 'o' } }))
    await jobs.forceSettle(EP, 'cancelled', { status: 'CANCELLED' })
    const claim = async () => {
      const options = { now: Date.now(), leaseMs: 1000, limit: 1, perLane: 1, busy: new Map() }
      const [event] = (await store.webhooks.claim(EP, options)).events
      if (event === undefined) throw new Error('no webhook event')
      return { event, attempt: { eventId: event.eventId, jobId: 'cancelled', url: '', attempt: 1, at: 1, durationMs: 1 } }
    }
    const first = await claim()
    await store.webhooks.finish(first.event, { ...first.attempt, outcome: 'failed', nextAt: Date.now() + 60_000 })
    expect(await store.webhooks.redeliver(EP, first.event.eventId)).toBe('due')
    await store.webhooks.attempts(EP, 1)
    expect(await store.webhooks.pending(EP)).toMatchObject({ count: 1 })
    expect(await store.webhooks.endpoints()).toEqual([EP])
    await store.webhooks.secrets('o')
    const second = await claim()
    await store.webhooks.finish(second.event, { ...second.attempt, outcome: 'delivered' })
    const at = { endpointId: EP, batchId: 'batch_1' }
    await store.batches.create(at, 10)
    await store.batches.add(at, [submission('in-1'), submission('in-2')], { requests: 10, bytes: 10_000 })
    expect(await store.batches.drop(at, 'in-2')).toBe('ok')
    await store.batches.rename(at, 'one')
    expect(await store.batches.finalize(at, 100)).toBe('ok')
    expect((await store.batches.submit(at, 0)).submitted).toEqual(['in-1'])
    expect(await store.batches.states(at, 'FINALIZED')).toEqual([{ id: 'in-1', status: 'IN_QUEUE' }])
    await store.batches.cancel(at)
    await store.batches.noteEnded(at, { total: 1, inProgress: 0, completed: 0, failed: 1 })
    expect(await store.batches.list(EP, { offset: 0, limit: 1 })).toMatchObject({
      total: 1,
      batches: [{ name: 'one', status: 'CANCELLED' }],
    })
    expect(await store.batches.unfinished()).toEqual([at])
    await store.batches.noteFinished(at)
    await drainStream(jobs, EP, 'a', 1)
    await jobs.readChunks(EP, 'a', { from: 0, limit: 1 })
    await jobs.setRetention(EP, 'a', 5000)
    await jobs.leases(EP)
    await jobs.stats(EP)
    for (const lowPriority of [false, true]) await jobs.submit(EP, submission(`purged-${lowPriority}`, { policy: { lowPriority } }))
    await jobs.purge(EP)
    await workers.patch({ endpointId: EP, workerId: 'w1', fields: { readyAt: 1 } })
    await workers.list(EP)
    await store.events.append({ at: 1, endpointId: EP, kind: 'job_queued' })
    await store.status.put(EP, { at: 1, throttled: 0, reason: undefined, message: undefined, unhealthy: 0 })
    await ledger.transition({ workerId: 'w1', endpointId: EP, gpuType: null, gpuCount: 0, state: 'running', at: 1 })
    await ledger.close('w1', 2)
    await ledger.rows({ from: 0, to: 10 })
    await ledger.totals(5)
    await keys.create({ name: 'k', ownerId: 'o' })

    const names = await raw.keys('p:*')
    expect(names.filter((name) => !/^p:(\{ep-1\}|\{@\}|gone:\{\w+\}|log:\{\w+\})/.test(name))).toEqual([])

    await jobs.sweepExpired(EP, Date.now() + 48 * 60 * 60 * 1000)
    await workers.remove(EP, 'w1', undefined)
    await store.endpoints.forget(EP)
    const left = (await raw.keys('p:{ep-1}*')).filter((name) => !/:s:|:b:|:hook-log$|:r:term$|:r:forgotten$/.test(name))
    expect(left).toEqual([])
  } finally {
    raw.disconnect()
  }
})
