// `/batch…` against real sockets and a real Redis (client-api §5.13).
import type { Answer } from '@runyard/testing'
import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { TestGateway, TestWorker } from '../testing/gateway.ts'
import { useGateways } from '../testing/use-gateway.ts'

const POLL = { timeout: 20_000 }
const CONFIG = { retention: { asyncS: 1, batchS: 60 } }
const startGateway = useGateways()
let gateway: TestGateway
let ep: string
let worker: TestWorker

beforeAll(async () => {
  gateway = await startGateway(CONFIG, { prefix: 'batches' })
})

beforeEach(async () => {
  ep = (await gateway.addEndpoint()).id
  worker = await gateway.addWorker(ep)
})

const call = (method: string, path = '', body?: unknown): Promise<Answer> =>
  gateway.call(`/v2/${ep}/batch${path}`, { method, ...(body === undefined ? {} : { body }) })
const inputs = (count: number, from = 0) => Array.from({ length: count }, (_, n) => ({ input: { n: n + from } }))

async function newBatch(requests: readonly unknown[] = []): Promise<string> {
  const { status, json } = await call('POST', '', requests)
  expect([status, json]).toEqual([200, { id: expect.stringMatching(/^batch_[A-Za-z0-9_-]+$/), status: 'DRAFT' }])
  return String(json['id'])
}
const finalized = async (requests: readonly unknown[]): Promise<string> => {
  const id = await newBatch(requests)
  expect((await call('POST', `/${id}/finalize`)).json['status']).toBe('FINALIZED')
  return id
}
async function requestsOf(id: string, query = ''): Promise<{ id: string; status: string; [field: string]: unknown }[]> {
  return (await call('GET', `/${id}/requests${query}`)).json['requests'] as { id: string; status: string }[]
}
const countsOf = async (id: string) => {
  const { json } = await call('GET', `/${id}`)
  return ['requestTotal', 'requestInProgress', 'requestCompleted', 'requestFailed'].map((field) => json[field])
}
async function take(): Promise<string> {
  const job = await worker.take()
  if (job === undefined) throw new Error('no job came')
  return job.id
}

it('collects requests, queues them as ordinary jobs when it is finalised, and reports the end of each', async () => {
  const id = await newBatch(inputs(1))
  const added = await call('POST', `/${id}/requests`, { requests: inputs(4, 1) })
  expect(added.json).toMatchObject({ id, endpointId: ep, status: 'DRAFT', requestTotal: 5, createdAt: expect.any(Number) })
  expect((await gateway.store.jobs.stats(ep)).waiting).toBe(0)
  expect((await requestsOf(id)).map(({ status }) => status)).toEqual(Array.from({ length: 5 }, () => 'DRAFT'))

  expect((await call('POST', `/${id}/finalize`)).json).toMatchObject({ status: 'FINALIZED', requestTotal: 5, requestCompleted: 0 })
  const first = await worker.send(`/v2/${ep}/job-take/${worker.id}?gpu=x`)
  expect(first.json).toMatchObject({ input: { n: 0 }, batchId: id })
  await worker.done(String(first.json['id']), { output: { ok: true } })
  await worker.done(await take(), { error: 'broken' })
  const running = await take()
  expect(await countsOf(id)).toEqual([5, 1, 1, 1])

  const requests = await requestsOf(id)
  expect(requests.map(({ status }) => status)).toEqual(['FAILED', 'IN_PROGRESS', 'IN_QUEUE', 'IN_QUEUE', 'COMPLETED'])
  expect(requests[0]).toEqual({
    id: requests[0]?.id,
    status: 'FAILED',
    error: 'broken',
    startedAt: expect.any(Number),
    completedAt: expect.any(Number),
  })
  expect(requests[4]).toMatchObject({ id: first.json['id'], output: { ok: true } })
  const page = (await call('GET', `/${id}/requests?offset=1&limit=2`)).json
  expect(page).toMatchObject({ total: 5, offset: 1, limit: 2, hasMore: true })
  expect((page['requests'] as { id: string }[])[0]?.id).toBe(running)
})

