// Webhooks through a whole gateway and a real receiver (client-api §7, §13.19).
import { openStore } from '@runyard/store'
import { endpointRecord } from '@runyard/testing/records'
import { startReceiver, startRedis, type Received, type Receiver, type TestRedis } from '@runyard/testing'
import { Webhook } from 'standardwebhooks'
import { EndpointId, toJson } from '@runyard/schema'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { startGateway, type TestGateway, type TestGatewayOptions } from '../testing/gateway.ts'

const WAIT = { timeout: 20_000 }
/** Runpod's three attempts, much faster; then nothing for an hour. */
const FAST = { allowPrivate: true, retryDelaysS: [0.1, 0.1, 3600] }

let redis: TestRedis
let scope = new AsyncDisposableStack()
beforeAll(async () => {
  redis = await startRedis()
})
afterEach(async () => {
  await scope.disposeAsync()
  scope = new AsyncDisposableStack()
})
afterAll(() => redis.stop())

const open = async (webhooks: Record<string, unknown> = FAST, options: TestGatewayOptions = {}): Promise<TestGateway> =>
  scope.use(await startGateway(redis.url, { webhooks }, options))
const receiver = async (): Promise<Receiver> => scope.use(await startReceiver())

async function submit(gateway: TestGateway, ep: string, webhook: string, path = 'run'): Promise<string> {
  const answer = await gateway.call(`/v2/${ep}/${path}`, { method: 'POST', body: { input: { x: 1 }, webhook } })
  expect(answer).toMatchObject({ status: 200 })
  return String(answer.json['id'])
}

async function cancelled(gateway: TestGateway, ep: string, webhook: string): Promise<string> {
  const id = await submit(gateway, ep, webhook)
  await gateway.call(`/v2/${ep}/cancel/${id}`, { method: 'POST' })
  return id
}

/** A job that ended more than a second ago, and no gateway was there. */
async function endedWithoutGateway(prefix: string, url: string): Promise<{ ep: string; id: string }> {
  const id = 'job-outage'
  await using store = await openStore({ redisUrl: redis.url, prefix, leaseMs: 5000, retention: { asyncMs: 60_000, syncMs: 60_000 } })
  const { id: ep } = await store.endpoints.upsert({ id: 'ep-outage' }, () => endpointRecord(EndpointId.parse('ep-outage')))
  const webhook = { url, ownerId: 'owner' }
  await store.jobs.submit(ep, { id, input: toJson({ x: 1 }), sync: false, policy: {}, keyId: 'key', webhook })
  const { record } = await store.jobs.forceSettle(ep, id, { status: 'CANCELLED' })
  await expect.poll(() => Date.now() - (record?.settledAt ?? Infinity), WAIT).toBeGreaterThan(1000)
  return { ep, id }
}

async function firstOf(to: Receiver): Promise<Received> {
  await expect.poll(() => to.received.length, WAIT).toBeGreaterThan(0)
  return to.received[0] as Received
}

interface WebhookLog {
  readonly attempts: readonly Record<string, unknown>[]
  readonly pending: { readonly count: number; readonly oldestAt?: number }
}
const log = (gateway: TestGateway, ep: string): Promise<WebhookLog> => gateway.read(`/v2/serverless/${ep}/webhooks`)

