// Jobs of lost workers, and what a crash half-way leaves behind.
import type { Signal } from '@runyard/schema'
import { workerRecord } from '@runyard/testing/records'
import { describe, expect, test } from 'vitest'
import { completed, drainStream, submission, useStores } from '../testing/test-store.ts'

const stores = useStores()
const EP = 'ep-1'
const from = (workerId: string | undefined, jobId = 'a') => ({ endpointId: EP, jobId, workerId })
const options = { budget: 2, evidence: 'exit code 137, out of memory' }

describe('taking a job back from a lost worker', () => {
  test('puts it in front and counts a retry each time, until the budget is spent', async () => {
    const { jobs } = await stores.open()
    await jobs.submit(EP, submission('a'))
    await jobs.submit(EP, submission('b'))
    for (const attempt of [1, 2]) {
      expect(await jobs.take(EP, `w${attempt}`)).toMatchObject({ id: 'a', attempt })
      expect(await jobs.takeBack(from(`w${attempt}`), options)).toBe('requeued')
      expect(await jobs.get(EP, 'a')).toMatchObject({ status: 'IN_QUEUE', retries: attempt - 1 })
    }
    expect(await jobs.take(EP, 'w3')).toMatchObject({ id: 'a', attempt: 3 })
    expect(await jobs.takeBack(from('w3'), options)).toBe('failed')
    expect(await jobs.get(EP, 'a')).toMatchObject({
      status: 'FAILED',
      error: 'job timed out after 2 retries: worker lost 3 times: exit code 137, out of memory',
      retries: 2,
      workerId: 'w3',
    })
    expect(await jobs.stats(EP)).toMatchObject({ retried: 2, failed: 1, waiting: 1, inProgress: 0 })
    expect((await jobs.take(EP, 'w4'))?.id).toBe('b')
  })

  test('a low priority job goes back in front of its kind only', async () => {
    const { jobs } = await stores.open()
    for (const id of ['low-1', 'low-2']) await jobs.submit(EP, submission(id, { policy: { lowPriority: true } }))
    await jobs.take(EP, 'w1')
    await jobs.submit(EP, submission('normal'))
    expect(await jobs.takeBack(from('w1', 'low-1'), options)).toBe('requeued')
    const order = [await jobs.take(EP, 'w2'), await jobs.take(EP, 'w2'), await jobs.take(EP, 'w2')]
    expect(order.map((job) => job?.id)).toEqual(['normal', 'low-1', 'low-2'])
  })

  test('works after the lease has run out, whether or not its worker is named', async () => {
    const { jobs } = await stores.open()
    const raw = stores.raw()
    for (const worker of ['w1', undefined]) {
      const id = `job-${String(worker)}`
      await jobs.submit(EP, submission(id))
      await jobs.take(EP, 'w1')
      await raw.del(`${stores.prefix()}:{${EP}}:${id}:lock`)
      expect(await jobs.takeBack(from(worker, id), options)).toBe('requeued')
      expect((await jobs.take(EP, 'w2'))?.id).toBe(id)
    }
  })

  test('replaces the last holder of an expired lease in the same step, and publishes that before it announces the job', async () => {
    const [one, other] = [await stores.open(), await stores.open()]
    await one.workers.create(workerRecord('w1', { endpointId: EP }))
    const heard: Signal[] = []
    await using _ = other.subscribe((signal) => void heard.push(signal))
    await one.jobs.submit(EP, submission('a'))
    await expect.poll(() => heard.at(-1)?.kind).toBe('job-added')
    heard.length = 0
    await one.jobs.take(EP, 'w1')
    await stores.raw().del(`${stores.prefix()}:{${EP}}:a:lock`)
    expect(await one.jobs.takeBack(from(undefined), options)).toBe('requeued')
    expect(await one.workers.get(EP, 'w1')).toMatchObject({ refreshRequested: true })
    await expect
      .poll(() => heard)
      .toEqual([
        { kind: 'worker-changed', endpointId: EP, workerId: 'w1' },
        { kind: 'job-added', endpointId: EP },
      ])
  })

  test.each([
    ['somebody else holds the lease', 'w2'],
    ['the lease has not run out', undefined],
  ])('changes nothing where %s', async (_when, worker) => {
    const { jobs } = await stores.open()
    await jobs.submit(EP, submission('a'))
    await jobs.take(EP, 'w1')
    expect(await jobs.takeBack(from(worker), options)).toBe('moot')
    expect(await jobs.get(EP, 'a')).toMatchObject({ status: 'IN_PROGRESS', workerId: 'w1' })
  })

  test('changes nothing for a job that waits, is settled or was never there', async () => {
    const { jobs } = await stores.open()
    await jobs.submit(EP, submission('a'))
    expect(await jobs.takeBack(from(undefined), options)).toBe('moot')
    expect(await jobs.takeBack(from('w1'), options)).toBe('moot')
    await jobs.take(EP, 'w1')
    await jobs.settle({ endpointId: EP, jobId: 'a', workerId: 'w1', outcome: completed(1) })
    expect(await jobs.takeBack(from('w1'), options)).toBe('moot')
    expect(await jobs.takeBack(from('w1', 'no-such'), options)).toBe('moot')
    expect(await jobs.get(EP, 'a')).toMatchObject({ status: 'COMPLETED', retries: 0 })
    expect(await jobs.stats(EP)).toMatchObject({ waiting: 0, inProgress: 0, retried: 0 })
  })

  test('two sweeps at once take a job back once', async () => {
    const [one, two] = [await stores.open(), await stores.open()]
    await one.jobs.submit(EP, submission('a'))
    await one.jobs.take(EP, 'w1')
    const results = await Promise.all([one.jobs.takeBack(from('w1'), options), two.jobs.takeBack(from('w1'), options)])
    expect(results.toSorted()).toEqual(['moot', 'requeued'])
    expect(await one.jobs.stats(EP)).toMatchObject({ waiting: 1, retried: 1 })
  })

  test('the progress and the unread chunks of the lost attempt are gone', async () => {
    const { jobs } = await stores.open()
    await jobs.submit(EP, submission('a'))
    await jobs.take(EP, 'w1')
    await jobs.progress({ endpointId: EP, jobId: 'a', workerId: 'w1', output: 'half' })
    await jobs.appendChunk({ endpointId: EP, jobId: 'a', workerId: 'w1', chunk: 'one' })
    await jobs.takeBack(from('w1'), options)
    await jobs.take(EP, 'w2')
    expect(await jobs.get(EP, 'a')).not.toHaveProperty('output')
    expect((await drainStream(jobs, EP, 'a', 10))?.chunks).toEqual([])
  })
})

