// What may wait on one endpoint, and that its weight is exact whatever becomes of the jobs.
import { RunyardError } from '@runyard/schema'
import { describe, expect, test, vi } from 'vitest'
import { completed, submission, useStores } from '../testing/test-store.ts'

const stores = useStores()
const EP = 'ep-1'
const KEPT = { asyncMs: 60_000, syncMs: 60_000 }
const heavy = (id: string) => submission(id, { input: 'x'.repeat(1000) })
const full = expect.objectContaining({
  code: 'too_many_requests',
  retryAfterS: expect.any(Number),
  message: expect.stringContaining('(limits.queueJobs)'),
})
const tooHeavy = expect.objectContaining({ code: 'too_many_requests', message: expect.stringContaining('(limits.queueBytes)') })

async function weightOf(): Promise<number> {
  return Number((await stores.raw().hget(`${stores.prefix()}:{${EP}}:r:counters`, 'queueBytes')) ?? 0)
}

describe('the number of waiting jobs', () => {
  test('is bounded; a job that was taken or has ended waits no more', async () => {
    const { jobs } = await stores.open({ retention: { ...KEPT, queueJobs: 2 } })
    await jobs.submit(EP, submission('a'))
    await jobs.submit(EP, submission('b', { policy: { lowPriority: true } }))
    await expect(jobs.submit(EP, submission('c'))).rejects.toEqual(full)
    expect(await jobs.get(EP, 'c')).toBeUndefined()
    await jobs.take(EP, 'w1')
    await jobs.submit(EP, submission('d'))
    await expect(jobs.submit(EP, submission('e'))).rejects.toEqual(full)
    await jobs.forceSettle(EP, 'b', { status: 'CANCELLED' })
    await jobs.submit(EP, submission('f'))
    await jobs.purge(EP)
    await jobs.submit(EP, submission('g'))
  })

  test('a full queue keeps no idempotency key, and still names the job of a known one', async () => {
    const { jobs } = await stores.open({ retention: { ...KEPT, queueJobs: 1 } })
    const once = { key: 'key', fingerprint: 'print', windowMs: 60_000 }
    await jobs.submitOnce(EP, submission('a'), once)
    expect(await jobs.submitOnce(EP, submission('b'), once)).toEqual({ kind: 'repeated', jobId: 'a' })
    const other = { ...once, key: 'other' }
    await expect(jobs.submitOnce(EP, submission('b'), other)).rejects.toEqual(full)
    await jobs.take(EP, 'w1')
    expect(await jobs.submitOnce(EP, submission('c'), other)).toEqual({ kind: 'accepted' })
  })

  test('a retry needs room, a lost worker’s job has it', async () => {
    const { jobs } = await stores.open({ retention: { ...KEPT, queueJobs: 1 } })
    await jobs.submit(EP, submission('a'))
    await jobs.take(EP, 'w1')
    await jobs.settle({ endpointId: EP, jobId: 'a', workerId: 'w1', outcome: { status: 'FAILED', error: 'x' } })
    await jobs.submit(EP, submission('b'))
    await jobs.take(EP, 'w1')
    await jobs.submit(EP, submission('c'))
    await expect(jobs.retry(EP, 'a')).rejects.toEqual(full)
    expect(await jobs.get(EP, 'a')).toMatchObject({ status: 'FAILED' })
    expect(await jobs.takeBack({ endpointId: EP, jobId: 'b', workerId: 'w1' }, { budget: 2, evidence: 'x' })).toBe('requeued')
    expect(await jobs.stats(EP)).toMatchObject({ waiting: 2 })
  })
})

