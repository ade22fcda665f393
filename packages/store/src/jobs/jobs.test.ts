// A job from its submission to its outcome.
import { workerRecord } from '@runyard/testing/records'
import { setImmediate } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { completed, submission, useStores } from '../testing/test-store.ts'

const stores = useStores()
const EP = 'ep-1'

describe('submitting and taking', () => {
  test('jobs are taken in the order of their submission, each once', async () => {
    const { jobs } = await stores.open()
    for (const id of ['a', 'b', 'c']) await jobs.submit(EP, submission(id))
    const taken = [await jobs.take(EP, 'w1'), await jobs.take(EP, 'w2'), await jobs.take(EP, 'w1'), await jobs.take(EP, 'w2')]
    expect(taken.map((job) => job?.id)).toEqual(['a', 'b', 'c', undefined])
  })

  test('a worker gets the submission as it was made', async () => {
    const { jobs } = await stores.open()
    const job = submission('a', {
      input: { nothing: {}, list: [], nested: [{ x: null }], big: 1e300, text: 'é\u0000 "/' },
      sync: true,
      policy: { executionTimeoutMs: 5000, ttlMs: 20_000 },
      webhook: { url: 'https://example.test/hook', ownerId: 'owner' },
      s3Config: { bucket: 'b' },
    })
    await jobs.submit(EP, job)
    const taken = await jobs.take(EP, 'w1')
    expect(taken).toMatchObject({ id: 'a', submission: job, attempt: 1 })
    expect(taken?.startedAt).toBeGreaterThanOrEqual(taken?.submittedAt ?? Infinity)
  })

  test('low priority jobs run only when no normal job waits', async () => {
    const { jobs } = await stores.open()
    await jobs.submit(EP, submission('low-1', { policy: { lowPriority: true } }))
    await jobs.submit(EP, submission('low-2', { policy: { lowPriority: true } }))
    await jobs.submit(EP, submission('normal'))
    const taken = [await jobs.take(EP, 'w1'), await jobs.take(EP, 'w1'), await jobs.take(EP, 'w1')]
    expect(taken.map((job) => job?.id)).toEqual(['normal', 'low-1', 'low-2'])
  })

  test('endpoints do not see each other’s jobs', async () => {
    const { jobs } = await stores.open()
    await jobs.submit(EP, submission('a'))
    expect(await jobs.take('ep-2', 'w1')).toBeUndefined()
    expect(await jobs.get('ep-2', 'a')).toBeUndefined()
  })

  test('a job handed back is the next one taken, by another worker, and its attempt does not count', async () => {
    const { jobs } = await stores.open()
    await jobs.submit(EP, submission('a'))
    await jobs.submit(EP, submission('b'))
    await jobs.take(EP, 'w1')
    await jobs.giveBack(EP, 'a', 'w2')
    expect((await jobs.get(EP, 'a'))?.status).toBe('IN_PROGRESS')
    await jobs.giveBack(EP, 'a', 'w1')
    expect(await jobs.get(EP, 'a')).toMatchObject({ status: 'IN_QUEUE', retries: 0 })
    expect(await jobs.take(EP, 'w2')).toMatchObject({ id: 'a', attempt: 1 })
  })

  test('a job is held by the worker that took it, until it ends', async () => {
    const { jobs } = await stores.open()
    await jobs.submit(EP, submission('a'))
    expect(await jobs.holds(EP, 'a', 'w1')).toBe(false)
    await jobs.take(EP, 'w1')
    expect(await Promise.all(['w1', 'w2'].map((worker) => jobs.holds(EP, 'a', worker)))).toEqual([true, false])
    await jobs.settle({ endpointId: EP, jobId: 'a', workerId: 'w1', outcome: completed(1) })
    expect(await jobs.holds(EP, 'a', 'w1')).toBe(false)
  })

  test('inputs of 20 MB and outputs of 64 MB come through', async () => {
    const { jobs } = await stores.open()
    const input = { blob: 'x'.repeat(20 * 1024 * 1024) }
    const output = 'y'.repeat(64 * 1024 * 1024)
    await jobs.submit(EP, submission('a', { input }))
    const taken = await jobs.take(EP, 'w1')
    expect(taken?.submission.input).toEqual(input)
    // A slow disk may need longer for it than a command is waited for; who posts a result tries again.
    const settle = () => jobs.settle({ endpointId: EP, jobId: 'a', workerId: 'w1', outcome: completed(output) }).catch(String)
    await expect.poll(settle, { timeout: 90_000 }).toMatch(/^(?:already_)?settled$/)
    expect((await jobs.get(EP, 'a'))?.output === output).toBe(true)
  })
})

