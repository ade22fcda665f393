// A deadline is kept when it passes, not at a later sweep: nothing here sweeps.
import { describe, expect, test, vi } from 'vitest'
import { completed, submission, useStores, type JobStore } from '../testing/test-store.ts'

const stores = useStores()
const EP = 'ep-1'
const SHORT = { policy: { ttlMs: 300 } }

/** Past the deadline of a job that was submitted with it. */
async function untilOver(job = 'a'): Promise<void> {
  const raw = stores.raw()
  const due = Number(await raw.zscore(`${stores.prefix()}:{${EP}}:r:deadlines`, job))
  await vi.waitUntil(() => Date.now() > due + 5)
}

describe('a job whose ttl is over', () => {
  test('is never started: the take goes on to the next', async () => {
    const { jobs } = await stores.open()
    await jobs.submit(EP, submission('a', SHORT))
    await jobs.submit(EP, submission('low', { policy: { ttlMs: 300, lowPriority: true } }))
    await jobs.submit(EP, submission('b'))
    await untilOver('low')
    expect((await jobs.take(EP, 'w1'))?.id).toBe('b')
    expect(await jobs.take(EP, 'w1')).toBeUndefined()
    expect(await jobs.whyGone(EP, 'a')).toMatchObject({ why: 'ttl', status: 'IN_QUEUE' })
  })

  test('does not exist for any request', async () => {
    const { jobs } = await stores.open()
    await jobs.submit(EP, submission('a', SHORT))
    await untilOver()
    expect(await jobs.list(EP, { offset: 0, limit: 10 })).toEqual({ total: 0, jobs: [] })
    await jobs.submit(EP, submission('b', SHORT))
    await untilOver('b')
    expect(await jobs.stats(EP)).toMatchObject({ waiting: 0, oldestWaitingAt: undefined, nextDeadlineAt: undefined })
    for (const ask of [
      (id: string) => jobs.get(EP, id),
      (id: string) => jobs.submission(EP, id),
      (id: string) => jobs.claimChunks(EP, id, 10),
      (id: string) => jobs.readChunks(EP, id, { from: 0, limit: 10 }),
    ]) {
      await jobs.submit(EP, submission('c', SHORT))
      await untilOver('c')
      expect(await ask('c')).toBeUndefined()
    }
    expect(await jobs.retry(EP, 'a')).toBe('unknown')
    expect(await jobs.forceSettle(EP, 'b', { status: 'CANCELLED' })).toMatchObject({ result: 'unknown' })
  })

  test('accepts no result any more, its worker gets a stop request, and the lease is gone', async () => {
    const [one, other] = [await stores.open(), await stores.open()]
    const heard = stores.listen(other)
    await one.jobs.submit(EP, submission('a', SHORT))
    await one.jobs.take(EP, 'w1')
    await untilOver()
    expect(await one.jobs.leases(EP)).toEqual([])
    expect(await one.jobs.settle({ endpointId: EP, jobId: 'a', workerId: 'w1', outcome: completed(1) })).toBe('not_holder')
    expect(await one.jobs.progress({ endpointId: EP, jobId: 'a', workerId: 'w1', output: 1 })).toBe('not_holder')
    await expect
      .poll(() => heard)
      .toEqual(
        expect.arrayContaining([
          { kind: 'job-settled', endpointId: EP, jobId: 'a' },
          { kind: 'job-stop', endpointId: EP, jobId: 'a', workerId: 'w1' },
        ]),
      )
  })

  test.each<[string, (jobs: JobStore) => Promise<readonly string[]>]>([
    ['renewal', (jobs) => jobs.renew(EP, 'w1', ['a', 'b'])],
    ['ping', async (jobs) => (await jobs.heartbeat(EP, 'w1', { jobIds: ['a', 'b'], withLeases: true })).notHeld],
  ])('is ended by a %s of its running worker, whose other job goes on', async (_, renew) => {
    const store = await stores.open()
    const { jobs } = store
    const heard = stores.listen(await stores.open())
    // Long enough for both takes on a busy machine: a job that is over is not taken.
    await jobs.submit(EP, submission('a', { policy: { ttlMs: 2000 } }))
    await jobs.submit(EP, submission('b'))
    expect([(await jobs.take(EP, 'w1'))?.id, (await jobs.take(EP, 'w1'))?.id]).toEqual(['a', 'b'])
    await untilOver()
    expect(await renew(jobs)).toEqual(['a'])
    const job = `${stores.prefix()}:{${EP}}:a`
    expect(await stores.raw().exists(job, `${job}:lock`)).toBe(0)
    expect((await jobs.leases(EP)).map(({ jobId }) => jobId)).toEqual(['b'])
    await expect.poll(() => heard).toContainEqual({ kind: 'job-stop', endpointId: EP, jobId: 'a', workerId: 'w1' })
  })

  test('notifies its webhook, whichever process found it', async () => {
    const { jobs, webhooks } = await stores.open()
    const webhook = { url: 'https://example.com/hook', ownerId: 'o' }
    await jobs.submit(EP, submission('a', { ...SHORT, webhook }))
    await untilOver()
    expect(await jobs.get(EP, 'a')).toBeUndefined()
    const { events } = await webhooks.claim(EP, { now: Date.now() + 1000, limit: 5, leaseMs: 1000, perLane: 5, busy: new Map() })
    const record = { status: 'TIMED_OUT', error: 'the ttl of the job elapsed before it ended' }
    expect(events).toMatchObject([{ jobId: 'a' }])
    expect(await events[0]?.read()).toMatchObject({ record })
  })

  test('is returned with its deadline until then', async () => {
    const { jobs } = await stores.open()
    const before = Date.now()
    await jobs.submit(EP, submission('a', { policy: { ttlMs: 60_000 } }))
    const due = (await jobs.get(EP, 'a'))?.deadlineAt
    expect(due).toBeGreaterThanOrEqual(before + 60_000)
    expect((await jobs.stats(EP)).nextDeadlineAt).toBe(due)
    await jobs.take(EP, 'w1')
    await jobs.settle({ endpointId: EP, jobId: 'a', workerId: 'w1', outcome: completed(1) })
    expect(await jobs.get(EP, 'a')).not.toHaveProperty('deadlineAt')
  })
})

