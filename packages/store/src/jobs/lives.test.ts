// What callers wish for a job after its submission: another life, an end with all that wait, a look at all of them; and what a 404 can say.
import type { JobRecord } from '@runyard/schema'
import { workerRecord } from '@runyard/testing/records'
import { describe, expect, test, vi } from 'vitest'
import { completed, drainStream, submission, useStores } from '../testing/test-store.ts'
import type { JobStore } from '../testing/value-store.ts'

const stores = useStores()
const EP = 'ep-1'
const failed = { status: 'FAILED', error: 'broken', output: 'half' } as const

/** A job that worker `w1` held until it failed. */
async function failedJob(jobs: JobStore, fields: Parameters<typeof submission>[1] = {}): Promise<void> {
  await jobs.submit(EP, submission('a', fields))
  await jobs.take(EP, 'w1')
  await jobs.appendChunk({ endpointId: EP, jobId: 'a', workerId: 'w1', chunk: 'chunk' })
  await jobs.settle({ endpointId: EP, jobId: 'a', workerId: 'w1', outcome: failed })
}

describe('retry', () => {
  test('gives a failed job a new life: same submission, nothing else of the old one', async () => {
    const store = await stores.open()
    const { jobs } = store
    const heard = stores.listen(store)
    const fields = {
      sync: true,
      policy: { executionTimeoutMs: 7000, ttlMs: 20_000 },
      webhook: { url: 'https://example.test/hook', ownerId: 'owner' },
      s3Config: { bucketName: 'b' },
    }
    await failedJob(jobs, fields)
    const before = await jobs.get(EP, 'a')
    expect(await jobs.retry(EP, 'a')).toBe('retried')
    expect(heard).toContainEqual({ kind: 'job-added', endpointId: EP })
    const after = await jobs.get(EP, 'a')
    expect(after).toEqual({ id: 'a', status: 'IN_QUEUE', deadlineAt: expect.any(Number), submittedAt: expect.any(Number), retries: 0 })
    expect(after?.submittedAt).toBeGreaterThanOrEqual(before?.settledAt ?? Infinity)
    expect((await drainStream(jobs, EP, 'a', 10))?.chunks).toEqual([])
    expect(await jobs.take(EP, 'w2')).toMatchObject({ id: 'a', attempt: 1, submission: submission('a', fields) })
    expect(await jobs.leases(EP)).toMatchObject([{ jobId: 'a', executionTimeoutMs: 7000 }])
    expect(await jobs.settle({ endpointId: EP, jobId: 'a', workerId: 'w2', outcome: completed('good') })).toBe('settled')
    expect(await jobs.get(EP, 'a')).toMatchObject({ status: 'COMPLETED', output: 'good', workerId: 'w2', retries: 0 })
    expect(await jobs.retry(EP, 'a')).toBe('COMPLETED')
  })

  test('restarts the ttl', async () => {
    const { jobs } = await stores.open()
    await failedJob(jobs, { policy: { ttlMs: 60_000 } })
    await jobs.retry(EP, 'a')
    expect(await jobs.sweepExpired(EP, Date.now() + 55_000)).toEqual([])
    expect(await jobs.sweepExpired(EP, Date.now() + 61_000)).toEqual(['a'])
  })

  test('is refused for a job in any other state, with that state', async () => {
    const { jobs } = await stores.open()
    expect(await jobs.retry(EP, 'a')).toBe('unknown')
    await jobs.submit(EP, submission('a'))
    expect(await jobs.retry(EP, 'a')).toBe('IN_QUEUE')
    await jobs.take(EP, 'w1')
    expect(await jobs.retry(EP, 'a')).toBe('IN_PROGRESS')
    await jobs.forceSettle(EP, 'a', { status: 'CANCELLED' })
    expect(await jobs.retry(EP, 'a')).toBe('CANCELLED')
  })

  test('a worker of an earlier life is replaced before it may have the job again, and its late result changes nothing', async () => {
    const { jobs, workers } = await stores.open()
    await workers.create(workerRecord('w1'))
    await failedJob(jobs)
    await jobs.retry(EP, 'a')
    expect(await jobs.take(EP, 'w1')).toBeUndefined()
    expect(await workers.get(EP, 'w1')).toMatchObject({ refreshRequested: true })
    expect(await jobs.settle({ endpointId: EP, jobId: 'a', workerId: 'w1', outcome: completed('stale') })).toBe('not_holder')
    expect(await jobs.take(EP, 'w2')).toMatchObject({ id: 'a', attempt: 1 })
    expect(await jobs.settle({ endpointId: EP, jobId: 'a', workerId: 'w1', outcome: completed('stale') })).toBe('not_holder')
    expect(await jobs.get(EP, 'a')).toMatchObject({ status: 'IN_PROGRESS', workerId: 'w2' })
  })

  test('also one whose lease had run out when its job was ended by force', async () => {
    const { jobs } = await stores.open()
    await jobs.submit(EP, submission('a'))
    await jobs.take(EP, 'w1')
    await stores.raw().del(`${stores.prefix()}:{${EP}}:a:lock`)
    await jobs.forceSettle(EP, 'a', failed)
    await jobs.retry(EP, 'a')
    expect(await jobs.take(EP, 'w1')).toBeUndefined()
    expect((await jobs.take(EP, 'w2'))?.id).toBe('a')
  })

  test('keeps low priority low and queues at the end', async () => {
    const { jobs } = await stores.open()
    await failedJob(jobs, { policy: { lowPriority: true } })
    await jobs.submit(EP, submission('low', { policy: { lowPriority: true } }))
    await jobs.retry(EP, 'a')
    await jobs.submit(EP, submission('normal'))
    const order = [await jobs.take(EP, 'w2'), await jobs.take(EP, 'w2'), await jobs.take(EP, 'w2')]
    expect(order.map((job) => job?.id)).toEqual(['normal', 'low', 'a'])
  })

  test('many at once give one new life', async () => {
    const [one, two] = [await stores.open(), await stores.open()]
    await failedJob(one.jobs)
    const results = await Promise.all([one, two, one, two].map(({ jobs }) => jobs.retry(EP, 'a')))
    expect(results.toSorted()).toEqual(['IN_QUEUE', 'IN_QUEUE', 'IN_QUEUE', 'retried'])
    expect(await one.jobs.stats(EP)).toMatchObject({ waiting: 1, ended: 0, keptBytes: 0 })
  })
})

