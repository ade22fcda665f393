// Retention and TTL: how long what can be read.
import { describe, expect, test, vi } from 'vitest'
import { completed, drainStream, submission, useStores } from '../testing/test-store.ts'
import type { JobStore } from '../testing/value-store.ts'

const stores = useStores()
const EP = 'ep-1'

describe('retention', () => {
  test.each([
    ['/run', false, 60_000],
    ['/runsync', true, 30_000],
  ])('the result of a %s job is kept for its own time, chunks included', async (_route, sync, retainMs) => {
    const { jobs } = await stores.open()
    const raw = stores.raw()
    await jobs.submit(EP, submission('a', { sync }))
    await jobs.take(EP, 'w1')
    await jobs.appendChunk({ endpointId: EP, jobId: 'a', workerId: 'w1', chunk: 1 })
    await jobs.settle({ endpointId: EP, jobId: 'a', workerId: 'w1', outcome: completed(1) })
    const base = `${stores.prefix()}:{${EP}}`
    for (const key of [`${base}:s:a`, `${base}:c:a`]) {
      const left = await raw.pttl(key)
      expect(left).toBeGreaterThan(retainMs - 10_000)
      expect(left).toBeLessThanOrEqual(retainMs)
    }
  })

  test('a result can be kept for less, and a live job cannot be forgotten that way', async () => {
    const { jobs } = await stores.open()
    await jobs.submit(EP, submission('a'))
    await jobs.take(EP, 'w1')
    await jobs.appendChunk({ endpointId: EP, jobId: 'a', workerId: 'w1', chunk: 'kept' })
    await jobs.setRetention(EP, 'a', 1)
    expect((await drainStream(jobs, EP, 'a', 10))?.chunks).toEqual(['kept'])
    await jobs.settle({ endpointId: EP, jobId: 'a', workerId: 'w1', outcome: completed(1) })
    await jobs.setRetention(EP, 'a', 20)
    await vi.waitUntil(async () => (await jobs.get(EP, 'a')) === undefined)
    expect(await drainStream(jobs, EP, 'a', 10)).toBeUndefined()
  })

  test('nothing of a settled job stays for ever', async () => {
    const { jobs } = await stores.open({ retention: { asyncMs: 20, syncMs: 20 } })
    const raw = stores.raw()
    await jobs.submit(EP, submission('a'))
    await jobs.take(EP, 'w1')
    await jobs.appendChunk({ endpointId: EP, jobId: 'a', workerId: 'w1', chunk: 1 })
    await jobs.settle({ endpointId: EP, jobId: 'a', workerId: 'w1', outcome: completed(1) })
    await vi.waitUntil(async () => (await jobs.get(EP, 'a')) === undefined)
    await jobs.sweepRegister(EP, Date.now())
    await jobs.sweepRegister(EP, Date.now() + 2 * 60 * 60 * 1000)
    const left = await raw.keys(`${stores.prefix()}:{${EP}}:*`)
    expect(left.filter((key) => key.includes(':a') || key.includes(':r:'))).toEqual([`${stores.prefix()}:{${EP}}:r:counters`])
    expect(await jobs.stats(EP)).toMatchObject({ ended: 0, keptBytes: 0 })
  })
})

describe('what is known of a job whose result is gone', () => {
  test('its last status, when it ended and when its result expired, swept or not', async () => {
    const { jobs } = await stores.open({ retention: { asyncMs: 20, syncMs: 20 } })
    expect(await jobs.whyGone(EP, 'a')).toBeUndefined()
    await jobs.submit(EP, submission('a'))
    await jobs.take(EP, 'w1')
    await jobs.settle({ endpointId: EP, jobId: 'a', workerId: 'w1', outcome: { status: 'FAILED', error: 'x' } })
    await vi.waitUntil(async () => (await jobs.get(EP, 'a')) === undefined)
    const gone = await jobs.whyGone(EP, 'a')
    expect(gone).toMatchObject({ status: 'FAILED', why: 'expired' })
    expect(gone?.goneAt).toBe((gone?.endedAt ?? 0) + 20)
    await jobs.sweepRegister(EP, Date.now())
    expect(await jobs.whyGone(EP, 'a')).toEqual(gone)
    await jobs.sweepRegister(EP, Date.now() + 2 * 60 * 60 * 1000)
    expect(await jobs.whyGone(EP, 'a')).toBeUndefined()
  })

  test('that its ttl ended its life', async () => {
    const { jobs } = await stores.open()
    await jobs.submit(EP, submission('a', { policy: { ttlMs: 1000 } }))
    const at = Date.now() + 2000
    await jobs.sweepExpired(EP, at)
    expect(await jobs.whyGone(EP, 'a')).toEqual({ status: 'IN_QUEUE', endedAt: at, goneAt: at, why: 'ttl' })
  })

  test('no more than 10 000 of them are remembered', async () => {
    const { jobs } = await stores.open()
    const raw = stores.raw()
    const ids = Array.from({ length: 10_300 }, (_, n) => `j${n}`)
    await raw.zadd(`${stores.prefix()}:{${EP}}:r:gone`, ...ids.flatMap((id, n) => [Date.now() + 1e6 + n, id]))
    await raw.hset(`${stores.prefix()}:{${EP}}:r:ended`, Object.fromEntries(ids.map((id) => [id, 'FAILED 1 2 0 expired'])))
    await jobs.sweepRegister(EP, Date.now())
    expect(await jobs.whyGone(EP, 'j299')).toBeUndefined()
    expect(await jobs.whyGone(EP, 'j300')).toBeDefined()
    expect(await jobs.stats(EP)).toMatchObject({ ended: 10_000 })
  })
})

