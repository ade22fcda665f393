// Our scripts move jobs in BullMQ's own structures: here BullMQ itself looks at the result. Breaks when an upgrade changes them.
import { Queue, Worker } from 'bullmq'
import { describe, expect, onTestFinished, test } from 'vitest'
import { completed, submission, useStores } from '../testing/test-store.ts'

const stores = useStores()
const EP = 'ep-1'

function openBull() {
  const options = { connection: { url: stores.redis().url }, prefix: stores.prefix() }
  const queue = new Queue(`{${EP}}`, options)
  const worker = new Worker(`{${EP}}`, undefined, { ...options, autorun: false })
  onTestFinished(async () => {
    await worker.close()
    await queue.close()
  })
  return { queue, worker }
}

describe('BullMQ agrees', () => {
  test('with what waits, runs and is gone after each of our moves', async () => {
    const { jobs } = await stores.open()
    const { queue } = openBull()
    const expectCounts = async (counts: { wait: number; prioritized: number; active: number }) =>
      expect(await queue.getJobCounts('wait', 'prioritized', 'active', 'completed', 'failed')).toEqual({
        ...counts,
        completed: 0,
        failed: 0,
      })

    for (const id of ['a', 'b', 'c']) await jobs.submit(EP, submission(id))
    await jobs.submit(EP, submission('low', { policy: { lowPriority: true } }))
    await expectCounts({ wait: 3, prioritized: 1, active: 0 })
    for (const worker of ['w1', 'w2', 'w3', 'w4']) await jobs.take(EP, worker)
    await expectCounts({ wait: 0, prioritized: 0, active: 4 })
    await jobs.settle({ endpointId: EP, jobId: 'a', workerId: 'w1', outcome: completed(1) })
    await jobs.forceSettle(EP, 'b', { status: 'CANCELLED' })
    await expectCounts({ wait: 0, prioritized: 0, active: 2 })
    await jobs.giveBack(EP, 'c', 'w3')
    await jobs.takeBack({ endpointId: EP, jobId: 'low', workerId: 'w4' }, { budget: 2, evidence: '' })
    await expectCounts({ wait: 1, prioritized: 1, active: 0 })
    await jobs.forceSettle(EP, 'c', { status: 'CANCELLED' })
    await jobs.sweepExpired(EP, Date.now() + 48 * 60 * 60 * 1000)
    await expectCounts({ wait: 0, prioritized: 0, active: 0 })
  })

  test('a job that we put back can be taken and finished by BullMQ’s own worker', async () => {
    const { jobs } = await stores.open()
    const { worker } = openBull()
    for (const lowPriority of [false, true]) {
      const id = `job-${String(lowPriority)}`
      await jobs.submit(EP, submission(id, { policy: { lowPriority } }))
      await jobs.take(EP, 'w1')
      await jobs.takeBack({ endpointId: EP, jobId: id, workerId: 'w1' }, { budget: 2, evidence: '' })
      const job = await worker.getNextJob('token', { block: false })
      expect(job).toMatchObject({ id, attemptsStarted: 2, data: submission(id, { policy: { lowPriority } }) })
      await job?.moveToCompleted('done', 'token', false)
    }
    expect(await jobs.leases(EP)).toEqual([])
  })

  test('a lock that BullMQ set is the lease that we see', async () => {
    const { jobs } = await stores.open()
    const { worker } = openBull()
    await jobs.submit(EP, submission('a'))
    await worker.getNextJob('w9', { block: false })
    expect(await jobs.leases(EP)).toMatchObject([{ jobId: 'a', workerId: 'w9' }])
    expect(await jobs.settle({ endpointId: EP, jobId: 'a', workerId: 'w9', outcome: completed(1) })).toBe('settled')
  })
})