describe('purge', () => {
  test('cancels what waits at once, and leaves the running job alone', async () => {
    const store = await stores.open()
    const { jobs } = store
    await jobs.submit(EP, submission('running', { webhook: { url: 'https://example.test/hook', ownerId: 'owner' } }))
    await jobs.take(EP, 'w1')
    await Promise.all(
      Array.from({ length: 1300 }, (_, n) => jobs.submit(EP, submission(`j${n}`, { policy: { lowPriority: n % 3 === 0 } }))),
    )
    const heard = stores.listen(store)
    expect(await jobs.purge(EP)).toBe(1300)
    expect(heard).toContainEqual({ kind: 'queue-purged', endpointId: EP })
    expect(await jobs.stats(EP)).toMatchObject({ waiting: 0, inProgress: 1, failed: 0, ended: 1300 })
    expect(await jobs.take(EP, 'w2')).toBeUndefined()
    expect(await jobs.purge(EP)).toBe(0)
    expect(await jobs.settle({ endpointId: EP, jobId: 'running', workerId: 'w1', outcome: completed(1) })).toBe('settled')
  })

  test('a purged job has ended for everybody who asks, before its end is written', async () => {
    const { jobs, endpoints } = await stores.open()
    for (const id of ['get', 'settle', 'cancel', 'retry', 'stream', 'submission', 'ttl', 'deleted']) await jobs.submit(EP, submission(id))
    await jobs.purge(EP)
    expect(await jobs.get(EP, 'get')).toMatchObject({ status: 'CANCELLED', error: 'the queue was purged', settledAt: expect.any(Number) })
    expect(await jobs.settle({ endpointId: EP, jobId: 'settle', workerId: 'w1', outcome: completed(1) })).toBe('already_settled')
    expect(await jobs.forceSettle(EP, 'cancel', failed)).toMatchObject({ result: 'already_settled', record: { status: 'CANCELLED' } })
    expect(await jobs.retry(EP, 'retry')).toBe('CANCELLED')
    expect(await jobs.claimChunks(EP, 'stream', 1)).toMatchObject({ record: { status: 'CANCELLED' }, more: false })
    expect(await jobs.submission(EP, 'submission')).toBeUndefined()
    expect(await jobs.sweepExpired(EP, Date.now() + 25 * 60 * 60 * 1000)).toEqual([])
    await endpoints.forget(EP)
    expect(await jobs.get(EP, 'deleted')).toMatchObject({ status: 'CANCELLED', error: 'the queue was purged' })
  })

  test('the ends of purged jobs are written in many steps by any process, also during other purges', async () => {
    const [one, two] = [await stores.open(), await stores.open()]
    const submit = (from: number) => Promise.all(Array.from({ length: 700 }, (_, n) => one.jobs.submit(EP, submission(`j${from + n}`))))
    await submit(0)
    await one.jobs.purge(EP)
    await submit(700)
    await two.jobs.purge(EP)
    await one.jobs.submit(EP, submission('later'))
    const ended: string[] = []
    const note = (jobs: readonly JobRecord[]): void => void ended.push(...jobs.map(({ id, status }) => `${id} ${status}`))
    await one.jobs.get(EP, 'j3')
    await one.jobs.endPurged(EP, note, AbortSignal.abort())
    expect((await one.jobs.list(EP, { offset: 0, limit: 1 })).total).toBeLessThan(1401)
    await Promise.all([one.jobs.endPurged(EP, note), two.jobs.endPurged(EP, note)])
    expect(ended.toSorted()).toEqual(Array.from({ length: 1400 }, (_, n) => `j${n} CANCELLED`).toSorted())
    expect((await one.jobs.list(EP, { offset: 0, limit: 1 })).total).toBe(1401)
    expect(await one.jobs.stats(EP)).toMatchObject({ waiting: 1, ended: 1400 })
    expect(await stores.raw().keys(`${stores.prefix()}:*:r:purge*`)).toEqual([])
    expect((await one.jobs.take(EP, 'w1'))?.id).toBe('later')
  })

  test('a job that was running then and comes back is not of those that were purged', async () => {
    const { jobs } = await stores.open()
    for (const id of ['a', 'b', 'c']) await jobs.submit(EP, submission(id))
    await jobs.take(EP, 'w1')
    await jobs.take(EP, 'w2')
    await stores.raw().del(`${stores.prefix()}:{${EP}}:b:lock`)
    expect(await jobs.purge(EP)).toBe(1)
    expect(await jobs.get(EP, 'b')).toMatchObject({ status: 'IN_QUEUE' })
    await jobs.giveBack(EP, 'a', 'w1')
    await jobs.takeBack({ endpointId: EP, jobId: 'b', workerId: undefined }, { budget: 2, evidence: 'lost' })
    for (const id of ['a', 'b']) expect(await jobs.get(EP, id)).toMatchObject({ status: 'IN_QUEUE' })
    await jobs.endPurged(EP)
    expect(await jobs.stats(EP)).toMatchObject({ waiting: 2, inProgress: 0, ended: 1 })
    expect((await jobs.get(EP, 'c'))?.status).toBe('CANCELLED')
  })

  test('ends although jobs keep coming, and two at once count each job once', async () => {
    const [one, two] = [await stores.open(), await stores.open()]
    const submit = (from: number) => Promise.all(Array.from({ length: 700 }, (_, n) => one.jobs.submit(EP, submission(`j${from + n}`))))
    await submit(0)
    const [first, second] = await Promise.all([one.jobs.purge(EP), two.jobs.purge(EP), submit(700)])
    const { waiting } = await one.jobs.stats(EP)
    expect(first + second + waiting).toBe(1400)
  })
})