describe('submitting once', () => {
  const once = { key: 'k1', fingerprint: 'f1', windowMs: 60_000 }

  test('the same key names the job that was accepted first, which is queued once and like any other', async () => {
    const [one, two] = [await stores.open(), await stores.open()]
    const fields = { policy: { lowPriority: true, ttlMs: 20_000, executionTimeoutMs: 7000 }, sync: true }
    const results = await Promise.all(
      ['a', 'b', 'c', 'd'].map((id, n) => (n % 2 === 0 ? one : two).jobs.submitOnce(EP, submission(id, fields), once)),
    )
    expect(results.filter(({ kind }) => kind === 'accepted')).toHaveLength(1)
    const id = results.flatMap((result) => (result.kind === 'repeated' ? [result.jobId] : []))[0] ?? ''
    expect(await one.jobs.stats(EP)).toMatchObject({ waiting: 1, waitingNormal: 0 })
    expect(await one.jobs.take(EP, 'w1')).toMatchObject({ id, submission: submission(id, fields), attempt: 1 })
    expect(await one.jobs.leases(EP)).toMatchObject([{ jobId: id, executionTimeoutMs: 7000 }])
    expect(await one.jobs.sweepExpired(EP, Date.now() + 21_000)).toEqual([id])
  })

  test('another request with the same key differs, another key or endpoint does not', async () => {
    const { jobs } = await stores.open()
    expect(await jobs.submitOnce(EP, submission('a'), once)).toEqual({ kind: 'accepted' })
    expect(await jobs.submitOnce(EP, submission('b'), { ...once, fingerprint: 'f2' })).toEqual({ kind: 'differs' })
    expect(await jobs.submitOnce(EP, submission('c'), { ...once, key: 'k2' })).toEqual({ kind: 'accepted' })
    expect(await jobs.submitOnce('ep-2', submission('d'), once)).toEqual({ kind: 'accepted' })
    expect((await jobs.take(EP, 'w1'))?.id).toBe('a')
    expect((await jobs.take(EP, 'w1'))?.id).toBe('c')
  })

  test('after its window a key is free again', async () => {
    const { jobs } = await stores.open()
    await jobs.submitOnce(EP, submission('a'), { ...once, windowMs: 1 })
    const again = () => jobs.submitOnce(EP, submission('b'), once)
    await expect.poll(again).toEqual({ kind: 'accepted' })
  })
})

describe('status', () => {
  test('reports each state of a job', async () => {
    const { jobs } = await stores.open()
    expect(await jobs.get(EP, 'a')).toBeUndefined()
    await jobs.submit(EP, submission('a'))
    expect(await jobs.get(EP, 'a')).toEqual({
      id: 'a',
      status: 'IN_QUEUE',
      deadlineAt: expect.any(Number),
      submittedAt: expect.any(Number),
      retries: 0,
    })
    await jobs.take(EP, 'w1')
    expect(await jobs.get(EP, 'a')).toMatchObject({ status: 'IN_PROGRESS', workerId: 'w1', startedAt: expect.any(Number), retries: 0 })
    expect(await jobs.progress({ endpointId: EP, jobId: 'a', workerId: 'w1', output: { percent: 50 } })).toBe('settled')
    expect(await jobs.get(EP, 'a')).toMatchObject({ status: 'IN_PROGRESS', output: { percent: 50 } })
    const timings = { enteredAt: 1, returnedAt: 2 }
    expect(await jobs.settle({ endpointId: EP, jobId: 'a', workerId: 'w1', outcome: { status: 'COMPLETED', output: [], timings } })).toBe(
      'settled',
    )
    expect(await jobs.get(EP, 'a')).toEqual({
      id: 'a',
      status: 'COMPLETED',
      submittedAt: expect.any(Number),
      startedAt: expect.any(Number),
      settledAt: expect.any(Number),
      workerId: 'w1',
      retries: 0,
      output: [],
      timings,
    })
  })

  test.each([
    ['null', { status: 'COMPLETED', output: null }],
    ['nothing', { status: 'COMPLETED' }],
    ['an error', { status: 'FAILED', error: 'Traceback …\n "quoted" \\ /' }],
  ] as const)('an outcome with %s is returned unchanged', async (_name, outcome) => {
    const { jobs } = await stores.open()
    await jobs.submit(EP, submission('a'))
    await jobs.take(EP, 'w1')
    await jobs.settle({ endpointId: EP, jobId: 'a', workerId: 'w1', outcome })
    const record = await jobs.get(EP, 'a')
    expect(record).toMatchObject(outcome)
    expect(Object.hasOwn(record ?? {}, 'output')).toBe(Object.hasOwn(outcome, 'output'))
  })
})

