// Jobs that a worker lost together: one of them may have killed it, so each runs alone from then on (ADR 34).
import { describe, expect, test } from 'vitest'
import { completed, submission, useStores } from '../testing/test-store.ts'
import type { JobStore } from '../testing/value-store.ts'

const stores = useStores()
const EP = 'ep-1'
const lost = { budget: 2, evidence: 'exit code 137', withAll: true }
const from = (workerId: string | undefined, jobId: string) => ({ endpointId: EP, jobId, workerId })

/** One worker has taken all of them, and is lost. */
async function loseTogether(jobs: JobStore, ids: readonly string[], worker = 'w1'): Promise<void> {
  for (const id of ids) await jobs.submit(EP, submission(id))
  for (const _ of ids) await jobs.take(EP, worker)
  for (const id of ids) expect(await jobs.takeBack(from(worker, id), lost)).toBe('requeued')
}

describe('after a loss that several jobs share', () => {
  test('each runs alone: its worker gets nothing beside it', async () => {
    const { jobs } = await stores.open()
    await loseTogether(jobs, ['a', 'b'])
    await jobs.submit(EP, submission('later'))
    expect((await jobs.take(EP, 'w2'))?.id).toBe('a')
    expect(await jobs.take(EP, 'w2')).toBeNull()
    expect((await jobs.take(EP, 'w3'))?.id).toBe('b')
    expect(await jobs.take(EP, 'w3')).toBeNull()
    expect((await jobs.take(EP, 'w4'))?.id).toBe('later')
    await jobs.settle({ endpointId: EP, jobId: 'a', workerId: 'w2', outcome: completed(1) })
    expect(await jobs.take(EP, 'w2')).toBeUndefined()
  })

  test('a worker that holds others gets no suspect, and nothing more until one worker is free for it', async () => {
    const { jobs } = await stores.open()
    for (const id of ['other', 'next']) await jobs.submit(EP, submission(id))
    await jobs.take(EP, 'w0')
    await jobs.take(EP, 'w-next')
    await loseTogether(jobs, ['a', 'b'])
    await jobs.submit(EP, submission('later'))
    expect(await jobs.take(EP, 'w0')).toBeNull()
    await jobs.settle({ endpointId: EP, jobId: 'other', workerId: 'w0', outcome: completed(1) })
    expect((await jobs.take(EP, 'w0'))?.id).toBe('a')
  })

  test('the guilty one fails with its evidence and the others complete', async () => {
    const { jobs } = await stores.open()
    const ids = ['a', 'b', 'poison', 'c']
    await loseTogether(jobs, ids)
    for (let turn = 2; ; turn += 1) {
      const worker = `w${turn}`
      const job = await jobs.take(EP, worker)
      if (!job) break
      if (job.id === 'poison') await jobs.takeBack(from(worker, 'poison'), lost)
      else await jobs.settle({ endpointId: EP, jobId: job.id, workerId: worker, outcome: completed(job.id) })
    }
    for (const id of ['a', 'b', 'c']) expect(await jobs.get(EP, id)).toMatchObject({ status: 'COMPLETED', output: id, retries: 1 })
    const error = 'job timed out after 2 retries: worker lost 3 times: exit code 137'
    expect(await jobs.get(EP, 'poison')).toMatchObject({ status: 'FAILED', error })
    expect(await stores.raw().exists(`${stores.prefix()}:{${EP}}:r:suspects`)).toBe(0)
  })

  test('it counts once against each of them, so a host that dies again and again ends them all', async () => {
    const { jobs } = await stores.open()
    await loseTogether(jobs, ['a', 'b'])
    for (const worker of ['w2', 'w3', 'w4', 'w5']) {
      const job = await jobs.take(EP, worker)
      if (job) await jobs.takeBack(from(worker, job.id), lost)
    }
    expect((await Promise.all(['a', 'b'].map((id) => jobs.get(EP, id)))).map((job) => job?.status)).toEqual(['FAILED', 'FAILED'])
  })

  test('leases that ran out together make suspects, one that stands does not', async () => {
    const { jobs } = await stores.open()
    const raw = stores.raw()
    for (const id of ['a', 'b', 'c']) await jobs.submit(EP, submission(id))
    for (const _ of ['a', 'b', 'c']) await jobs.take(EP, 'w1')
    for (const id of ['a', 'b']) await raw.del(`${stores.prefix()}:{${EP}}:${id}:lock`)
    expect(await jobs.takeBack(from(undefined, 'a'), lost)).toBe('requeued')
    expect(await raw.zrange(`${stores.prefix()}:{${EP}}:r:suspects`, '0', '-1')).toEqual(['a', 'b'])
  })

  test.each([
    ['one job that its living worker has lost', { budget: 2, evidence: 'no ping names it' }, ['a', 'b']],
    ['a worker that held one job', lost, ['a']],
  ])('nothing is suspected after %s', async (_what, options, ids) => {
    const { jobs } = await stores.open()
    for (const id of ids) await jobs.submit(EP, submission(id))
    for (const _ of ids) await jobs.take(EP, 'w1')
    await jobs.takeBack(from('w1', 'a'), options)
    await jobs.submit(EP, submission('z'))
    expect((await jobs.take(EP, 'w2'))?.id).toBe('a')
    expect((await jobs.take(EP, 'w2'))?.id).toBe('z')
  })

  test('those that wait are counted, listed, cancelled and purged as all that wait', async () => {
    const store = await stores.open()
    const { jobs } = store
    await loseTogether(jobs, ['a', 'b', 'c'])
    expect(await jobs.stats(EP)).toMatchObject({ waiting: 3, waitingNormal: 3, inProgress: 0, oldestWaitingAt: expect.any(Number) })
    expect(await jobs.list(EP, { offset: 1, limit: 1 })).toMatchObject({ total: 3, jobs: [{ id: 'b', status: 'IN_QUEUE' }] })
    expect(await jobs.get(EP, 'b')).toMatchObject({ status: 'IN_QUEUE' })
    expect(await jobs.forceSettle(EP, 'b', { status: 'CANCELLED' })).toMatchObject({ result: 'settled' })
    expect(await jobs.purge(EP)).toBe(2)
    await jobs.endPurged(EP)
    expect(await jobs.get(EP, 'c')).toMatchObject({ status: 'CANCELLED' })
    expect(await jobs.stats(EP)).toMatchObject({ waiting: 0 })
  })

  test('a suspect that is given back or whose low priority was asked for waits among suspects, the low ones last', async () => {
    const { jobs } = await stores.open()
    await jobs.submit(EP, submission('low', { policy: { lowPriority: true } }))
    await jobs.take(EP, 'w1')
    await loseTogether(jobs, ['a', 'b'])
    await jobs.takeBack(from('w1', 'low'), lost)
    expect(await jobs.stats(EP)).toMatchObject({ waiting: 3, waitingNormal: 2 })
    expect((await jobs.take(EP, 'w2'))?.id).toBe('a')
    await jobs.giveBack(EP, 'a', 'w2')
    const order = [await jobs.take(EP, 'w3'), await jobs.take(EP, 'w4'), await jobs.take(EP, 'w5')]
    expect(order.map((job) => job?.id)).toEqual(['a', 'b', 'low'])
  })

  test('a worker that is free again is woken, even without a new job', async () => {
    const [one, other] = [await stores.open(), await stores.open()]
    await loseTogether(one.jobs, ['a', 'b'])
    await one.jobs.take(EP, 'w2')
    await one.jobs.take(EP, 'w3')
    const heard = stores.listen(other)
    await one.jobs.settle({ endpointId: EP, jobId: 'a', workerId: 'w2', outcome: completed(1) })
    await expect.poll(() => heard.map(({ kind }) => kind)).toContain('job-added')
  })

  test('the endpoint’s deletion ends them and leaves no key', async () => {
    const store = await stores.open()
    await loseTogether(store.jobs, ['a', 'b'])
    await store.jobs.take(EP, 'w2')
    await store.endpoints.forget(EP)
    expect(await store.jobs.get(EP, 'a')).toMatchObject({ status: 'CANCELLED' })
    expect(await store.jobs.get(EP, 'b')).toMatchObject({ status: 'CANCELLED' })
    expect(await stores.raw().exists(`${stores.prefix()}:{${EP}}:r:suspects`)).toBe(0)
  })
})
