// What happens while Redis is away, and afterwards: nothing accepted is lost, nothing hangs, and everything recovers by itself.
import { createSend, openLine, startRedis, type TestRedis } from '@runyard/testing'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { isStoreAnswering } from './http/silent-store.ts'
import { startGateway, type TestGateway } from './testing/gateway.ts'

let redis: TestRedis
let gateway: TestGateway

beforeAll(async () => {
  redis = await startRedis()
  gateway = await startGateway(redis.url, { lease: { durationS: 60 } })
})

afterAll(async () => {
  await gateway[Symbol.asyncDispose]()
  await redis.stop()
})

// worker-api §17.2, §17.7, §17.13.
it('answers clients 503, polls 429 and pings 200, keeps a result until it can be written, and recovers', async () => {
  const { id: ep } = await gateway.addEndpoint()
  const worker = await gateway.addWorker(ep)
  const stranger = await gateway.addWorker(ep)
  const submit = () => gateway.call(`/v2/${ep}/run`, { method: 'POST', body: { input: 1 } })
  const runsync = gateway.call(`/v2/${ep}/runsync`, { method: 'POST', body: { input: 'held' } })
  const job = await worker.take()
  const jobId = job?.id ?? ''

  await redis.kill()
  await expect.poll(() => gateway.store.isUp()).toBe(false)
  const refused = await submit()
  expect([refused.status, Number(refused.headers.get('retry-after')) >= 1]).toEqual([503, true])
  expect(refused.json['error']).toMatch(/Redis/)
  expect((await worker.send(`/v2/${ep}/job-take/${worker.id}?gpu=x`)).status).toBe(429)
  expect((await createSend(gateway.publicUrl)('/readyz')).status).toBe(503)
  expect((await createSend(gateway.publicUrl)('/metrics')).text).toContain('runyard_store_up 0')
  expect([(await worker.ping([jobId])).status, (await stranger.ping()).status]).toEqual([200, 200])
  const done = worker.done(jobId, { output: 'survived' })
  // This gateway has not met that worker yet, so whose result it is has to wait, too.
  const late = stranger.done('nobodys-u1', { output: 1 })

  await redis.restart()
  expect([(await done).status, (await late).status]).toEqual([200, 200])
  expect((await runsync).json).toMatchObject({ id: jobId, status: 'COMPLETED', output: 'survived' })
  await expect.poll(async () => (await submit()).status).toBe(200)
  expect((await worker.take())?.input).toBe(1)
})

it('answers reads of operators 503 while Redis hangs, keeps a mutation waiting, and serves again when it goes on', async () => {
  await using hanging = await startRedis()
  // The store itself would wait for longer than this test may take.
  await using patient = await startGateway(hanging.url, {}, { answerMs: 600_000 })
  const { id: ep } = await patient.addEndpoint()
  const reads = [`/v2/${ep}/health`, `/v2/${ep}/metrics`, '/runyard/v1/pool', '/v2/serverless', '/rest/v1/endpoints', '/readyz'] as const
  const statuses = async () => Promise.all(reads.map(async (path) => (await patient.call(path)).status))
  expect(await statuses()).toEqual(reads.map(() => 200))
  process.kill(hanging.pid, 'SIGSTOP')
  const saved = patient.call('/graphql', {
    method: 'POST',
    body: { query: 'mutation { saveRegistryAuth(input: { name: "mine", username: "me", password: "x" }) { id } }' },
  })
  try {
    const [metrics, ...answers] = await Promise.all(['/metrics', ...reads].map((path) => patient.call(path)))
    for (const { status, text } of answers)
      expect({ status, text }).toEqual({ status: 503, text: expect.stringContaining('Redis has not answered') })
    const query = { method: 'POST', body: { query: '{ myself { id endpoints { id } } }' } }
    expect(await patient.call('/graphql', query)).toMatchObject({ status: 503, text: expect.stringContaining('Redis has not answered') })
    expect(metrics).toMatchObject({ status: 200, text: expect.stringContaining('runyard_store_up 0') })
    expect(metrics?.text).not.toContain('runyard_queue_jobs{')
  } finally {
    process.kill(hanging.pid, 'SIGCONT')
  }
  expect((await saved).json).toMatchObject({ data: { saveRegistryAuth: { id: expect.any(String) } } })
  expect(await statuses()).toEqual(reads.map(() => 200))
})