it('lists large results in pages of bounded size', async () => {
  const id = await finalized(inputs(3))
  for (let n = 0; n < 3; n += 1) await worker.done(await take(), { output: 'x'.repeat(9_000_000) })
  const seen: string[] = []
  for (let offset = 0; offset < 3;) {
    const { json } = await call('GET', `/${id}/requests?offset=${offset}&limit=3`)
    const listed = json['requests'] as { id: string }[]
    expect(json).toMatchObject({ total: 3, offset, hasMore: offset < 2 })
    expect(listed).toHaveLength(1)
    seen.push(...listed.map((request) => request.id))
    offset += Number(json['limit'])
  }
  expect(new Set(seen).size).toBe(3)
})

it('keeps its results longer than those of single jobs, since they are read together', async () => {
  const id = await finalized(inputs(1))
  const jobId = await take()
  await worker.done(jobId, { output: 'kept' })
  const { json } = await gateway.call(`/v2/${ep}/run`, { method: 'POST', body: { input: 1 } })
  expect(await take()).toBe(json['id'])
  await worker.done(String(json['id']), { output: 'short' })
  const status = async (job: unknown) => (await gateway.call(`/v2/${ep}/status/${String(job)}`)).status
  await expect.poll(() => status(json['id']), POLL).toBe(404)
  expect([await status(jobId), (await requestsOf(id))[0]?.['output']]).toEqual([200, 'kept'])
})

describe('a draft', () => {
  it('can lose a request, get a name, and be refused what it cannot hold', async () => {
    const id = await newBatch(inputs(3))
    const [request] = await requestsOf(id)
    expect((await call('DELETE', `/${id}/requests/${request?.id}`)).json).toMatchObject({ requestTotal: 2 })
    expect((await call('DELETE', `/${id}/requests/${request?.id}`)).status).toBe(404)
    expect((await call('PUT', `/${id}`, { name: 'nightly' })).json).toMatchObject({ id, name: 'nightly' })
    expect((await call('PUT', `/${id}`, { name: '' })).status).toBe(400)
    const wrong = await call('POST', `/${id}/requests`, { requests: [{ input: 1 }, { inputs: 1 }] })
    expect([wrong.status, wrong.json['error']]).toEqual([400, 'requests[1]: the request body must have the key "input"'])
    expect((await call('POST', `/${id}/requests`, { requests: inputs(4999) })).json['error']).toBe('a batch holds at most 5000 requests')
    expect((await call('POST', `/${id}/requests`, { requests: 'many' })).status).toBe(400)
    expect((await call('POST', '', { input: 1 })).status).toBe(400)
    const { total } = (await call('GET', '')).json
    expect((await call('POST', '', inputs(5001))).status).toBe(400)
    expect((await call('GET', '')).json['total']).toBe(total)
    expect(await countsOf(id)).toEqual([2, 0, 0, 0])
  })

  it('is a draft no more once it is finalised', async () => {
    const id = await finalized(inputs(1))
    const [request] = await requestsOf(id)
    const answers = [await call('POST', `/${id}/requests`, { requests: inputs(1) }), await call('DELETE', `/${id}/requests/${request?.id}`)]
    expect(answers.map(({ status }) => status)).toEqual([409, 409])
    expect((await call('PUT', `/${id}`, { name: 'still' })).status).toBe(200)
  })

  it('without requests cannot be finalised, nor one that would overfill the queue', async () => {
    const empty = await newBatch()
    expect((await call('POST', `/${empty}/finalize`)).status).toBe(400)
    const batchId = await newBatch(inputs(3))
    expect(await gateway.store.batches.finalize({ endpointId: ep, batchId }, 2)).toBe('queue_full')
    expect((await call('GET', `/${batchId}`)).json['status']).toBe('DRAFT')
  })
})

it('lists batches newest first, at most ten of them active at a time', async () => {
  const ids: string[] = []
  for (let n = 0; n < 10; n += 1) {
    ids.push(await newBatch(inputs(1)))
    // Two that are made within one millisecond have no order.
    await expect.poll(async () => Date.now() > Number((await call('GET', `/${ids.at(-1)}`)).json['createdAt']), POLL).toBe(true)
  }
  const { json } = await call('GET', '?limit=3')
  expect(json).toMatchObject({ total: 10, limit: 3, hasMore: true })
  expect((json['batches'] as { id: string }[]).map(({ id }) => id)).toEqual(ids.slice(-3).toReversed())
  const refused = await call('POST', '', [])
  expect([refused.status, Number(refused.headers.get('retry-after')) > 0]).toEqual([429, true])
  await call('POST', `/${ids[0]}/finalize`)
  await worker.done(await take(), { output: 1 })
  await newBatch()
  expect((await call('POST', '', [])).status).toBe(429)
})

