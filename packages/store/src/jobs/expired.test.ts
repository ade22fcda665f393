// Jobs that ended by their ttl, whatever call noticed it, are on a list from which each is taken once (ADR 44).
import { describe, expect, test, vi } from 'vitest'
import { endpoint } from '../testing/endpoint-fixture.ts'
import { submission, useStores } from '../testing/test-store.ts'
import type { JobStore } from './jobs.ts'

const stores = useStores()
const EP = 'ep-1'
const SHORT = { policy: { ttlMs: 100 } }

async function untilOver(job: string): Promise<void> {
  const raw = stores.raw()
  const due = Number(await raw.zscore(`${stores.prefix()}:{${EP}}:r:deadlines`, job))
  await vi.waitUntil(() => Date.now() > due + 5)
}

describe('an expired job', () => {
  test('is listed once with its facts, whichever process looked at it first', async () => {
    const [one, two] = [await stores.open(), await stores.open()]
    await one.jobs.submit(EP, submission('ran', { policy: { ttlMs: 300 } }))
    const taken = await one.jobs.take(EP, 'w1')
    await one.jobs.submit(EP, submission('waited', SHORT))
    for (const id of ['ran', 'waited']) await untilOver(id)
    expect(await two.jobs.get(EP, 'waited')).toBeUndefined()
    expect(await two.jobs.stats(EP)).toMatchObject({ expiredUntaken: 2, nextDeadlineAt: undefined })
    const lists = await Promise.all([one.jobs.takeExpired(EP), two.jobs.takeExpired(EP)])
    const error = 'the ttl of the job elapsed before it ended'
    const facts = { status: 'TIMED_OUT', error, submittedAt: expect.any(Number), settledAt: expect.any(Number), retries: 0 }
    expect(lists.flatMap(({ jobs }) => jobs)).toEqual([
      { id: 'waited', ...facts, startedAt: undefined, workerId: undefined },
      { id: 'ran', ...facts, startedAt: taken?.startedAt, workerId: 'w1' },
    ])
    expect(await one.jobs.stats(EP)).toMatchObject({ expiredUntaken: 0, timedOut: 2 })
  })

  test('that a sweep finds is listed, too', async () => {
    const { jobs } = await stores.open()
    await jobs.submit(EP, submission('a', SHORT))
    expect(await jobs.sweepExpired(EP, Date.now() + 1000)).toEqual(['a'])
    expect(await jobs.takeExpired(EP)).toMatchObject({ jobs: [{ id: 'a' }], unlisted: 0 })
    expect(await jobs.takeExpired(EP)).toEqual({ jobs: [], unlisted: 0 })
  })

  test('is not listed where it was cancelled or purged before', async () => {
    const { jobs } = await stores.open()
    for (const id of ['a', 'b']) await jobs.submit(EP, submission(id))
    await jobs.forceSettle(EP, 'a', { status: 'CANCELLED' })
    await jobs.purge(EP)
    expect(await jobs.sweepExpired(EP, Date.now() + 48 * 60 * 60 * 1000)).toEqual([])
    expect(await jobs.takeExpired(EP)).toEqual({ jobs: [], unlisted: 0 })
  })
})

test('of more than a thousand expired jobs the others are a number, reported once', async () => {
  const { jobs } = await stores.open()
  const ids = Array.from({ length: 1100 }, (_, n) => `j${n}`)
  await Promise.all(ids.map((id) => jobs.submit(EP, submission(id, SHORT))))
  expect((await jobs.sweepExpired(EP, Date.now() + 1000)).length).toBe(1100)
  const { jobs: listed, unlisted } = await jobs.takeExpired(EP)
  expect([new Set(listed.map(({ id }) => id)).size, unlisted]).toEqual([1000, 100])
  expect(await jobs.takeExpired(EP)).toEqual({ jobs: [], unlisted: 0 })
})

test('a sweep of many lets their list be taken before it is full', async () => {
  const { jobs } = await stores.open()
  await Promise.all(Array.from({ length: 1100 }, (_, n) => jobs.submit(EP, submission(`j${n}`, SHORT))))
  const taken: Awaited<ReturnType<JobStore['takeExpired']>>[] = []
  const take = async (): Promise<void> => void taken.push(await jobs.takeExpired(EP))
  await jobs.sweepExpired(EP, Date.now() + 1000, take)
  await take()
  expect(taken.map(({ jobs: some, unlisted }) => [some.length, unlisted])).toEqual([
    [500, 0],
    [500, 0],
    [100, 0],
  ])
})

test('an endpoint that is deleted reports the jobs that ended with it, and keeps no list', async () => {
  const { endpoints, jobs } = await stores.open()
  const id = 'ep-gone'
  await endpoints.upsert({ id }, () => endpoint(id))
  for (const job of ['expired', 'ended', 'runs', 'waits']) await jobs.submit(id, submission(job, job === 'expired' ? SHORT : {}))
  await jobs.sweepExpired(id, Date.now() + 1000)
  await jobs.forceSettle(id, 'ended', { status: 'CANCELLED' })
  await jobs.take(id, 'w1')
  const ended: unknown[] = []
  await endpoints.delete(id, (some) => ended.push(...some.map((job) => [job.id, job.status, job.workerId])))
  expect(ended).toHaveLength(2)
  expect(ended).toContainEqual(['runs', 'CANCELLED', 'w1'])
  expect(ended).toContainEqual(['waits', 'CANCELLED', undefined])
  await jobs.submit(id, submission('late'))
  await endpoints.forget(id, (some) => ended.push(...some))
  expect(ended).toHaveLength(3)
  expect(await stores.raw().exists(`${stores.prefix()}:{${id}}:r:expired`)).toBe(0)
})