describe('a webhook', () => {
  it('is the /status object with input and webhook, signed so that a library of others accepts it', async () => {
    const gateway = await open()
    const to = await receiver()
    const { id: ep } = await gateway.addEndpoint()
    const worker = await gateway.addWorker(ep)
    const id = await submit(gateway, ep, `${to.url}?token=t`)
    await worker.take()
    await worker.done(id, { output: { echo: [] } })
    const { json, headers, body } = await firstOf(to)
    const { json: status } = await gateway.call(`/v2/${ep}/status/${id}`)
    expect(status).toMatchObject({ id, status: 'COMPLETED', output: { echo: [] } })
    expect(json).toEqual({ ...status, input: { x: 1 }, webhook: `${to.url}?token=t` })
    expect(headers['content-type']).toBe('application/json')

    const { json: reply } = await gateway.call('/runyard/v1/webhooks/secrets')
    const [secret = ''] = reply['secrets'] as string[]
    const signed = headers as Record<string, string>
    expect(new Webhook(secret).verify(body, signed)).toEqual(json)
    expect(() => new Webhook(secret).verify(body.replace('COMPLETED', 'FAILED'), signed)).toThrow('No matching signature found')
  })

  it('of a /runsync job comes, too, and by the old secret as well as by the new one after a rotation', async () => {
    const gateway = await open()
    const to = await receiver()
    const { id: ep } = await gateway.addEndpoint()
    const { json: before } = await gateway.call('/runyard/v1/webhooks/secrets')
    const { json: after } = await gateway.call('/runyard/v1/webhooks/secrets/rotate', { method: 'POST' })
    const [fresh = '', old = ''] = after['secrets'] as string[]
    expect(old).toBe((before['secrets'] as string[])[0])
    const id = await submit(gateway, ep, to.url, 'runsync?wait=1000')
    await gateway.call(`/v2/${ep}/cancel/${id}`, { method: 'POST' })
    const { body, headers } = await firstOf(to)
    for (const secret of [old, fresh]) expect(new Webhook(secret).verify(body, headers as Record<string, string>)).toMatchObject({ id })
  })

  it('comes of a failed and of a cancelled job, not of a purged one', async () => {
    const gateway = await open()
    const to = await receiver()
    const { id: ep } = await gateway.addEndpoint()
    const worker = await gateway.addWorker(ep)
    const failed = await submit(gateway, ep, to.url)
    await worker.take()
    await worker.done(failed, { error: 'boom' })
    await submit(gateway, ep, to.url)
    await gateway.call(`/v2/${ep}/purge-queue`, { method: 'POST' })
    await cancelled(gateway, ep, to.url)
    await expect.poll(() => new Set(to.received.map(({ json }) => json['status'])), WAIT).toEqual(new Set(['CANCELLED', 'FAILED']))
    await expect.poll(async () => (await log(gateway, ep)).pending, WAIT).toMatchObject({ count: 0 })
    expect(to.received.find(({ json }) => json['id'] === failed)?.json).toMatchObject({ error: 'boom', input: { x: 1 } })
  })

  it('is tried exactly three times at first where the receiver answers 500, with one event id; the job stays COMPLETED', async () => {
    const gateway = await open()
    const to = await receiver()
    to.answer = (response) => void response.writeHead(500).end()
    const { id: ep } = await gateway.addEndpoint()
    const worker = await gateway.addWorker(ep)
    const id = await submit(gateway, ep, to.url)
    await worker.take()
    await worker.done(id, { output: 1 })
    await expect.poll(async () => (await log(gateway, ep)).attempts.length, WAIT).toBe(3)
    expect(to.received).toHaveLength(3)
    expect(new Set(to.received.map(({ headers }) => headers['webhook-id'])).size).toBe(1)
    const { attempts, pending } = await log(gateway, ep)
    expect(attempts.map(({ attempt }) => attempt)).toEqual([3, 2, 1])
    expect(attempts[0]).toMatchObject({ jobId: id, outcome: 'failed', httpStatus: 500, error: 'the receiver answered 500', url: to.url })
    expect(Number(attempts[0]?.['nextAt']) - Date.now()).toBeGreaterThan(3_000_000)
    expect(pending).toMatchObject({ count: 1 })
    expect((await gateway.call(`/v2/${ep}/status/${id}`)).json).toMatchObject({ status: 'COMPLETED', output: 1 })

    const eventId = String(attempts[0]?.['eventId'])
    to.answer = (response) => void response.writeHead(200).end()
    expect((await gateway.call(`/v2/serverless/${ep}/webhooks/${eventId}/redeliver`, { method: 'POST' })).status).toBe(204)
    await expect.poll(async () => (await log(gateway, ep)).attempts[0], WAIT).toMatchObject({ outcome: 'delivered', attempt: 4, eventId })
    expect((await gateway.call(`/v2/serverless/${ep}/webhooks/${eventId}/redeliver`, { method: 'POST' })).status).toBe(404)
  })

  it('is given up when its event is too old', async () => {
    const gateway = await open({ allowPrivate: true, retryDelaysS: [0.6], maxAgeS: 1 })
    const { id: ep } = await gateway.addEndpoint()
    await cancelled(gateway, ep, 'http://127.0.0.1:2/')
    await expect.poll(async () => (await log(gateway, ep)).attempts[0], WAIT).toMatchObject({ outcome: 'given_up' })
    expect((await log(gateway, ep)).pending).toMatchObject({ count: 0 })
    const { text } = await gateway.call('/metrics')
    expect(text).toContain('runyard_webhook_attempts_total{outcome="given_up"} 1')
    expect(text).toMatch(/^runyard_webhook_outbox_events 0$/m)
  })

  it('is not sent where no gateway was there before its event was too old, and the log says so; its owner may ask for it', async () => {
    const to = await receiver()
    const { ep, id } = await endedWithoutGateway('outage', to.url)
    const gateway = await open({ allowPrivate: true, maxAgeS: 1 }, { prefix: 'outage' })
    await expect
      .poll(async () => (await log(gateway, ep)).attempts[0], WAIT)
      .toMatchObject({
        jobId: id,
        outcome: 'given_up',
        durationMs: 0,
        error: expect.stringMatching(/^nothing was sent: the job ended at .*Z, longer ago than webhooks\.maxAgeS \(1 s\)$/),
      })
    expect(to.received).toHaveLength(0)
    const eventId = String((await log(gateway, ep)).attempts[0]?.['eventId'])
    await gateway.call(`/v2/serverless/${ep}/webhooks/${eventId}/redeliver`, { method: 'POST' })
    expect((await firstOf(to)).json).toMatchObject({ id, status: 'CANCELLED' })
    expect(to.received).toHaveLength(1)
  })

  it('makes room for newer ones where the outbox is full, and the metrics and the log say so', async () => {
    const gateway = await open({ ...FAST, retryDelaysS: [3600], outboxEvents: 1 })
    const { id: ep } = await gateway.addEndpoint()
    const oldest = await cancelled(gateway, ep, 'http://127.0.0.1:2/')
    await expect.poll(async () => (await log(gateway, ep)).attempts, WAIT).toHaveLength(1)
    await cancelled(gateway, ep, 'http://127.0.0.1:2/')
    const dropped = { jobId: oldest, outcome: 'dropped', error: 'dropped: the outbox was full' }
    await expect.poll(async () => (await log(gateway, ep)).attempts, WAIT).toContainEqual(expect.objectContaining(dropped))
    expect((await log(gateway, ep)).pending).toMatchObject({ count: 1 })
    const { text } = await gateway.call('/metrics')
    expect(text).toMatch(/^runyard_webhooks_dropped_total\{.*\} 1$/m)
    expect(text).toMatch(/^runyard_webhook_outbox_bytes [1-9]\d*$/m)
  })

  it('reaches its receiver while another one hangs with many', async () => {
    const gateway = await open({ allowPrivate: true, timeoutS: 60 })
    const alive = await receiver()
    const dead = await receiver()
    dead.answer = () => undefined
    const { id: ep } = await gateway.addEndpoint()
    await Promise.all(Array.from({ length: 30 }, () => cancelled(gateway, ep, dead.url)))
    const id = await cancelled(gateway, ep, alive.url)
    expect((await firstOf(alive)).json).toMatchObject({ id })
    expect(dead.received.length).toBeLessThan(30)
  })
})

