// What the batches' caller relies on: one job per request however often it is submitted, limits that hold, results that stay.
import { describe, expect, test, vi } from 'vitest'
import { completed, submission, useStores } from '../testing/test-store.ts'
import type { BatchStore } from '../testing/value-store.ts'

const stores = useStores()
const AT = { endpointId: 'ep-1', batchId: 'batch_1' }
const LIMITS = { requests: 1000, bytes: 100_000 }
const requests = (count: number, from = 0) => Array.from({ length: count }, (_, n) => submission(`r${n + from}`, { batchId: AT.batchId }))

async function finalized(batches: BatchStore, count: number): Promise<void> {
  await batches.create(AT, 10)
  expect(await batches.add(AT, requests(count), LIMITS)).toBe('ok')
  expect(await batches.finalize(AT, 50_000)).toBe('ok')
}

async function submitAll(batches: BatchStore): Promise<readonly string[]> {
  const ids: string[] = []
  for (let from: number | undefined = 0; from !== undefined;) {
    const page: Awaited<ReturnType<BatchStore['submit']>> = await batches.submit(AT, from)
    ids.push(...page.submitted)
    from = page.next
  }
  return ids
}

test('each request becomes one job, in order, even if several processes submit them repeatedly at once', async () => {
  const [one, two] = [await stores.open(), await stores.open()]
  await finalized(one.batches, 350)
  const [first, second] = await Promise.all([submitAll(one.batches), submitAll(two.batches)])
  expect([...first, ...second].toSorted()).toEqual(
    requests(350)
      .map(({ id }) => id)
      .toSorted(),
  )
  expect(await submitAll(one.batches)).toEqual([])
  expect((await one.jobs.stats('ep-1')).waiting).toBe(350)
  expect((await one.jobs.take('ep-1', 'w1'))?.submission).toMatchObject({ batchId: 'batch_1' })
})

test('a batch that is cancelled while it is submitted queues nothing more', async () => {
  const [one, two] = [await stores.open(), await stores.open()]
  await finalized(one.batches, 350)
  const [submitted] = await Promise.all([submitAll(one.batches), two.batches.cancel(AT)])
  expect((await one.jobs.stats('ep-1')).waiting).toBe(submitted.length)
  expect(await submitAll(two.batches)).toEqual([])
  const states = await one.batches.states(AT, 'CANCELLED')
  expect(states.filter(({ status }) => status === 'CANCELLED')).toHaveLength(350 - submitted.length)
})

describe('a draft', () => {
  test('holds so many requests and bytes and no more, all of a call or none', async () => {
    const { batches } = await stores.open()
    await batches.create(AT, 10)
    expect(await batches.add(AT, requests(600), LIMITS)).toBe('ok')
    expect(await batches.add(AT, requests(401, 600), LIMITS)).toBe('too_many')
    expect(await batches.add(AT, [submission('big', { input: 'x'.repeat(100_000) })], LIMITS)).toBe('too_large')
    expect(await batches.get(AT)).toMatchObject({ status: 'DRAFT', requestTotal: 600 })
    expect(await batches.drop(AT, 'r0')).toBe('ok')
    expect(await batches.drop(AT, 'r0')).toBe('unknown_request')
    expect((await batches.states(AT, 'DRAFT')).length).toBe(599)
  })

  test('goes after a day without a change, and is counted as active no more', async () => {
    const { batches } = await stores.open()
    const raw = stores.raw()
    await batches.create(AT, 1)
    await batches.add(AT, requests(1), LIMITS)
    const keys = await raw.keys(`${stores.prefix()}:{ep-1}:b:*`)
    for (const key of keys) expect(await raw.pttl(key)).toSatisfy((ms: number) => ms > 23 * 3_600_000 && ms <= 24 * 3_600_000)
    const other = { ...AT, batchId: 'batch_2' }
    expect(await batches.create(other, 1)).toBe('too_many')
    await raw.del(...keys)
    expect(await batches.create(other, 1)).toBe('ok')
    expect(await batches.list('ep-1', { offset: 0, limit: 10 })).toMatchObject({ total: 1, batches: [{ id: 'batch_2' }] })
  })
})