describe('the list of jobs', () => {
  test('shows what waits, what runs and what ended, each newest first, page by page', async () => {
    const { jobs } = await stores.open()
    for (const id of ['done-1', 'done-2', 'done-3', 'run-1', 'run-2', 'wait-1', 'wait-2']) {
      await jobs.submit(EP, submission(id, { sync: id === 'done-2' }))
    }
    for (const id of ['done-1', 'done-2', 'done-3']) {
      await jobs.take(EP, 'w1')
      await jobs.settle({ endpointId: EP, jobId: id, workerId: 'w1', outcome: id === 'done-3' ? failed : completed('x'.repeat(1000)) })
      await vi.waitUntil(async () => ((await jobs.get(EP, id))?.settledAt ?? Infinity) < Date.now())
    }
    for (const worker of ['w1', 'w2']) await jobs.take(EP, worker)
    await jobs.submit(EP, submission('low', { policy: { lowPriority: true } }))
    const all = await jobs.list(EP, { offset: 0, limit: 50 })
    const order = ['low', 'wait-2', 'wait-1', 'run-2', 'run-1', 'done-3', 'done-2', 'done-1']
    expect(all.total).toBe(8)
    expect(all.jobs.map((job) => job.id)).toEqual(order)
    expect(all.jobs.slice(0, 4).map(({ ahead }) => ahead)).toEqual([2, 1, 0, undefined])
    expect(await Promise.all(order.slice(0, 4).map((id) => jobs.ahead(EP, id)))).toEqual([2, 1, 0, undefined])
    expect(await jobs.list(EP, { offset: 1, limit: 50, isLive: true })).toMatchObject({
      total: 5,
      jobs: order.slice(1, 5).map((id) => ({ id })),
    })
    expect(all.jobs[3]).toEqual({
      id: 'run-2',
      status: 'IN_PROGRESS',
      submittedAt: expect.any(Number),
      startedAt: expect.any(Number),
      retries: 0,
      workerId: 'w2',
    })
    expect(all.jobs[5]).toMatchObject({ status: 'FAILED', settledAt: expect.any(Number), workerId: 'w1' })
    const paged: string[] = []
    for (let offset = 0; offset < 8; offset += 3) paged.push(...(await jobs.list(EP, { offset, limit: 3 })).jobs.map((job) => job.id))
    expect(paged).toEqual(order)
    expect(await jobs.list(EP, { offset: 100, limit: 3 })).toEqual({ total: 8, jobs: [] })
  })
})