describe('the submission of an ended job', () => {
  test.each([
    ['is kept for a retry', { status: 'FAILED', error: 'x' }, true],
    ['is kept for a retry after a time-out', { status: 'TIMED_OUT' }, true],
    ['is freed if no process waits for it', { status: 'COMPLETED' }, false],
  ] as const)('%s', async (_case, outcome, isKept) => {
    const { jobs } = await stores.open()
    const job = submission('a', { input: { deep: [null] }, policy: { ttlMs: 60_000 }, s3Config: { bucketName: 'b' } })
    await jobs.submit(EP, job)
    expect(await jobs.submission(EP, 'a')).toEqual(job)
    await jobs.take(EP, 'w1')
    await jobs.settle({ endpointId: EP, jobId: 'a', workerId: 'w1', outcome })
    expect(await jobs.submission(EP, 'a')).toEqual(isKept ? job : undefined)
    expect(await jobs.get(EP, 'a')).not.toHaveProperty('data')
  })
})

describe('settling', () => {
  test('a stale worker cannot settle a job, report progress or stream', async () => {
    const { jobs } = await stores.open()
    await jobs.submit(EP, submission('a'))
    await jobs.take(EP, 'w1')
    expect(await jobs.takeBack({ endpointId: EP, jobId: 'a', workerId: 'w1' }, { budget: 2, evidence: 'gone' })).toBe('requeued')
    await jobs.take(EP, 'w2')
    expect(await jobs.settle({ endpointId: EP, jobId: 'a', workerId: 'w1', outcome: completed('stale') })).toBe('not_holder')
    expect(await jobs.progress({ endpointId: EP, jobId: 'a', workerId: 'w1', output: 1 })).toBe('not_holder')
    expect(await jobs.appendChunk({ endpointId: EP, jobId: 'a', workerId: 'w1', chunk: 1 })).toBe('not_holder')
    expect(await jobs.settle({ endpointId: EP, jobId: 'a', workerId: 'w2', outcome: completed('good') })).toBe('settled')
    expect(await jobs.get(EP, 'a')).toMatchObject({ output: 'good', workerId: 'w2', retries: 1 })
  })

  test('a job that its host lost runs again without a counted attempt, but not for ever', async () => {
    const { jobs } = await stores.open()
    await jobs.submit(EP, submission('a'))
    const lose = async (attempt: number): Promise<string> => {
      expect(await jobs.take(EP, `w${attempt}`)).toMatchObject({ id: 'a' })
      const lost = { endpointId: EP, jobId: 'a', workerId: `w${attempt}` }
      return jobs.takeBack(lost, { budget: 0, evidence: 'the card failed', withAll: true, withoutCost: true })
    }
    for (const attempt of [1, 2, 3]) expect(await lose(attempt)).toBe('requeued')
    expect(await jobs.get(EP, 'a')).toMatchObject({ status: 'IN_QUEUE', retries: 0 })
    expect((await jobs.stats(EP)).retried).toBe(0)
    expect(await lose(4)).toBe('failed')
  })

  test('the first outcome stays', async () => {
    const { jobs } = await stores.open()
    await jobs.submit(EP, submission('a'))
    await jobs.take(EP, 'w1')
    const results = await Promise.all(
      [1, 2, 3].map((output) => jobs.settle({ endpointId: EP, jobId: 'a', workerId: 'w1', outcome: completed(output) })),
    )
    expect(results.toSorted()).toEqual(['already_settled', 'already_settled', 'settled'])
    expect(await jobs.progress({ endpointId: EP, jobId: 'a', workerId: 'w1', output: 1 })).toBe('already_settled')
    expect(await jobs.appendChunk({ endpointId: EP, jobId: 'a', workerId: 'w1', chunk: 1 })).toBe('already_settled')
    expect(await jobs.forceSettle(EP, 'a', { status: 'CANCELLED' })).toMatchObject({ result: 'already_settled', record: { output: 1 } })
    expect(await jobs.get(EP, 'a')).toMatchObject({ status: 'COMPLETED', output: 1 })
  })

  test('a reader that a settlement wakes reads what all read later', async () => {
    const store = await stores.open()
    await store.jobs.submit(EP, submission('a'))
    await store.jobs.take(EP, 'w1')
    const woken = Promise.withResolvers<unknown>()
    const subscription = store.subscribe(({ kind }) => {
      if (kind === 'job-settled') woken.resolve(store.jobs.get(EP, 'a'))
    })
    await store.jobs.settle({
      endpointId: EP,
      jobId: 'a',
      workerId: 'w1',
      outcome: { status: 'FAILED', error: 'boom', output: { part: 1 }, timings: { enteredAt: 5 } },
    })
    await setImmediate()
    const other = await stores.open()
    expect(await woken.promise).toEqual(await other.jobs.get(EP, 'a'))
    expect(await store.jobs.get(EP, 'a')).toMatchObject({ status: 'FAILED', output: { part: 1 } })
    await subscription[Symbol.asyncDispose]()
  })

  test('a job that was never submitted cannot be settled', async () => {
    const { jobs } = await stores.open()
    expect(await jobs.settle({ endpointId: EP, jobId: 'x', workerId: 'w1', outcome: completed(1) })).toBe('not_holder')
    expect(await jobs.forceSettle(EP, 'x', { status: 'CANCELLED' })).toEqual({ result: 'unknown' })
  })

  test('a cancelled job that waits is never delivered', async () => {
    const { jobs } = await stores.open()
    await jobs.submit(EP, submission('a'))
    await jobs.submit(EP, submission('low', { policy: { lowPriority: true } }))
    expect(await jobs.forceSettle(EP, 'a', { status: 'CANCELLED' })).toMatchObject({ result: 'settled', record: { status: 'CANCELLED' } })
    expect((await jobs.forceSettle(EP, 'low', { status: 'CANCELLED' })).result).toBe('settled')
    expect(await jobs.take(EP, 'w1')).toBeUndefined()
    expect(await jobs.stats(EP)).toMatchObject({ waiting: 0, inProgress: 0, failed: 0 })
  })

  test('a waiting job is cancelled wherever it stands, and the others keep their order', async () => {
    const { jobs } = await stores.open()
    const names = ['back', 'oldest', 'a', 'middle', 'b', 'newest']
    for (const id of [...names, 'low']) {
      await jobs.submit(EP, submission(id, { policy: { lowPriority: id === 'low' } }))
      // Each in a millisecond of its own.
      for (const at = Date.now(); Date.now() === at;) await setImmediate()
    }
    await jobs.take(EP, 'w1')
    await jobs.giveBack(EP, 'back', 'w1')
    for (const id of ['middle', 'newest', 'oldest', 'low'])
      expect((await jobs.forceSettle(EP, id, { status: 'CANCELLED' })).result).toBe('settled')
    const left = [await jobs.take(EP, 'w2'), await jobs.take(EP, 'w2'), await jobs.take(EP, 'w2'), await jobs.take(EP, 'w2')]
    expect(left.map((job) => job?.id)).toEqual(['back', 'a', 'b', undefined])
  })

  test('more jobs than one step takes are gone when their time to live is over', async () => {
    const { jobs } = await stores.open()
    await Promise.all(Array.from({ length: 230 }, (_, n) => jobs.submit(EP, submission(`j${n}`, { policy: { ttlMs: 10_000 } }))))
    expect(new Set(await jobs.sweepExpired(EP, Date.now() + 60_000)).size).toBe(230)
    expect((await jobs.stats(EP)).waiting).toBe(0)
  })

  test('ending a running job by force names its worker, whose result then comes too late', async () => {
    const { jobs } = await stores.open()
    await jobs.submit(EP, submission('a'))
    await jobs.take(EP, 'w1')
    const forced = await jobs.forceSettle(EP, 'a', { status: 'TIMED_OUT', error: 'executionTimeout exceeded' })
    expect(forced).toMatchObject({ result: 'settled', heldBy: 'w1', record: { status: 'TIMED_OUT', workerId: 'w1' } })
    expect(await jobs.settle({ endpointId: EP, jobId: 'a', workerId: 'w1', outcome: completed(1) })).toBe('already_settled')
    expect(await jobs.leases(EP)).toEqual([])
  })

  test('the end of a job is noted at its worker', async () => {
    const { jobs, workers } = await stores.open()
    await workers.create(workerRecord('w1'))
    await jobs.submit(EP, submission('a'))
    await jobs.take(EP, 'w1')
    await jobs.settle({ endpointId: EP, jobId: 'a', workerId: 'w1', outcome: completed(1) })
    const record = await jobs.get(EP, 'a')
    expect((await workers.get(EP, 'w1'))?.lastJobEndedAt).toBe(record?.settledAt)
  })

  test('settling for a worker whose record is gone does not bring the record back', async () => {
    const { jobs, workers } = await stores.open()
    await jobs.submit(EP, submission('a'))
    await jobs.take(EP, 'w1')
    expect(await jobs.settle({ endpointId: EP, jobId: 'a', workerId: 'w1', outcome: completed(1) })).toBe('settled')
    expect(await workers.get(EP, 'w1')).toBeUndefined()
  })
})