describe('after a crash half-way', () => {
  /** The outcome is there but the job is still active under its lock, as if the process had died between two commands. */
  async function settledButActive() {
    const store = await stores.open()
    const raw = stores.raw()
    await store.jobs.submit(EP, submission('a'))
    await store.jobs.take(EP, 'w1')
    const base = `${stores.prefix()}:{${EP}}`
    const outcome = JSON.stringify(completed('done'))
    await raw.hset(`${base}:s:a`, { submittedAt: 1, settledAt: 2, attempts: 1, workerId: 'w1', outcome })
    return { ...store, raw, base }
  }

  test('a settled job that is still active is reported as settled and not run again', async () => {
    const { jobs } = await settledButActive()
    expect(await jobs.get(EP, 'a')).toMatchObject({ status: 'COMPLETED', output: 'done' })
    expect(await jobs.takeBack(from('w1'), options)).toBe('moot')
    expect(await jobs.stats(EP)).toMatchObject({ inProgress: 0, waiting: 0 })
  })

  test('listing leases cleans it up', async () => {
    const { jobs, raw, base } = await settledButActive()
    expect(await jobs.leases(EP)).toEqual([])
    expect(await raw.exists(`${base}:a`, `${base}:a:lock`, `${base}:active`)).toBe(0)
  })

  test.each(['its worker’s second try', 'a cancel'])('%s cleans it up', async (how) => {
    const { jobs, raw, base } = await settledButActive()
    const result =
      how === 'a cancel'
        ? (await jobs.forceSettle(EP, 'a', { status: 'CANCELLED' })).result
        : await jobs.settle({ endpointId: EP, jobId: 'a', workerId: 'w1', outcome: completed('again') })
    expect(result).toBe('already_settled')
    expect(await jobs.get(EP, 'a')).toMatchObject({ output: 'done' })
    expect(await raw.exists(`${base}:a`, `${base}:a:lock`, `${base}:active`)).toBe(0)
  })

  test('an active entry without a job is swept away', async () => {
    const { jobs } = await stores.open()
    const raw = stores.raw()
    await raw.lpush(`${stores.prefix()}:{${EP}}:active`, 'ghost')
    expect(await jobs.leases(EP)).toEqual([])
    expect(await jobs.stats(EP)).toMatchObject({ inProgress: 0 })
  })

  test('a deadline without a job is swept away', async () => {
    const { jobs } = await stores.open()
    const raw = stores.raw()
    await raw.zadd(`${stores.prefix()}:{${EP}}:r:deadlines`, 1, 'ghost')
    expect(await jobs.sweepExpired(EP, 10)).toEqual(['ghost'])
    expect(await jobs.sweepExpired(EP, 10)).toEqual([])
  })
})
