// The outbox: the process that ends a job with a webhook adds an event, one courier has it at a time, and no receiver delays another.
import type { JobPolicy, WebhookAttempt } from '@runyard/schema'
import { createMemoryBlobs } from '@runyard/testing'
import { describe, expect, test } from 'vitest'
import type { Store } from '../testing/value-store.ts'
import type { ClaimedWebhook, WebhookStore } from '../testing/value-store.ts'
import { completed, submission, useStores } from '../testing/test-store.ts'
import type { ValueOutcome } from '../testing/value-store.ts'

const EP = 'ep-1'
const HOUR = 3_600_000
const stores = useStores()

const CLAIM = { leaseMs: 20_000, limit: 10, perLane: 10, busy: new Map<string, number>() }
const claim = (webhooks: WebhookStore, options: Partial<Parameters<WebhookStore['claim']>[1]> = {}) =>
  webhooks.claim(EP, { now: Date.now(), ...CLAIM, ...options })

function withWebhook(id: string, url = 'https://one.test/hook', policy: JobPolicy = {}) {
  return submission(id, { webhook: { url, ownerId: 'owner' }, policy })
}

async function endJob(store: Store, id: string, url?: string): Promise<void> {
  await store.jobs.submit(EP, withWebhook(id, url))
  await store.jobs.forceSettle(EP, id, { status: 'CANCELLED' })
}

function attemptAt(event: ClaimedWebhook, fields: Partial<WebhookAttempt> = {}): WebhookAttempt {
  const { eventId, attempt } = event
  return { eventId, jobId: event.jobId, url: 'https://one.test/hook', attempt, at: 1, durationMs: 1, outcome: 'delivered', ...fields }
}

async function only(webhooks: WebhookStore, options: Parameters<typeof claim>[1] = {}): Promise<ClaimedWebhook> {
  const { events } = await claim(webhooks, options)
  expect(events).toHaveLength(1)
  return events[0] as ClaimedWebhook
}