// worker-api §17.8, §17.9: until then the worker's slot stays occupied, or its generator stands still.
it('chunks and a result are answered though who asked for the stream does not read it, and the receiver of the webhook hangs', async () => {
  const gateway = await open({ allowPrivate: true, timeoutS: 60 })
  const to = await receiver()
  to.answer = () => undefined
  const { id: ep } = await gateway.addEndpoint()
  const worker = await gateway.addWorker(ep)
  const id = await submit(gateway, ep, to.url)
  await worker.take()
  const reading = fetch(`${gateway.publicUrl}/v2/${ep}/stream/${id}`, { headers: { authorization: `Bearer ${gateway.key}` } })
  // The first one is larger than what sockets hold for a reader who does not read.
  for (const output of ['x'.repeat(8_000_000), 'small']) {
    expect((await worker.stream(id, { output })).status).toBe(200)
  }
  expect((await worker.done(id, { output: [] })).status).toBe(200)
  await firstOf(to)
  await (await reading).body?.cancel()
})

describe('several gateways', () => {
  it('deliver each attempt once, and one goes on where another went away between two attempts', async () => {
    const to = await receiver()
    to.answer = (response) => void response.writeHead(to.received.length === 1 ? 503 : 200).end()
    const slow = { allowPrivate: true, retryDelaysS: [1.5] }
    const one = await startGateway(redis.url, { webhooks: slow }, { prefix: 'shared' })
    const two = await open(slow, { prefix: 'shared' })
    const { id: ep } = await one.addEndpoint()
    await cancelled(one, ep, to.url)
    await expect.poll(async () => (await log(two, ep)).attempts.length, WAIT).toBe(1)
    await one[Symbol.asyncDispose]()
    await expect.poll(async () => (await log(two, ep)).attempts[0], WAIT).toMatchObject({ attempt: 2, outcome: 'delivered' })
    expect(to.received).toHaveLength(2)
  })

  it('deliver what a dead one had taken, after its lease, without a signal and although the endpoint is gone', async () => {
    const to = await receiver()
    const options = { redisUrl: redis.url, prefix: 'graves', leaseMs: 5000, retention: { asyncMs: 60_000, syncMs: 60_000 } }
    await using store = await openStore(options)
    const webhook = { url: to.url, ownerId: 'owner' }
    await store.jobs.submit('gone', { id: 'a', input: toJson(1), sync: false, policy: {}, keyId: 'k', webhook })
    await store.jobs.forceSettle('gone', 'a', { status: 'CANCELLED' })
    const claim = { now: Date.now(), leaseMs: 1000, limit: 1, perLane: 1, busy: new Map() }
    expect((await store.webhooks.claim('gone', claim)).events).toHaveLength(1)
    await open(FAST, { prefix: 'graves' })
    expect((await firstOf(to)).json).toMatchObject({ id: 'a', status: 'CANCELLED', input: 1, webhook: to.url })
    expect(to.received[0]?.at).toBeGreaterThanOrEqual(claim.now + claim.leaseMs)
  })
})

