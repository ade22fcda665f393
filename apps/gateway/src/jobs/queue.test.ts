// `/retry`, `/purge-queue`, `/requests`, why a job waits, and what a 404 says, against real sockets and a real Redis.
import type { Answer } from '@runyard/testing'
import { describe, expect, it } from 'vitest'
import type { TestGateway, TestWorker } from '../testing/gateway.ts'
import { useGateway } from '../testing/use-gateway.ts'

let gateway: TestGateway
let ep: string
let worker: TestWorker
useGateway({ retention: { endpointBytes: 60_000 } }, (site) => {
  ;({ gateway, ep, worker } = site)
})

const post = (path: string, body?: unknown): Promise<Answer> => gateway.call(`/v2/${ep}/${path}`, { method: 'POST', body })
const get = (path: string): Promise<Answer> => gateway.call(`/v2/${ep}/${path}`)

async function finish(result: unknown): Promise<string> {
  const id = await gateway.submit(ep)
  await worker.take()
  await worker.done(id, result)
  return id
}

describe('/retry (client-api §5.7)', () => {
  it('queues a failed job again under its id, with nothing left of its end, and it can then complete', async () => {
    const id = await finish({ error: 'broken', output: { half: 1 } })
    expect((await get(`status/${id}`)).json).toMatchObject({ status: 'FAILED', error: 'broken' })
    const answer = await post(`retry/${id}`)
    expect([answer.status, answer.json]).toEqual([200, { id, status: 'IN_QUEUE' }])
    const status = (await get(`status/${id}`)).json
    expect(status).toMatchObject({ id, status: 'IN_QUEUE' })
    expect(Object.keys(status)).not.toContain('error')
    const other = await gateway.addWorker(ep)
    expect(await other.take()).toEqual({ id, input: 1 })
    await other.done(id, { output: 'good' })
    expect((await get(`status/${id}`)).json).toMatchObject({ status: 'COMPLETED', output: 'good', workerId: other.id })
  })

  it('a result that the worker of the first life posts once more changes nothing', async () => {
    const id = await finish({ error: 'broken' })
    await post(`retry/${id}`)
    expect((await worker.done(id, { output: 'stale' })).status).toBe(200)
    expect((await get(`status/${id}`)).json).toMatchObject({ status: 'IN_QUEUE' })
    const other = await gateway.addWorker(ep)
    await other.take()
    await worker.done(id, { output: 'stale' })
    expect((await get(`status/${id}`)).json).toMatchObject({ status: 'IN_PROGRESS', workerId: other.id })
  })

  it('where the only worker is the one of the first life, it is replaced', async () => {
    const id = await finish({ error: 'broken' })
    await post(`retry/${id}`)
    const poll = worker.take()
    await expect.poll(async () => (await gateway.store.workers.get(ep, worker.id))?.refreshRequested).toBe(true)
    expect(await poll).toBeUndefined()
    expect((await get(`status/${id}`)).json).toMatchObject({ status: 'IN_QUEUE' })
  })

  it('where another worker is idle, that one has the job at once', async () => {
    const id = await finish({ error: 'broken' })
    const other = await gateway.addWorker(ep)
    const leaving = new AbortController()
    const [taken, refused] = [other.take(), worker.take({ signal: leaving.signal }).catch(() => undefined)]
    expect((await post(`retry/${id}`)).status).toBe(200)
    expect(await taken).toEqual({ id, input: 1 })
    leaving.abort()
    expect(await refused).toBeUndefined()
  })

  it.each([
    ['COMPLETED', async () => finish({ output: 1 })],
    ['IN_QUEUE', async () => gateway.submit(ep)],
  ] as const)('is refused for a job that is %s', async (status, make) => {
    const answer = await post(`retry/${await make()}`)
    expect([answer.status, answer.json['error']]).toEqual([400, `only a FAILED or TIMED_OUT job can be retried; this one is ${status}`])
  })

  it('does not know an unknown job', async () => {
    expect((await post('retry/nothing')).status).toBe(404)
  })
})

describe('/purge-queue (client-api §5.8)', () => {
  it('cancels what waits, ends those who wait for it, and leaves the running job alone', async () => {
    const running = await gateway.submit(ep)
    await worker.take()
    const waiting = [await gateway.submit(ep), await gateway.submit(ep, 1, { policy: { lowPriority: true } })]
    const held = post('runsync?wait=60000', { input: 1 })
    await expect.poll(async () => (await gateway.store.jobs.stats(ep)).waiting).toBe(3)
    const purged = await post('purge-queue', {})
    expect([purged.status, purged.json]).toEqual([200, { removed: 3, status: 'completed' }])
    expect((await held).json).toMatchObject({ status: 'CANCELLED', error: 'the queue was purged' })
    for (const id of waiting) expect((await get(`status/${id}`)).json).toMatchObject({ id, status: 'CANCELLED', workerId: '' })
    expect((await get(`status/${running}`)).json).toMatchObject({ status: 'IN_PROGRESS' })
    expect((await post('purge-queue')).json).toEqual({ removed: 0, status: 'completed' })
  })
})