describe('an event', () => {
  const ends: readonly [string, (store: Store) => Promise<unknown>, Partial<ValueOutcome> & { workerId?: string }][] = [
    [
      'its worker’s result',
      (s) => s.jobs.settle({ endpointId: EP, jobId: 'a', workerId: 'w1', outcome: completed({ n: [] }) }),
      { status: 'COMPLETED', output: { n: [] }, workerId: 'w1' },
    ],
    [
      'its worker’s error',
      (s) => s.jobs.settle({ endpointId: EP, jobId: 'a', workerId: 'w1', outcome: { status: 'FAILED', error: 'x' } }),
      { status: 'FAILED', error: 'x' },
    ],
    ['a cancel', (s) => s.jobs.forceSettle(EP, 'a', { status: 'CANCELLED' }), { status: 'CANCELLED', workerId: 'w1' }],
    [
      'an execution timeout',
      (s) => s.jobs.forceSettle(EP, 'a', { status: 'FAILED', error: 'executionTimeout exceeded' }),
      { status: 'FAILED', error: 'executionTimeout exceeded' },
    ],
    [
      'its last lost worker',
      (s) => s.jobs.takeBack({ endpointId: EP, jobId: 'a', workerId: 'w1' }, { budget: 0, evidence: 'gone' }),
      { status: 'FAILED', error: 'job timed out after 0 retries: worker lost once: gone' },
    ],
    [
      'its ttl',
      (s) => s.jobs.sweepExpired(EP, Date.now() + 48 * HOUR),
      { status: 'TIMED_OUT', error: expect.stringContaining('ttl') as string },
    ],
    ['the end of its endpoint', (s) => s.endpoints.forget(EP), { status: 'CANCELLED', error: 'the endpoint was deleted' }],
  ]

  test.each(ends)('is left when a job is ended by %s, once, with all that a delivery needs', async (_what, end, expected) => {
    const store = await stores.open()
    const heard = stores.listen(store)
    await store.jobs.submit(EP, withWebhook('a'))
    await store.jobs.take(EP, 'w1')
    await end(store)
    await store.jobs.forceSettle(EP, 'a', { status: 'CANCELLED' })
    await expect.poll(() => heard.filter((signal) => signal.kind === 'webhook-due')).toEqual([{ kind: 'webhook-due', endpointId: EP }])
    await stores.raw().unlink(`${stores.prefix()}:{${EP}}:s:a`)
    const event = await only(store.webhooks, { now: Date.now() + 49 * HOUR })
    expect(event).toMatchObject({ attempt: 1, lane: 'one.test', jobId: 'a', webhook: { url: 'https://one.test/hook', ownerId: 'owner' } })
    const { record, input } = await event.read()
    expect({ ...record, input }).toMatchObject({ id: 'a', retries: 0, input: { prompt: 'a' }, ...expected })
    expect(record.startedAt).toBeGreaterThanOrEqual(record.submittedAt)
    expect(event.endedAt).toBe(record.settledAt)
  })

  test('is added again by each life of a job, and not by a purge', async () => {
    const store = await stores.open()
    await store.jobs.submit(EP, withWebhook('a'))
    await store.jobs.forceSettle(EP, 'a', { status: 'FAILED', error: 'x' })
    const first = await only(store.webhooks)
    expect(await store.jobs.retry(EP, 'a')).toBe('retried')
    await expect.poll(() => Date.now()).toBeGreaterThan(first.endedAt)
    await store.jobs.forceSettle(EP, 'a', { status: 'FAILED', error: 'y' })
    const second = await only(store.webhooks)
    expect(second).toMatchObject({ jobId: 'a', attempt: 1, eventId: expect.not.stringMatching(first.eventId) })
    await store.jobs.submit(EP, withWebhook('b'))
    expect(await store.jobs.purge(EP)).toBe(1)
    expect(await claim(store.webhooks)).toMatchObject({ events: [] })
  })

  test('is not left by a job without a webhook', async () => {
    const store = await stores.open()
    await store.jobs.submit(EP, submission('a', { input: { webhook: 'https://one.test/' } }))
    await store.jobs.forceSettle(EP, 'a', { status: 'CANCELLED' })
    expect(await claim(store.webhooks)).toEqual({ events: [], nextAt: undefined, isMoreDue: false, dropped: 0 })
    expect(await store.webhooks.endpoints()).toEqual([])
  })

  test('keeps its id over attempts and is due again when it was said', async () => {
    const store = await stores.open()
    await endJob(store, 'a')
    const first = await only(store.webhooks)
    const nextAt = Date.now() + HOUR
    expect(await store.webhooks.finish(first, attemptAt(first, { outcome: 'failed', nextAt }))).toBe(true)
    expect(await claim(store.webhooks)).toMatchObject({ events: [], nextAt, isMoreDue: false })
    const second = await only(store.webhooks, { now: nextAt })
    expect(second).toMatchObject({ eventId: first.eventId, attempt: 2, jobId: 'a', endedAt: first.endedAt })
    expect(await second.read()).toEqual(await first.read())
  })

  test('leaves no key but the log when it is delivered', async () => {
    const store = await stores.open()
    await endJob(store, 'a')
    const event = await only(store.webhooks)
    await store.webhooks.finish(event, attemptAt(event))
    const left = await stores.raw().keys(`${stores.prefix()}:{${EP}}:[ehlr]:*`)
    expect(left.filter((key) => /:(e:|h:|l:|r:outbox|r:lanes)/.test(key))).toEqual([])
    expect(await store.webhooks.attempts(EP, 10)).toEqual([attemptAt(event)])
    expect(await store.webhooks.pending(EP)).toEqual({ count: 0, oldestAt: undefined, bytes: 0 })
  })
})