test('a batch is gone when its time has passed, for each question, and not at a later look', async () => {
  const { batches, jobs } = await stores.open({ retention: { asyncMs: 60_000, syncMs: 60_000, batchMs: 100 } })
  for (const n of [1, 2, 3]) {
    const at = { ...AT, batchId: `short_${n}` }
    await batches.create(at, 10)
    await batches.add(at, [submission(`s${n}`, { policy: { ttlMs: 100 } })], LIMITS)
    await batches.finalize(at, 10)
  }
  await batches.create(AT, 10)
  const raw = stores.raw()
  const base = `${stores.prefix()}:{ep-1}`
  const until = Number((await raw.zrange(`${base}:r:batches:until`, '0', '2', 'WITHSCORES')).at(-1))
  await vi.waitUntil(() => Date.now() > until)
  const first = { ...AT, batchId: 'short_1' }
  expect(await batches.list('ep-1', { offset: 0, limit: 1 })).toMatchObject({ total: 1, batches: [{ id: AT.batchId }] })
  expect(await batches.get(first)).toBeUndefined()
  expect(await batches.submit(first, 0)).toEqual({ submitted: [], next: undefined })
  expect(await batches.states(first, 'FINALIZED')).toEqual([])
  for (const change of [batches.finalize(first, 10), batches.cancel(first), batches.rename(first, 'x'), batches.drop(first, 's1')])
    expect(await change).toBe('unknown')
  expect(await jobs.stats('ep-1')).toMatchObject({ waiting: 0 })
  for (const key of await raw.keys(`${base}:r:batches*`)) {
    const type = await raw.type(key)
    expect([key, type === 'set' ? await raw.scard(key) : await raw.zcard(key)]).toEqual([key, 1])
  }
})

test('an index without readers grows only as long as its batches live', async () => {
  const { batches } = await stores.open()
  const raw = stores.raw()
  const until = `${stores.prefix()}:{ep-1}:r:batches:until`
  for (let n = 0; n < 5; n += 1) {
    await batches.create({ ...AT, batchId: `b${n}` }, 10)
    await raw.zadd(until, Date.now() - 1, `b${n}`)
  }
  expect(await raw.zcard(`${stores.prefix()}:{ep-1}:r:batches`)).toBe(1)
})

test('its results stay for its longest ttl and the time that is set for batches, also those of a second life', async () => {
  const { batches, jobs } = await stores.open({ retention: { asyncMs: 300, syncMs: 300, batchMs: 60_000 } })
  await batches.create(AT, 10)
  await batches.add(AT, [submission('a', { batchId: AT.batchId, policy: { ttlMs: 60_000 } })], LIMITS)
  await batches.finalize(AT, 10)
  await submitAll(batches)
  await jobs.submit('ep-1', submission('single'))
  await jobs.take('ep-1', 'w1')
  await jobs.settle({ endpointId: 'ep-1', jobId: 'a', workerId: 'w1', outcome: { status: 'FAILED', error: 'x' } })
  await jobs.retry('ep-1', 'a')
  for (const id of ['single', 'a']) {
    expect((await jobs.take('ep-1', 'w2'))?.id).toBe(id)
    await jobs.settle({ endpointId: 'ep-1', jobId: id, workerId: 'w2', outcome: completed(id) })
  }
  await vi.waitUntil(async () => (await jobs.get('ep-1', 'single')) === undefined)
  await jobs.sweepRegister('ep-1', Date.now())
  expect(await jobs.get('ep-1', 'a')).toMatchObject({ status: 'COMPLETED', output: 'a' })
  const life = await stores.raw().pttl(`${stores.prefix()}:{ep-1}:s:a`)
  expect(life).toSatisfy((ms: number) => ms > 100_000 && ms <= 120_000)
})