describe('numbers', () => {
  test('stats count what waits, runs and ended', async () => {
    const { jobs } = await stores.open()
    expect(await jobs.stats(EP)).toEqual({
      waiting: 0,
      waitingNormal: 0,
      inProgress: 0,
      oldestWaitingAt: undefined,
      completed: 0,
      failed: 0,
      cancelled: 0,
      timedOut: 0,
      retried: 0,
      ended: 0,
      expiredUntaken: 0,
      webhooksDropped: 0,
      keptBytes: 0,
    })
    for (const id of ['a', 'b', 'c', 'd', 'e']) await jobs.submit(EP, submission(id))
    await jobs.submit(EP, submission('low', { policy: { lowPriority: true } }))
    for (const worker of ['w1', 'w2', 'w3']) await jobs.take(EP, worker)
    await jobs.settle({ endpointId: EP, jobId: 'a', workerId: 'w1', outcome: completed(1) })
    await jobs.settle({ endpointId: EP, jobId: 'b', workerId: 'w2', outcome: { status: 'FAILED', error: 'x' } })
    await jobs.forceSettle(EP, 'e', { status: 'CANCELLED', error: 'not wanted' })
    const waiting = await jobs.get(EP, 'd')
    expect(await jobs.stats(EP)).toEqual({
      waiting: 2,
      waitingNormal: 1,
      nextDeadlineAt: expect.any(Number),
      inProgress: 1,
      oldestWaitingAt: waiting?.submittedAt,
      completed: 1,
      failed: 1,
      cancelled: 1,
      timedOut: 0,
      retried: 0,
      ended: 3,
      expiredUntaken: 0,
      webhooksDropped: 0,
      keptBytes: expect.any(Number),
    })
  })
})