describe('a lease', () => {
  test('keeps others away until it runs out, and then the old holder writes nothing but the log', async () => {
    const store = await stores.open()
    await endJob(store, 'a')
    const now = Date.now()
    const mine = await only(store.webhooks, { now })
    expect(await claim(store.webhooks, { now: now + 19_999 })).toMatchObject({ events: [], nextAt: now + 20_000, isMoreDue: false })
    const theirs = await only(store.webhooks, { now: now + 20_000 })
    expect(theirs).toMatchObject({ eventId: mine.eventId, attempt: 2 })
    expect(await store.webhooks.finish(mine, attemptAt(mine))).toBe(false)
    expect(await store.webhooks.pending(EP)).toMatchObject({ count: 1, oldestAt: mine.endedAt })
    expect(await store.webhooks.finish(theirs, attemptAt(theirs))).toBe(true)
    expect(await store.webhooks.attempts(EP, 10)).toHaveLength(2)
  })

  test('is had by one of many who ask at once', async () => {
    const [one, other] = [await stores.open(), await stores.open()]
    for (const id of ['a', 'b', 'c']) await endJob(one, id)
    const claims = await Promise.all([one, other, one, other].map((store) => claim(store.webhooks)))
    expect(claims.flatMap(({ events }) => events.map((event) => event.jobId)).toSorted()).toEqual(['a', 'b', 'c'])
  })
})

describe('a lane', () => {
  test('that is full is passed over: the other receivers’ events are claimed', async () => {
    const store = await stores.open()
    for (const id of ['d1', 'd2', 'd3']) await endJob(store, id, 'https://dead.test:8443/x')
    await endJob(store, 'a', 'https://alive.test/x')
    const full = { perLane: 2, busy: new Map([['dead.test:8443', 1]]) }
    const { events, isMoreDue } = await claim(store.webhooks, full)
    expect(events.map((event) => event.jobId).toSorted()).toEqual(['a', 'd1'])
    expect(isMoreDue).toBe(true)
    expect(await claim(store.webhooks, { ...full, busy: new Map([['dead.test:8443', 2]]) })).toMatchObject({ events: [], isMoreDue: true })
  })

  test('takes its events in the order in which the jobs ended, within the limit', async () => {
    const store = await stores.open()
    for (const id of ['a', 'b', 'c']) {
      await endJob(store, id)
      const { settledAt = 0 } = (await store.jobs.get(EP, id)) ?? {}
      await expect.poll(() => Date.now()).toBeGreaterThan(settledAt)
    }
    const { events, isMoreDue } = await claim(store.webhooks, { limit: 2 })
    expect(events.map((event) => event.jobId)).toEqual(['a', 'b'])
    expect(isMoreDue).toBe(true)
  })
})

describe('an event that was given up', () => {
  test('does not delay others, and is delivered again on request', async () => {
    const store = await stores.open()
    await endJob(store, 'a')
    const event = await only(store.webhooks)
    expect(await store.webhooks.redeliver(EP, event.eventId)).toBe('in_delivery')
    await store.webhooks.finish(event, attemptAt(event, { outcome: 'given_up' }))
    expect(await store.webhooks.pending(EP)).toMatchObject({ count: 0 })
    expect(await claim(store.webhooks, { now: Date.now() + HOUR })).toMatchObject({ events: [] })
    expect(await store.webhooks.redeliver(EP, event.eventId)).toBe('due')
    const again = await only(store.webhooks)
    expect(again).toMatchObject({ eventId: event.eventId, attempt: 2 })
    await store.webhooks.finish(again, attemptAt(again))
    expect(await store.webhooks.redeliver(EP, event.eventId)).toBe('unknown')
  })
})