describe('the weight of live jobs', () => {
  test('is bounded, running jobs included; the first of an endpoint is taken whatever it weighs', async () => {
    const { jobs } = await stores.open({ retention: { ...KEPT, queueBytes: 1200 } })
    await jobs.submit(EP, heavy('a'))
    await jobs.take(EP, 'w1')
    await expect(jobs.submit(EP, submission('b'))).rejects.toEqual(tooHeavy)
    await jobs.settle({ endpointId: EP, jobId: 'a', workerId: 'w1', outcome: completed(1) })
    expect(await weightOf()).toBe(0)
    await jobs.submit(EP, submission('b'))
    await expect(jobs.submit(EP, heavy('c'))).rejects.toBeInstanceOf(RunyardError)
  })

  test('of a job without one, of an older version, nothing is subtracted; an idle endpoint weighs nothing after a sweep', async () => {
    const { jobs } = await stores.open()
    const raw = stores.raw()
    await jobs.submit(EP, submission('a'))
    const weight = await weightOf()
    await jobs.take(EP, 'w1')
    for (const id of ['old', 'purged']) {
      await jobs.submit(EP, submission(id))
      await raw.hdel(`${stores.prefix()}:{${EP}}:${id}`, 'weight')
    }
    await jobs.forceSettle(EP, 'old', { status: 'CANCELLED' })
    await jobs.purge(EP)
    await jobs.endPurged(EP)
    await jobs.sweepRegister(EP, Date.now())
    expect(await weightOf()).toBeGreaterThan(weight)
    await jobs.forceSettle(EP, 'a', { status: 'CANCELLED' })
    await jobs.sweepRegister(EP, Date.now())
    expect(await weightOf()).toBe(0)
  })
})

describe('drafts of batches', () => {
  const AT = { endpointId: EP, batchId: 'batch_1' }
  const LIMITS = { requests: 100, bytes: 100_000 }

  test('weigh with the jobs that wait, from their adding to the end of their jobs', async () => {
    const { batches, jobs } = await stores.open({ retention: { ...KEPT, queueBytes: 4000 } })
    await batches.create(AT, 10)
    await batches.add(AT, [heavy('a'), heavy('b')], LIMITS)
    await expect(batches.add(AT, [heavy('c')], LIMITS)).rejects.toEqual(tooHeavy)
    await expect(jobs.submit(EP, heavy('c'))).rejects.toEqual(tooHeavy)
    await batches.drop(AT, 'a')
    await batches.add(AT, [heavy('c')], LIMITS)
    await batches.finalize(AT, 50)
    await batches.submit(AT, 0)
    await expect(jobs.submit(EP, heavy('d'))).rejects.toEqual(tooHeavy)
    await jobs.purge(EP)
    await jobs.endPurged(EP)
    expect(await weightOf()).toBe(0)
  })

  test('weigh nothing once their batch is cancelled or has expired', async () => {
    const { batches, jobs } = await stores.open({ retention: { ...KEPT, queueBytes: 2000 } })
    const raw = stores.raw()
    await batches.create(AT, 10)
    await batches.add(AT, [heavy('a')], LIMITS)
    await batches.cancel(AT)
    expect(await weightOf()).toBe(0)
    const other = { ...AT, batchId: 'batch_2' }
    await batches.create(other, 10)
    await batches.add(other, [heavy('b')], LIMITS)
    for (const part of ['', ':ids', ':drafts']) await raw.del(`${stores.prefix()}:{${EP}}:b:batch_2${part}`)
    await jobs.sweepRegister(EP, Date.now())
    expect(await weightOf()).toBe(0)
  })

  test('an ended batch makes room for newer ones beyond a million requests', async () => {
    const { batches } = await stores.open()
    const raw = stores.raw()
    const base = `${stores.prefix()}:{${EP}}`
    for (let at = 1; at <= 250; at += 1) {
      await raw.hset(`${base}:b:old_${at}`, { status: 'CANCELLED', createdAt: at, requestTotal: 5000, ended: '{}' })
      await raw.zadd(`${base}:r:batches`, at, `old_${at}`)
    }
    await batches.create(AT, 10)
    const { total, batches: listed } = await batches.list(EP, { offset: 0, limit: 300 })
    expect(total).toBe(201)
    expect(listed.at(-1)?.id).toBe('old_51')
    expect(await raw.exists(`${base}:b:old_50`)).toBe(0)
  })
})

describe('idempotency keys', () => {
  const once = (key: string, windowMs: number) => ({ key, fingerprint: 'print', windowMs })

  test('are bounded in number, known ones go on naming their jobs, and those that have expired make room', async () => {
    const { jobs } = await stores.open({ retention: { ...KEPT, idempotencyKeys: 2 } })
    await jobs.submitOnce(EP, submission('a'), once('long', 60_000))
    await jobs.submitOnce(EP, submission('b'), once('short', 1))
    await vi.waitUntil(async () => (await stores.raw().exists(`${stores.prefix()}:{${EP}}:i:short`)) === 0)
    await jobs.submitOnce(EP, submission('c'), once('third', 60_000))
    const refused = expect.objectContaining({ code: 'too_many_requests', message: expect.stringContaining('(limits.idempotencyKeys)') })
    await expect(jobs.submitOnce(EP, submission('d'), once('fourth', 60_000))).rejects.toEqual(refused)
    expect(await jobs.get(EP, 'd')).toBeUndefined()
    expect(await jobs.submitOnce(EP, submission('e'), once('long', 60_000))).toEqual({ kind: 'repeated', jobId: 'a' })
    await jobs.submit(EP, submission('f'))
  })
})