describe('/requests (client-api §5.10)', () => {
  it('lists what waits, runs and ended, newest first, with whole numbers and page by page', async () => {
    const done = await finish({ output: 1 })
    const failed = await finish({ error: 'x' })
    const running = await gateway.submit(ep)
    await worker.take()
    const waiting = await gateway.submit(ep)
    const { json } = await get('requests')
    expect(json).toMatchObject({ total: 4, offset: 0, limit: 50, hasMore: false })
    const requests = json['requests'] as Record<string, unknown>[]
    expect(requests.map((request) => [request['id'], request['status']])).toEqual([
      [waiting, 'IN_QUEUE'],
      [running, 'IN_PROGRESS'],
      [failed, 'FAILED'],
      [done, 'COMPLETED'],
    ])
    expect(requests.flatMap(Object.values).filter((value) => typeof value === 'number')).toSatisfy((numbers: number[]) =>
      numbers.every(Number.isInteger),
    )
    const page = (await get('requests?offset=1&limit=2')).json
    expect((page['requests'] as { id: string }[]).map(({ id }) => id)).toEqual([running, failed])
    expect(page['hasMore']).toBe(true)
  })

  it.each(['limit=0', 'limit=201', 'limit=x', 'offset=-1', 'offset=1.5'])('refuses %s with a sentence', async (query) => {
    const answer = await get(`requests?${query}`)
    expect([answer.status, answer.json['error']]).toEqual([400, expect.stringMatching(/must be a whole number from/)])
  })
})

describe('why a job waits', () => {
  it('stands in /status while it is queued, and nowhere else', async () => {
    const id = await gateway.submit(ep)
    expect((await get(`status/${id}`)).json).toEqual({
      id,
      status: 'IN_QUEUE',
      queueReason: 'worker_starting',
      queueMessage: 'a worker is starting',
    })
    await worker.take()
    expect(Object.keys((await get(`status/${id}`)).json)).not.toContain('queueReason')
  })

  it('names what the scaler says where no worker can start', async () => {
    const bare = (await gateway.addEndpoint()).id
    const { json } = await gateway.call(`/v2/${bare}/run`, { method: 'POST', body: { input: 1 } })
    const message = 'both cards of host local are in use'
    await gateway.store.status.put(bare, { at: Date.now(), throttled: 1, unhealthy: 0, reason: 'gpus_busy', message })
    const status = await gateway.call(`/v2/${bare}/status/${String(json['id'])}`)
    const queueRemedy = expect.stringContaining('raise its priority') as string
    expect(status.json).toMatchObject({ queueReason: 'gpus_busy', queueMessage: message, queueRemedy })
  })
})

describe('what a 404 says', () => {
  it('of a result that expired: its status and when', async () => {
    const id = await finish({ error: 'x' })
    await get(`status/${id}?ttl=1`)
    await expect.poll(async () => (await get(`status/${id}`)).status).toBe(404)
    const sentence = /^job not found: \S+ was FAILED; its result expired at \d{4}-.*Z, \d+ seconds? after it ended$/
    for (const answer of [await get(`status/${id}`), await get(`stream/${id}`), await post(`cancel/${id}`), await post(`retry/${id}`)]) {
      expect([answer.status, answer.json['error']]).toEqual([404, expect.stringMatching(sentence)])
    }
  })

  it('of a result that made room for newer ones', async () => {
    const id = await finish({ output: 'x'.repeat(40_000) })
    await finish({ output: 'x'.repeat(40_000) })
    expect((await get(`status/${id}`)).json['error']).toMatch(/was COMPLETED; its result made room for newer ones at/)
  })

  it('of a job whose ttl elapsed, whose worker gets an order to stop', async () => {
    const id = await gateway.submit(ep, 1, { policy: { ttl: 10_000 } })
    await worker.take()
    const stops = worker.send(`/v2/${ep}/job-stop/${worker.id}`)
    await gateway.store.jobs.sweepExpired(ep, Date.now() + 11_000)
    expect((await stops).json).toEqual({ jobsToStop: [id] })
    const answer = await get(`status/${id}`)
    expect([answer.status, answer.json['error']]).toEqual([
      404,
      expect.stringMatching(/was deleted by its ttl at .* while it was IN_PROGRESS/),
    ])
  })
})