describe('cancelling', () => {
  it('a draft: nothing of it ever runs', async () => {
    const id = await newBatch(inputs(2))
    expect((await call('POST', `/${id}/cancel`)).json).toMatchObject({ status: 'CANCELLED', requestFailed: 2 })
    expect((await call('POST', `/${id}/finalize`)).status).toBe(409)
    expect((await requestsOf(id)).map(({ status }) => status)).toEqual(['CANCELLED', 'CANCELLED'])
  })

  it('a finalised batch: what waits leaves the queue, what runs is stopped, what has ended stays', async () => {
    const id = await finalized(inputs(4))
    const done = await take()
    await worker.done(done, { output: 1 })
    const running = await take()
    const stops = worker.send(`/v2/${ep}/job-stop/${worker.id}`)
    expect((await call('POST', `/${id}/cancel`)).json).toMatchObject({ status: 'CANCELLED', requestCompleted: 1, requestFailed: 3 })
    expect((await stops).json).toEqual({ jobsToStop: [running] })
    expect(await gateway.store.jobs.stats(ep)).toMatchObject({ waiting: 0, inProgress: 0 })
    expect((await call('POST', `/${id}/cancel`)).status).toBe(200)
  })
})

it('unknown batches are 404 on every route', async () => {
  const routes = [
    ['GET', '/batch_x'],
    ['PUT', '/batch_x', { name: 'x' }],
    ['GET', '/batch_x/requests'],
    ['POST', '/batch_x/requests', { requests: inputs(1) }],
    ['DELETE', '/batch_x/requests/r'],
    ['POST', '/batch_x/finalize'],
    ['POST', '/batch_x/cancel'],
  ] as const
  for (const [method, path, body] of routes) expect([path, (await call(method, path, body)).status]).toEqual([path, 404])
})

describe('a gateway that dies in the middle', () => {
  /** Finalised, and only its first hundred requests submitted. */
  async function halfDone(count: number): Promise<string> {
    const batchId = await newBatch(inputs(count))
    await gateway.store.batches.finalize({ endpointId: ep, batchId }, 50_000)
    await gateway.store.batches.submit({ endpointId: ep, batchId }, 0)
    expect((await gateway.store.jobs.stats(ep)).waiting).toBe(100)
    return batchId
  }
  const waiting = async () => (await gateway.store.jobs.stats(ep)).waiting

  it('of a finalisation leaves the rest to the next one, and each request becomes one job', async () => {
    const id = await halfDone(250)
    await using next = await startGateway(CONFIG, { prefix: 'batches' })
    await expect.poll(waiting, POLL).toBe(250)
    await Promise.all([call('POST', `/${id}/finalize`), next.call(`/v2/${ep}/batch/${id}/finalize`, { method: 'POST' })])
    expect([await waiting(), await countsOf(id)]).toEqual([250, [250, 0, 0, 0]])
    await expect.poll(async () => gateway.store.batches.unfinished(), POLL).not.toContainEqual({ endpointId: ep, batchId: id })
  })

  it('lets the caller finalise once more', async () => {
    const id = await halfDone(150)
    expect((await call('POST', `/${id}/finalize`)).status).toBe(200)
    expect(await waiting()).toBe(150)
  })

  it('of a cancellation leaves the rest to the next one', async () => {
    const batchId = await halfDone(150)
    await gateway.store.batches.cancel({ endpointId: ep, batchId })
    await using next = await startGateway(CONFIG, { prefix: 'batches' })
    await expect.poll(async () => (await next.store.jobs.stats(ep)).waiting, POLL).toBe(0)
    expect(await countsOf(batchId)).toEqual([150, 0, 0, 150])
  })
})

it('the gateway answers others while five thousand requests become jobs', async () => {
  const id = await newBatch(inputs(5000))
  const over = new AbortController()
  const finalizing = call('POST', `/${id}/finalize`).finally(() => over.abort())
  let answered = 0
  while (!over.signal.aborted) {
    await gateway.call(`/v2/${ep}/health`)
    if (!over.signal.aborted) answered += 1
  }
  expect([(await finalizing).status, answered > 0]).toEqual([200, true])
  expect([(await gateway.store.jobs.stats(ep)).waiting, await countsOf(id)]).toEqual([5000, [5000, 0, 0, 0]])
})