describe('a private receiver', () => {
  it.each([
    ['http://127.0.0.1:2/', 'names the private address 127.0.0.1'],
    ['http://localhost/', 'names the private address localhost'],
    ['http://[::ffff:10.0.0.1]/', 'names the private address'],
    ['ftp://example.com/', 'must be an http or https URL'],
    ['example.com', 'must be an absolute URL'],
  ])('is refused at submit where the URL says so: %s', async (webhook, sentence) => {
    const gateway = await open({})
    const { id: ep } = await gateway.addEndpoint()
    for (const path of ['run', 'runsync']) {
      const answer = await gateway.call(`/v2/${ep}/${path}`, { method: 'POST', body: { input: 1, webhook } })
      expect(answer.status).toBe(400)
      expect(answer.json['error']).toContain(sentence)
    }
  })

  it('is refused at delivery where its name says so by then, with the reason in the log and without the address', async () => {
    const to = await receiver()
    const gateway = await open({}, { resolve: () => Promise.resolve([{ address: '127.0.0.1', family: 4 }]) })
    const { id: ep } = await gateway.addEndpoint()
    const jobId = await cancelled(gateway, ep, `http://rebinding.example:${to.port}/hook?secret=1`)
    const url = `http://rebinding.example:${to.port}/hook`
    await expect.poll(async () => (await log(gateway, ep)).attempts, WAIT).toMatchObject([{ jobId, outcome: 'refused', attempt: 1, url }])
    const { attempts, pending } = await log(gateway, ep)
    expect(attempts[0]?.['error']).toContain('stands for a private address')
    expect(JSON.stringify(attempts)).not.toContain('127.0.0.1')
    expect(pending).toMatchObject({ count: 0 })
    expect(to.received).toEqual([])
  })
})