describe('retention by bytes', () => {
  const settleBig = async (jobs: JobStore, id: string, sync = false) => {
    await jobs.submit(EP, submission(id, { sync }))
    await jobs.take(EP, 'w1')
    await jobs.settle({ endpointId: EP, jobId: id, workerId: 'w1', outcome: completed('x'.repeat(10_000)) })
    // Results of one millisecond have no order.
    const settledAt = Date.now()
    await vi.waitUntil(() => Date.now() > settledAt, { interval: 1 })
  }
  const keptOf = async (jobs: JobStore, ids: readonly string[]) => {
    const kept = await Promise.all(ids.map(async (id) => ((await jobs.get(EP, id)) === undefined ? [] : [id])))
    return kept.flat()
  }

  test('the oldest results make room for newer ones, and their 404 says so', async () => {
    const { jobs } = await stores.open({ retention: { asyncMs: 60_000, syncMs: 30_000, keepBytes: 35_000 } })
    for (const id of ['a', 'b', 'c', 'd', 'e']) await settleBig(jobs, id, id === 'b')
    expect(await keptOf(jobs, ['a', 'b', 'c', 'd', 'e'])).toEqual(['c', 'd', 'e'])
    expect(await jobs.whyGone(EP, 'a')).toMatchObject({ status: 'COMPLETED', why: 'room' })
    expect((await jobs.stats(EP)).keptBytes).toBeLessThanOrEqual(35_000)
    expect((await jobs.list(EP, { offset: 0, limit: 10 })).jobs.map((job) => job.id)).toEqual(['e', 'd', 'c'])
  })

  test('a sweep makes room where all endpoints together keep too much', async () => {
    const { jobs } = await stores.open()
    const ids = Array.from({ length: 100 }, (_, n) => `j${n}`)
    for (const id of ids) await settleBig(jobs, id)
    await jobs.sweepRegister(EP, Date.now(), 25_000)
    expect(await keptOf(jobs, ids)).toEqual(['j98', 'j99'])
    await jobs.sweepRegister(EP, Date.now(), 0)
    expect(await jobs.stats(EP)).toMatchObject({ keptBytes: 0 })
    expect(await jobs.whyGone(EP, 'j99')).toMatchObject({ why: 'room' })
  })

  test('the newest result stays whatever it weighs', async () => {
    const { jobs } = await stores.open({ retention: { asyncMs: 60_000, syncMs: 30_000, keepBytes: 1 } })
    for (const id of ['a', 'b']) await settleBig(jobs, id)
    expect(await keptOf(jobs, ['a', 'b'])).toEqual(['b'])
  })

  test('what expired or was let go sooner weighs nothing any more', async () => {
    const { jobs } = await stores.open({ retention: { asyncMs: 60_000, syncMs: 20, keepBytes: 35_000 } })
    for (const id of ['s1', 's2', 's3']) await settleBig(jobs, id, true)
    await settleBig(jobs, 'a')
    await jobs.setRetention(EP, 'a', 10)
    await vi.waitUntil(async () => (await keptOf(jobs, ['a', 's3'])).length === 0)
    await jobs.sweepRegister(EP, Date.now())
    expect(await jobs.stats(EP)).toMatchObject({ keptBytes: 0 })
    for (const id of ['b', 'c', 'd']) await settleBig(jobs, id)
    expect(await keptOf(jobs, ['b', 'c', 'd'])).toEqual(['b', 'c', 'd'])
  })
})

describe('TTL', () => {
  test('a job whose TTL elapsed is gone, waiting or running, and its worker gets a stop request', async () => {
    const store = await stores.open()
    const { jobs } = store
    const heard = stores.listen(store)
    await jobs.submit(EP, submission('running', { policy: { ttlMs: 1000 } }))
    await jobs.submit(EP, submission('waiting', { policy: { ttlMs: 2000 } }))
    await jobs.submit(EP, submission('later'))
    await jobs.take(EP, 'w1')
    const now = Date.now()
    expect(await jobs.sweepExpired(EP, now)).toEqual([])
    expect(await jobs.sweepExpired(EP, now + 3000)).toEqual(['running', 'waiting'])
    expect(await jobs.get(EP, 'running')).toBeUndefined()
    expect(await jobs.get(EP, 'waiting')).toBeUndefined()
    expect(heard).toContainEqual({ kind: 'job-stop', endpointId: EP, jobId: 'running', workerId: 'w1' })
    expect(await jobs.settle({ endpointId: EP, jobId: 'running', workerId: 'w1', outcome: completed(1) })).toBe('not_holder')
    expect((await jobs.take(EP, 'w2'))?.id).toBe('later')
    expect(await jobs.sweepExpired(EP, now + 25 * 60 * 60 * 1000)).toEqual(['later'])
  })

  test('a settled job is kept by its retention, not by its TTL', async () => {
    const { jobs } = await stores.open()
    await jobs.submit(EP, submission('a', { policy: { ttlMs: 1000 } }))
    await jobs.take(EP, 'w1')
    await jobs.settle({ endpointId: EP, jobId: 'a', workerId: 'w1', outcome: completed(1) })
    expect(await jobs.sweepExpired(EP, Date.now() + 5000)).toEqual([])
    expect((await jobs.get(EP, 'a'))?.status).toBe('COMPLETED')
  })

  test('more expired jobs than one batch are all swept', async () => {
    const { jobs } = await stores.open()
    await Promise.all(Array.from({ length: 1100 }, (_, n) => jobs.submit(EP, submission(`j${n}`, { policy: { ttlMs: 1 } }))))
    expect(new Set(await jobs.sweepExpired(EP, Date.now() + 10_000)).size).toBe(1100)
    expect(await jobs.stats(EP)).toMatchObject({ waiting: 0 })
  })
})