describe('a full outbox', () => {
  const limited = (limits: { outboxEvents?: number; outboxBytes?: number }) =>
    stores.open({ retention: { asyncMs: 60_000, syncMs: 30_000, ...limits } })
  const waiting = async ({ webhooks }: Store) => (await claim(webhooks, { now: Date.now() + HOUR })).events.map(({ jobId }) => jobId)

  test('drops the oldest events, counts and logs them, and reports them once', async () => {
    const store = await limited({ outboxEvents: 2 })
    for (const id of ['a', 'b', 'c', 'd']) await endJob(store, id)
    expect(await store.webhooks.pending(EP)).toMatchObject({ count: 2 })
    expect(await store.jobs.stats(EP)).toMatchObject({ webhooksDropped: 2 })
    const [newest, oldest] = await store.webhooks.attempts(EP, 10)
    expect(oldest).toMatchObject({ jobId: 'a', url: 'one.test', attempt: 0, outcome: 'dropped', error: 'dropped: the outbox was full' })
    expect(newest?.jobId).toBe('b')
    expect(await claim(store.webhooks, { limit: 0 })).toMatchObject({ dropped: 2 })
    expect(await claim(store.webhooks, { limit: 0 })).toMatchObject({ dropped: 0 })
    expect(await waiting(store)).toEqual(['c', 'd'])
    expect(await store.jobs.get(EP, 'a')).toMatchObject({ status: 'CANCELLED' })
  })

  test('is full by weight, too, but never too small for one', async () => {
    const store = await limited({ outboxBytes: 6000 })
    const end = async (id: string, size: number) => {
      await store.jobs.submit(EP, { ...withWebhook(id), input: 'x'.repeat(size) })
      await store.jobs.forceSettle(EP, id, { status: 'CANCELLED' })
    }
    await end('a', 1000)
    await end('b', 1000)
    expect(await store.webhooks.pending(EP)).toMatchObject({ count: 2 })
    await end('c', 10_000)
    expect(await waiting(store)).toEqual(['c'])
  })

  test('keeps what is in delivery, and lets go of what was given up first', async () => {
    const store = await limited({ outboxEvents: 3 })
    await endJob(store, 'given-up')
    const first = await only(store.webhooks)
    await store.webhooks.finish(first, attemptAt(first, { outcome: 'given_up' }))
    await endJob(store, 'in-delivery')
    const second = await only(store.webhooks)
    for (const id of ['c', 'd']) await endJob(store, id)
    expect(await store.webhooks.redeliver(EP, first.eventId)).toBe('unknown')
    expect(await store.jobs.stats(EP)).toMatchObject({ webhooksDropped: 0 })
    await endJob(store, 'e')
    expect((await store.webhooks.attempts(EP, 10))[0]).toMatchObject({ jobId: 'c', outcome: 'dropped' })
    expect(await store.webhooks.finish(second, attemptAt(second))).toBe(true)
    expect(await waiting(store)).toEqual(['d', 'e'])
  })

  test('also if only the ttl ends the jobs', async () => {
    const store = await limited({ outboxEvents: 1 })
    for (const id of ['a', 'b']) await store.jobs.submit(EP, withWebhook(id))
    await store.jobs.sweepExpired(EP, Date.now() + 48 * HOUR)
    expect(await store.webhooks.pending(EP)).toMatchObject({ count: 1 })
  })
})

test('events that were given up are forgotten after a day, however many there are', async () => {
  const store = await stores.open()
  for (let n = 0; n < 70; n += 1) await endJob(store, `j${n}`)
  const { events } = await claim(store.webhooks, { limit: 100, perLane: 100 })
  expect(events).toHaveLength(70)
  for (const event of events) await store.webhooks.finish(event, attemptAt(event, { outcome: 'given_up' }))
  const later = Date.now() + 25 * HOUR
  expect(await claim(store.webhooks, { now: later })).toMatchObject({ events: [], nextAt: later })
  expect(await claim(store.webhooks, { now: later })).toMatchObject({ events: [], nextAt: undefined })
  expect(await store.webhooks.pending(EP)).toEqual({ count: 0, oldestAt: undefined, bytes: 0 })
})