it('takes a Redis for answering whose answer waits while the gateway is busy', async () => {
  const answering = isStoreAnswering(gateway.store, 50)
  await new Promise((resolve) => {
    setImmediate(resolve)
  })
  const until = performance.now() + 200
  while (performance.now() < until);
  expect(await answering).toBe(true)
})

it('a poll that is held while Redis goes and comes back still gets its job', async () => {
  const { id: ep } = await gateway.addEndpoint()
  const worker = await gateway.addWorker(ep)
  const poll = worker.take()
  await expect.poll(async () => (await gateway.store.workers.get(ep, worker.id))?.readyAt).toBeDefined()
  await redis.kill()
  await expect.poll(() => gateway.store.isUp()).toBe(false)
  await redis.restart()
  await expect.poll(async () => (await gateway.call(`/v2/${ep}/run`, { method: 'POST', body: { input: 7 } })).status).toBe(200)
  expect((await poll)?.input).toBe(7)
})

it('takes a chunk once whose answer from Redis was lost', async () => {
  await using line = await openLine(redis.port)
  await using cutOff = await startGateway(line.url, {}, { answerMs: 3000 })
  const { id: ep } = await cutOff.addEndpoint()
  const worker = await cutOff.addWorker(ep)
  const { json } = await cutOff.call(`/v2/${ep}/run`, { method: 'POST', body: { input: 1 } })
  const jobId = (await worker.take())?.id ?? ''
  expect(jobId).toBe(json['id'])
  const chunk = (output: string) => worker.stream(jobId, { output })
  expect((await chunk('one')).status).toBe(200)
  expect(line.freeze('answers')).toBe(1)
  expect((await chunk('two')).status).toBe(200)
  expect((await chunk('three')).status).toBe(200)
  expect((await worker.done(jobId, { output: 'end' })).status).toBe(200)
  const chunks = (await cutOff.call(`/v2/${ep}/stream/${jobId}`)).json['stream']
  expect(chunks).toEqual([{ output: 'one' }, { output: 'two' }, { output: 'three' }])
})

it.each([
  ['has too few replicas', 'min-replicas-to-write'],
  ['is out of memory', 'maxmemory'],
])('a Redis that %s accepts nothing, still answers reads, and loses no result', async (_, setting) => {
  const { id: ep } = await gateway.addEndpoint()
  const worker = await gateway.addWorker(ep)
  const submit = () => gateway.call(`/v2/${ep}/run`, { method: 'POST', body: { input: 1 } })
  const { json } = await submit()
  const jobId = String(json['id'])
  expect((await worker.take())?.id).toBe(jobId)
  // A job that waits: only to take one something must be written.
  expect((await submit()).status).toBe(200)
  await redis.configure(setting, '1')
  const refused = await submit()
  expect([refused.status, Number(refused.headers.get('retry-after')) >= 1]).toEqual([503, true])
  expect((await gateway.call(`/v2/${ep}/status/${jobId}`)).json).toMatchObject({ status: 'IN_PROGRESS', workerId: worker.id })
  expect((await worker.send(`/v2/${ep}/job-take/${worker.id}?gpu=x`)).status).toBe(429)
  const done = worker.done(jobId, { output: 'kept' })
  await redis.configure(setting, '0')
  expect((await done).status).toBe(200)
  expect((await gateway.call(`/v2/${ep}/status/${jobId}`)).json).toMatchObject({ status: 'COMPLETED', output: 'kept' })
  await expect.poll(async () => (await submit()).status).toBe(200)
})