test('a lease says when it runs out', async () => {
  const { jobs } = await stores.open()
  await jobs.submit(EP, submission('a'))
  const before = Date.now()
  await jobs.take(EP, 'w1')
  const [lease] = await jobs.leases(EP)
  expect(lease?.expiresAt).toBeGreaterThan(before + 25_000)
  expect(lease?.expiresAt).toBeLessThan(Date.now() + 30_500)
})

test('a result whose remaining life was cut is gone when that has passed', async () => {
  const { jobs } = await stores.open()
  await jobs.submit(EP, submission('a'))
  await jobs.take(EP, 'w1')
  await jobs.settle({ endpointId: EP, jobId: 'a', workerId: 'w1', outcome: completed(1) })
  await jobs.setRetention(EP, 'a', 20)
  await vi.waitUntil(async () => (await jobs.get(EP, 'a')) === undefined)
  expect(await jobs.list(EP, { offset: 0, limit: 10 })).toMatchObject({ jobs: [] })
  expect(await jobs.whyGone(EP, 'a')).toMatchObject({ why: 'expired' })
})

describe('an idempotency key', () => {
  test('stands for its job until its window has passed, and then for the next one', async () => {
    const { jobs } = await stores.open()
    const once = { key: 'k', fingerprint: 'f', windowMs: 400 }
    expect(await jobs.submitOnce(EP, submission('a'), once)).toEqual({ kind: 'accepted' })
    expect(await jobs.submitOnce(EP, submission('b'), once)).toEqual({ kind: 'repeated', jobId: 'a' })
    await vi.waitUntil(async () => (await jobs.submitOnce(EP, submission('c'), once)).kind === 'accepted')
    expect(await jobs.submitOnce(EP, submission('d'), once)).toEqual({ kind: 'repeated', jobId: 'c' })
  })

  test('does not live longer because it is used', async () => {
    const { jobs } = await stores.open()
    const raw = stores.raw()
    const once = { key: 'k', fingerprint: 'f', windowMs: 60_000 }
    await jobs.submitOnce(EP, submission('a'), once)
    const [key = ''] = await raw.keys(`${stores.prefix()}:{${EP}}:i:*`)
    const until = await raw.pexpiretime(key)
    await jobs.submitOnce(EP, submission('b'), once)
    await jobs.submitOnce(EP, submission('c'), { ...once, fingerprint: 'other' })
    expect(await raw.pexpiretime(key)).toBe(until)
  })
})