describe('large values', () => {
  const LARGE = 'x'.repeat(500)
  const DAYS = 48 * HOUR

  async function endLarge() {
    const memory = createMemoryBlobs()
    const options = { blobs: { store: memory, thresholdBytes: 100 }, retention: { asyncMs: 30, syncMs: 30 } }
    const store = await stores.open(options)
    await store.jobs.submit(EP, { ...withWebhook('a'), input: LARGE })
    await store.jobs.take(EP, 'w1')
    await store.jobs.settle({ endpointId: EP, jobId: 'a', workerId: 'w1', outcome: completed(LARGE) })
    await expect.poll(() => store.jobs.get(EP, 'a')).toBeUndefined()
    return { ...store, memory, event: await only(store.webhooks) }
  }

  test('stay for the webhook although the job’s record is gone, and go when it is delivered', async () => {
    const { webhooks, jobs, memory, event } = await endLarge()
    await jobs.sweepBlobs(Date.now() + DAYS)
    expect(await event.read()).toMatchObject({ record: { status: 'COMPLETED', output: LARGE }, input: LARGE })
    await webhooks.finish(event, attemptAt(event))
    expect(await jobs.sweepBlobs(Date.now() + 2 * DAYS)).toBe(2)
    expect(memory.blobs.size).toBe(0)
  })

  test('stay as long as an event that was given up can be delivered again', async () => {
    const { webhooks, jobs, memory, event } = await endLarge()
    await webhooks.finish(event, attemptAt(event, { outcome: 'given_up' }))
    await jobs.sweepBlobs(Date.now() + DAYS)
    expect(memory.blobs.size).toBe(2)
    await claim(webhooks, { now: Date.now() + 23 * HOUR })
    expect(await webhooks.redeliver(EP, event.eventId)).toBe('due')
    const again = await only(webhooks)
    await webhooks.finish(again, attemptAt(again, { outcome: 'given_up' }))
    await claim(webhooks, { now: Date.now() + 25 * HOUR })
    expect(await webhooks.redeliver(EP, event.eventId)).toBe('unknown')
    expect(await jobs.sweepBlobs(Date.now() + 2 * DAYS)).toBe(2)
  })

  test('that were deleted are reported as the job’s failure', async () => {
    const { memory, event } = await endLarge()
    memory.blobs.clear()
    expect(await event.read()).toEqual({
      record: expect.objectContaining({ status: 'FAILED', error: expect.stringContaining('is missing') }),
    })
  })
})

describe('the endpoints with an outbox', () => {
  test('are forgotten when they are gone and have nothing left to deliver', async () => {
    const store = await stores.open()
    await endJob(store, 'a')
    expect(await store.webhooks.endpoints()).toEqual([EP])
    const event = await only(store.webhooks)
    await store.webhooks.finish(event, attemptAt(event))
    expect(await store.webhooks.endpoints()).toEqual([])
  })
})

describe('an owner’s secret', () => {
  test('is created once, by the first request, and is private to its owner', async () => {
    const [one, other] = [await stores.open(), await stores.open()]
    const [mine, same] = await Promise.all([one.webhooks.secrets('owner'), other.webhooks.secrets('owner')])
    expect(mine).toEqual(same)
    expect(mine).toEqual([expect.stringMatching(/^whsec_[A-Za-z0-9+/]{43}=$/)])
    expect(await one.webhooks.secrets('somebody')).not.toEqual(mine)
  })

  test('stays beside the new one when it is replaced, until the next time', async () => {
    const { webhooks } = await stores.open()
    const [first] = await webhooks.secrets('owner')
    const [second, before] = await webhooks.rotateSecret('owner')
    expect(before).toBe(first)
    expect(await webhooks.secrets('owner')).toEqual([second, first])
    expect(await webhooks.rotateSecret('owner')).toEqual([expect.not.stringMatching(second ?? ''), second])
  })

  test('two rotations at once both count, and the first of an owner leaves nothing before it', async () => {
    const { webhooks } = await stores.open()
    const rotations = await Promise.all([webhooks.rotateSecret('hasty'), webhooks.rotateSecret('hasty')])
    expect(new Set(rotations.map((list) => list.length))).toEqual(new Set([1, 2]))
    expect(new Set(await webhooks.secrets('hasty'))).toEqual(new Set(rotations.map(([secret]) => secret)))
  })
})