test('a job that was given back with chunks leaves none when it is purged, and weighs nothing', async () => {
  const { jobs } = await stores.open()
  await jobs.submit('ep-1', submission('j1'))
  await jobs.take('ep-1', 'w1')
  await jobs.appendChunk({ endpointId: 'ep-1', jobId: 'j1', workerId: 'w1', chunk: 'a piece' })
  await jobs.giveBack('ep-1', 'j1', 'w1')
  await jobs.purge('ep-1')
  await jobs.endPurged('ep-1')
  const base = `${stores.prefix()}:{ep-1}`
  expect(await stores.raw().exists(`${base}:c:j1`)).toBe(0)
  const [queue, unread] = await stores.raw().hmget(`${base}:r:counters`, 'queueBytes', 'unreadBytes')
  expect([queue, unread]).toEqual(['0', '0'])
})

describe('the jobs of one API key on one endpoint', () => {
  const counted = { keyId: 'ci', mostJobs: 2 }
  const refused = expect.objectContaining({
    code: 'too_many_requests',
    refusal: 'key_queue',
    message: expect.stringContaining('may have 2 waiting and running jobs on one endpoint'),
  })

  test('are bounded, running ones included; other keys and other endpoints are not affected', async () => {
    const { jobs } = await stores.open()
    await jobs.submit(EP, submission('a'), counted)
    await jobs.submit(EP, submission('b'), counted)
    await jobs.take(EP, 'w1')
    await expect(jobs.submit(EP, submission('c'), counted)).rejects.toEqual(refused)
    const once = { key: 'k', fingerprint: 'f', windowMs: 60_000, counted }
    await expect(jobs.submitOnce(EP, submission('c'), once)).rejects.toEqual(refused)
    await jobs.submit(EP, submission('d'))
    await jobs.submit('ep-2', submission('e'), counted)
    await jobs.settle({ endpointId: EP, jobId: 'a', workerId: 'w1', outcome: completed(1) })
    expect(await jobs.submitOnce(EP, submission('c'), once)).toEqual({ kind: 'accepted' })
    expect(await jobs.submitOnce(EP, submission('f'), once)).toEqual({ kind: 'repeated', jobId: 'c' })
  })

  test('a retry counts for the key that asks for it', async () => {
    const { jobs } = await stores.open()
    await jobs.submit(EP, submission('a'))
    await jobs.forceSettle(EP, 'a', { status: 'FAILED', error: 'x' })
    await jobs.submit(EP, submission('b'), counted)
    await jobs.submit(EP, submission('c'), counted)
    await expect(jobs.retry(EP, 'a', counted)).rejects.toEqual(refused)
    expect(await jobs.retry(EP, 'a')).toBe('retried')
  })

  test('a batch is finalised only if all its requests have room, and they count until they have ended', async () => {
    const { jobs, batches } = await stores.open()
    const at = { endpointId: EP, batchId: 'batch_1' }
    await batches.create(at, 10)
    await batches.add(at, [submission('a'), submission('b')], { requests: 100, bytes: 100_000 })
    await jobs.submit(EP, submission('c'), counted)
    await expect(batches.finalize(at, 50, counted)).rejects.toEqual(refused)
    await jobs.forceSettle(EP, 'c', { status: 'CANCELLED' })
    expect(await batches.finalize(at, 50, counted)).toBe('ok')
    await batches.submit(at, 0)
    await expect(jobs.submit(EP, submission('d'), counted)).rejects.toEqual(refused)
    await jobs.purge(EP)
    await jobs.endPurged(EP)
    await jobs.submit(EP, submission('d'), counted)
  })

  test('what no live job accounts for is corrected by a sweep', async () => {
    const { jobs } = await stores.open()
    await stores.raw().hset(`${stores.prefix()}:{${EP}}:r:key-jobs`, 'ci', 7)
    await jobs.sweepRegister(EP, Date.now())
    await jobs.submit(EP, submission('a'), counted)
    expect(await stores.raw().hget(`${stores.prefix()}:{${EP}}:r:key-jobs`, 'ci')).toBe('1')
  })
})
