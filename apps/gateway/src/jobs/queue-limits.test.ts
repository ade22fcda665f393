// What callers get when an endpoint's queue has no room (ADR 42). Against real sockets and a real Redis.
import { expect, it } from 'vitest'
import type { TestGateway } from '../testing/gateway.ts'
import { useGateways } from '../testing/use-gateway.ts'

const startGateway = useGateways()

async function start(config: Record<string, unknown>): Promise<{ gateway: TestGateway; ep: string }> {
  const gateway = await startGateway(config)
  return { gateway, ep: (await gateway.addEndpoint()).id }
}

const SENTENCE = 'the queue of this endpoint is full: at most 1 jobs may wait (limits.queueJobs); try again later'

it('every way into a full queue is a 429 with Retry-After and one sentence, and opens again when a worker takes the job', async () => {
  const { gateway, ep } = await start({ limits: { queueJobs: 1 } })
  const worker = await gateway.addWorker(ep)
  const post = (path: string, body: unknown = { input: 1 }, headers = {}) =>
    gateway.call(`/v2/${ep}/${path}`, { method: 'POST', body, headers })
  const failed = String((await post('run')).json['id'])
  expect((await worker.take())?.id).toBe(failed)
  await worker.done(failed, { error: 'x' })
  expect((await post('run')).status).toBe(200)
  const refused = [
    await post('run'),
    await post('run', { input: 1 }, { 'idempotency-key': 'one' }),
    await post('runsync?wait=1000'),
    await post(`retry/${failed}`),
  ]
  for (const { status, json, headers } of refused) {
    expect([status, json, headers.get('retry-after')]).toEqual([429, { error: SENTENCE, message: SENTENCE }, '5'])
  }
  const openai = await post('openai/v1/chat/completions', { model: 'm', messages: [] })
  expect([openai.status, openai.headers.get('retry-after')]).toEqual([429, '5'])
  expect(openai.json).toMatchObject({ error: { message: SENTENCE, type: 'rate_limit_error' } })
  await worker.take()
  expect((await post(`retry/${failed}`)).status).toBe(200)
})

it('a queue that weighs too much says so', async () => {
  const { gateway, ep } = await start({ limits: { queueBytes: 5000 } })
  const run = () => gateway.call(`/v2/${ep}/run`, { method: 'POST', body: { input: 'x'.repeat(3000) } })
  expect((await run()).status).toBe(200)
  const refused = await run()
  expect([refused.status, refused.json['error']]).toEqual([
    429,
    'the queue of this endpoint is full: its jobs and batches may weigh 5000 bytes together (limits.queueBytes); try again later',
  ])
})

it('requests of a batch and idempotency keys have their budgets, too, and a batch that was refused is none', async () => {
  const { gateway, ep } = await start({ limits: { queueBytes: 6000, idempotencyKeys: 1 } })
  const input = 'x'.repeat(2000)
  const post = (path: string, body: unknown, headers = {}) => gateway.call(`/v2/${ep}/${path}`, { method: 'POST', body, headers })
  const run = (key: string) => post('run', { input }, { 'idempotency-key': key })
  expect([(await run('one')).status, (await run('one')).status]).toEqual([200, 200])
  const second = await run('two')
  expect([second.status, second.json['error']]).toEqual([
    429,
    'this endpoint remembers 1 idempotency keys and no more (limits.idempotencyKeys); submit without a key or try again later',
  ])
  const batch = await post('batch', [{ input }, { input }])
  expect([batch.status, batch.headers.get('retry-after'), batch.json['error']]).toEqual([
    429,
    '5',
    expect.stringContaining('(limits.queueBytes)'),
  ])
  const { json } = await gateway.call(`/v2/${ep}/batch`)
  expect(json).toMatchObject({ batches: [{ status: 'CANCELLED', requestTotal: 0 }] })
  expect((await post('batch', [{ input: 1 }])).status).toBe(200)
})

it('a key beyond its jobs on one endpoint gets a 429 on every way in, at two gateways, until one of them ends', async () => {
  const open = () => startGateway({ limits: { queuedJobsPerKey: 3 } }, { prefix: 'two-gateways' })
  const [gateway, other] = [await open(), await open()]
  const { id: ep } = await gateway.addEndpoint()
  const worker = await gateway.addWorker(ep)
  const post = (at: TestGateway, path: string, body: unknown = { input: 1 }) =>
    at.call(`/v2/${ep}/${path}`, { method: 'POST', body, headers: { authorization: `Bearer ${gateway.key}` } })
  const runs = await Promise.all([gateway, other, gateway, other, gateway, other].map((at) => post(at, 'run')))
  expect(runs.filter(({ status }) => status === 200)).toHaveLength(3)
  const sentence =
    'this API key may have 3 waiting and running jobs on one endpoint (its own limit, or limits.queuedJobsPerKey); try again later'
  for (const { status, json, headers } of runs.filter((reply) => reply.status !== 200)) {
    expect([status, json, headers.get('retry-after')]).toEqual([429, { error: sentence, message: sentence }, '5'])
  }
  const openai = await post(other, 'openai/v1/chat/completions', { model: 'm', messages: [] })
  expect([openai.status, openai.json]).toMatchObject([429, { error: { message: sentence, type: 'rate_limit_error' } }])
  const taken = await worker.take()
  expect((await post(other, 'run')).status).toBe(429)
  await worker.done(String(taken?.id), { output: 1 })
  expect((await post(other, 'run')).status).toBe(200)
})

it('a key’s own limit comes before the default, at once after it was set', async () => {
  const { gateway, ep } = await start({ limits: { queuedJobsPerKey: 1 } })
  const run = async () => (await gateway.call(`/v2/${ep}/run`, { method: 'POST', body: { input: 1 } })).status
  expect([await run(), await run()]).toEqual([200, 429])
  const [key] = await gateway.store.keys.list()
  await gateway.store.keys.limit(String(key?.id), { queuedJobs: 2 })
  expect([await run(), await run()]).toEqual([200, 429])
  await gateway.store.keys.limit(String(key?.id), { queuedJobs: null })
  expect([await run(), await run()]).toEqual([200, 200])
})