describe('leases', () => {
  test('lists who holds what, with what the sweeps need', async () => {
    const { jobs } = await stores.open()
    await jobs.submit(EP, submission('a', { policy: { executionTimeoutMs: 7000 } }))
    await jobs.submit(EP, submission('b'))
    const taken = await jobs.take(EP, 'w1')
    expect(await jobs.leases(EP)).toEqual([
      {
        jobId: 'a',
        endpointId: EP,
        workerId: 'w1',
        lastHolder: 'w1',
        expiresAt: expect.any(Number),
        submittedAt: taken?.submittedAt,
        startedAt: taken?.startedAt,
        attempt: 1,
        executionTimeoutMs: 7000,
      },
    ])
  })

  /** As its time does it. */
  const expireLease = () => stores.raw().pexpire(`${stores.prefix()}:{${EP}}:a:lock`, 0)

  /** A job whose lease has run out, so that no worker holds it. */
  async function runOut() {
    const { jobs } = await stores.open()
    await jobs.submit(EP, submission('a'))
    await jobs.take(EP, 'w1')
    await expireLease()
    expect(await jobs.leases(EP)).toMatchObject([{ jobId: 'a', workerId: undefined, lastHolder: 'w1' }])
    return jobs
  }

  test('a lease that has run out is still good for its last holder alone, until the job is taken back', async () => {
    const jobs = await runOut()
    expect(await jobs.settle({ endpointId: EP, jobId: 'a', workerId: 'w2', outcome: completed(2) })).toBe('not_holder')
    expect(await jobs.renew(EP, 'w2', ['a'])).toEqual(['a'])
    expect(await jobs.renew(EP, 'w1', ['a'])).toEqual([])
    expect(await jobs.leases(EP)).toMatchObject([{ jobId: 'a', workerId: 'w1' }])
    await expireLease()
    expect(await jobs.settle({ endpointId: EP, jobId: 'a', workerId: 'w1', outcome: completed(1) })).toBe('settled')
  })

  test('a job that was taken back after its lease had run out belongs to no worker, whichever comes late', async () => {
    const jobs = await runOut()
    await jobs.takeBack({ endpointId: EP, jobId: 'a', workerId: undefined }, { budget: 2, evidence: '' })
    expect(await jobs.renew(EP, 'w1', ['a'])).toEqual(['a'])
    expect(await jobs.settle({ endpointId: EP, jobId: 'a', workerId: 'w1', outcome: completed(1) })).toBe('not_holder')
    await jobs.take(EP, 'w2')
    await expireLease()
    expect(await jobs.appendChunk({ endpointId: EP, jobId: 'a', workerId: 'w1', chunk: 1 })).toBe('not_holder')
    expect(await jobs.progress({ endpointId: EP, jobId: 'a', workerId: 'w1', output: 1 })).toBe('not_holder')
    expect(await jobs.progress({ endpointId: EP, jobId: 'a', workerId: 'w2', output: 1 })).toBe('settled')
    expect(await jobs.leases(EP)).toMatchObject([{ jobId: 'a', workerId: 'w2' }])
  })

  test('renewing names the jobs that the worker does not hold', async () => {
    const { jobs } = await stores.open()
    for (const id of ['a', 'b']) await jobs.submit(EP, submission(id))
    await jobs.take(EP, 'w1')
    await jobs.take(EP, 'w2')
    expect(await jobs.renew(EP, 'w1', ['a', 'b', 'unknown'])).toEqual(['b', 'unknown'])
    expect(await jobs.renew(EP, 'w1', [])).toEqual([])
  })

  test('a heartbeat reports that its worker lives, which of the jobs that it names are not its own, and, if asked, who holds what', async () => {
    const { jobs, workers } = await stores.open()
    await workers.create(workerRecord('w1'))
    for (const id of ['a', 'b']) await jobs.submit(EP, submission(id))
    await jobs.take(EP, 'w1')
    await jobs.take(EP, 'w2')
    const before = Date.now()
    expect(await jobs.heartbeat(EP, 'w1', { jobIds: ['b', 'a'], withLeases: false })).toEqual({ notHeld: ['b'], leases: undefined })
    expect((await workers.get(EP, 'w1'))?.lastSeenAt).toBeGreaterThanOrEqual(before)
    const asked = await jobs.heartbeat(EP, 'w2', { jobIds: [], withLeases: true })
    const leases = (await jobs.leases(EP)).map((lease) => ({ ...lease, expiresAt: expect.any(Number) }))
    expect(asked).toEqual({ notHeld: [], leases })
    expect(asked.leases?.map(({ jobId, workerId }) => [jobId, workerId])).toEqual([
      ['b', 'w2'],
      ['a', 'w1'],
    ])
    expect(await workers.get(EP, 'w2')).toBeUndefined()
  })

  test.each(['ping', 'progress', 'stream'])('a %s renews the lease', async (sign) => {
    const { jobs } = await stores.open({ leaseMs: 60_000 })
    const raw = stores.raw()
    await jobs.submit(EP, submission('a'))
    await jobs.take(EP, 'w1')
    const lock = `${stores.prefix()}:{${EP}}:a:lock`
    await raw.pexpire(lock, 5000)
    if (sign === 'ping') await jobs.heartbeat(EP, 'w1', { jobIds: ['a'], withLeases: false })
    if (sign === 'progress') await jobs.progress({ endpointId: EP, jobId: 'a', workerId: 'w1', output: 1 })
    if (sign === 'stream') await jobs.appendChunk({ endpointId: EP, jobId: 'a', workerId: 'w1', chunk: 1 })
    expect(await raw.pttl(lock)).toBeGreaterThan(5000)
  })

  test('jobs whose ttl ended their life and jobs of a purged queue are counted as what they came to', async () => {
    const { jobs } = await stores.open()
    await jobs.submit(EP, submission('late', { policy: { ttlMs: 1 } }))
    expect(await jobs.sweepExpired(EP, Date.now() + 1000)).toEqual(['late'])
    for (const id of ['a', 'b']) await jobs.submit(EP, submission(id))
    expect(await jobs.purge(EP)).toBe(2)
    await jobs.endPurged(EP)
    expect(await jobs.stats(EP)).toMatchObject({ completed: 0, failed: 0, timedOut: 1, cancelled: 2 })
  })
})
