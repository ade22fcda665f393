// What callers may send: sizes, rates, and from which web pages. Against real sockets and a real Redis.
import { createSend, type Answer } from '@runyard/testing'
import { beforeAll, describe, expect, it } from 'vitest'
import type { TestGateway } from '../testing/gateway.ts'
import { useGateways } from '../testing/use-gateway.ts'

const startGateway = useGateways()

async function start(config: Record<string, unknown>): Promise<{ gateway: TestGateway; ep: string }> {
  const gateway = await startGateway(config)
  return { gateway, ep: (await gateway.addEndpoint()).id }
}

describe('payloads (client-api §8.1)', () => {
  const MIB = 1024 * 1024
  let at: { gateway: TestGateway; ep: string }
  beforeAll(async () => {
    at = await start({})
  })

  /** A body of exactly this many bytes. */
  const bodyOf = (bytes: number): string => {
    const empty = JSON.stringify({ input: '' })
    return JSON.stringify({ input: 'x'.repeat(bytes - empty.length) })
  }

  it.each([
    ['run', 10 * MIB - 1, 200],
    ['run', 10 * MIB, 200],
    ['run', 10 * MIB + 1, 413],
    ['runsync?wait=1000', 20 * MIB - 1, 200],
    ['runsync?wait=1000', 20 * MIB, 200],
    ['runsync?wait=1000', 20 * MIB + 1, 413],
  ])('/%s with %i bytes is answered %i', async (operation, bytes, status) => {
    const answer = await at.gateway.call(`/v2/${at.ep}/${operation}`, { method: 'POST', body: bodyOf(bytes) })
    expect(answer.status).toBe(status)
    expect(answer.headers.get('content-type')).toContain('application/json')
    const [setting, most] = operation === 'run' ? ['limits.runBytes', 10 * MIB] : ['limits.runsyncBytes', 20 * MIB]
    expect(answer.json['error']).toBe(status === 413 ? `the request body is larger than ${most} bytes (${setting})` : undefined)
  })
})

it('refusals by limits are counted by what refused them', async () => {
  const { gateway, ep } = await start({ rateLimits: { health: 1 }, limits: { queueJobs: 1, runBytes: 1000 } })
  const run = (input = '') => gateway.call(`/v2/${ep}/run`, { method: 'POST', body: { input } })
  for (let turn = 0; turn < 2; turn += 1) await gateway.call(`/v2/${ep}/health`)
  const statuses = [await run(), await run(), await run('x'.repeat(2000))].map(({ status }) => status)
  expect(statuses).toEqual([200, 429, 413])
  const { text } = await gateway.call('/metrics')
  const refused = text.split('\n').filter((line) => line.startsWith('runyard_requests_refused_total{'))
  expect(refused.toSorted()).toEqual(['body_size', 'queue', 'rate'].map((reason) => `runyard_requests_refused_total{reason="${reason}"} 1`))
})

describe('rates (client-api §8.3)', () => {
  const health = (send: (path: string) => Promise<Answer>, ep: string) => send(`/v2/${ep}/health`)

  it('are not limited by default', async () => {
    const { gateway, ep } = await start({})
    const answers = await Promise.all(Array.from({ length: 20 }, () => gateway.call(`/v2/${ep}/purge-queue`, { method: 'POST' })))
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200))
  })

  it('are refused with 429, a sentence and Retry-After, each operation, endpoint and key by itself', async () => {
    const { gateway, ep } = await start({ rateLimits: { health: 2, status: 1 } })
    const other = (await gateway.addEndpoint()).id
    const { plain } = await gateway.store.keys.create({ name: 'second', ownerId: 'owner' })
    const second = createSend(gateway.publicUrl, { authorization: plain })
    for (const path of ['health', 'metrics']) expect((await gateway.call(`/v2/${ep}/${path}`)).status).toBe(200)
    const refused = await health(gateway.call, ep)
    expect([refused.status, refused.json['error']]).toEqual([
      429,
      'more than 2 requests in 10 s on this endpoint with this key (rateLimits.health)',
    ])
    expect(Number(refused.headers.get('retry-after'))).toSatisfy(
      (seconds: number) => Number.isInteger(seconds) && seconds >= 1 && seconds <= 10,
    )
    expect((await health(gateway.call, other)).status).toBe(200)
    expect((await health(second, ep)).status).toBe(200)
    const ofOneJob = [await gateway.call(`/v2/${ep}/status/x`), await gateway.call(`/v2/${ep}/stream/x`)]
    expect(ofOneJob.map(({ status }) => status)).toEqual([404, 429])
    expect((await gateway.call(`/v2/${ep}/run`, { method: 'POST', body: { input: 1 } })).status).toBe(200)
  })

  it('a large body that is refused is read to its end, so that its sender sees the 429', async () => {
    const { gateway, ep } = await start({ rateLimits: { run: 1 } })
    const body = { input: 'x'.repeat(5_000_000) }
    const answers = [1, 2, 3].map(() => gateway.call(`/v2/${ep}/run`, { method: 'POST', body }))
    const codes = (await Promise.all(answers)).map(({ status }) => status)
    expect(codes.toSorted((a, b) => a - b)).toEqual([200, 429, 429])
  })

  it('Runpod’s own numbers are a preset; a number of one’s own wins; the worker plane knows no limits', async () => {
    const { gateway, ep } = await start({ rateLimits: { preset: 'runpod', requests: 0, concurrent: { requests: 0 } } })
    const purge = (send: TestGateway['call']) => send(`/v2/${ep}/purge-queue`, { method: 'POST' })
    const codes = [await purge(gateway.call), await purge(gateway.call), await purge(gateway.call)].map(({ status }) => status)
    expect(codes).toEqual([200, 200, 429])
    const lists = await Promise.all(Array.from({ length: 15 }, () => gateway.call(`/v2/${ep}/requests`)))
    expect(lists.map(({ status }) => status)).toEqual(lists.map(() => 200))
    const nested = createSend(gateway.workerPlaneUrl, { authorization: gateway.key })
    expect((await purge(nested)).status).toBe(200)
  })
})

describe('open requests (client-api §8.3)', () => {
  const hold = (gateway: TestGateway, ep: string, signal?: AbortSignal): Promise<Response> =>
    fetch(`${gateway.publicUrl}/v2/${ep}/runsync?wait=60000`, {
      method: 'POST',
      headers: { authorization: gateway.key, 'content-type': 'application/json' },
      body: JSON.stringify({ input: 1 }),
      ...(signal === undefined ? {} : { signal }),
    })
  const waiting = (gateway: TestGateway, ep: string, jobs: number) =>
    expect.poll(async () => (await gateway.store.jobs.stats(ep)).waiting, { timeout: 20_000 }).toBe(jobs)

  it('count for as long as they are held; one more is a 429 with Retry-After, and another key or operation is not concerned', async () => {
    const { gateway, ep } = await start({ rateLimits: { concurrent: { runsync: 2 } } })
    const { plain } = await gateway.store.keys.create({ name: 'third', ownerId: 'owner' })
    const held = [hold(gateway, ep), hold(gateway, ep)]
    await waiting(gateway, ep, 2)
    const refused = await gateway.call(`/v2/${ep}/runsync`, { method: 'POST', body: { input: 1 } })
    expect([refused.status, refused.json['error'], refused.headers.get('retry-after')]).toEqual([
      429,
      'more than 2 requests at once on this endpoint with this key (rateLimits.concurrent.runsync)',
      '1',
    ])
    expect((await gateway.call(`/v2/${ep}/run`, { method: 'POST', body: { input: 1 } })).status).toBe(200)
    const other = createSend(gateway.publicUrl, { authorization: plain })
    expect((await other(`/v2/${ep}/runsync?wait=1000`, { method: 'POST', body: { input: 1 } })).status).toBe(200)
    await gateway.call(`/v2/${ep}/purge-queue`, { method: 'POST' })
    for (const { status } of await Promise.all(held)) expect(status).toBe(200)
    expect((await gateway.call(`/v2/${ep}/runsync?wait=1000`, { method: 'POST', body: { input: 1 } })).status).toBe(200)
  })

  it('whose caller has gone are not counted any more, nor are those that ended in an error', async () => {
    const { gateway, ep } = await start({ rateLimits: { concurrent: { runsync: 1 } } })
    const leaving = new AbortController()
    const held = hold(gateway, ep, leaving.signal)
    await waiting(gateway, ep, 1)
    leaving.abort()
    await expect(held).rejects.toThrow('abort')
    const status = async (body: unknown) => (await gateway.call(`/v2/${ep}/runsync?wait=1000`, { method: 'POST', body })).status
    await expect.poll(() => status('not an envelope'), { timeout: 20_000 }).toBe(400)
    expect(await status({ input: 1 })).toBe(200)
  })
})

describe('browsers (client-api §3)', () => {
  const origin = 'https://app.example.com'
  const preflight = (gateway: TestGateway, ep: string, from = origin): Promise<Response> =>
    fetch(`${gateway.publicUrl}/v2/${ep}/runsync`, {
      method: 'OPTIONS',
      headers: {
        origin: from,
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'authorization,content-type,user-agent',
      },
    })

  it.each([[[origin]], [['*']]])(
    'with cors.origins %j the preflight of the JS SDK passes and answers can be read, errors too',
    async (origins) => {
      const { gateway, ep } = await start({ cors: { origins } })
      const answer = await preflight(gateway, ep)
      expect(answer.status).toBe(204)
      expect(answer.headers.get('access-control-allow-origin')).toBe(origins[0])
      expect(answer.headers.get('access-control-allow-headers')).toBe('authorization,content-type,user-agent')
      expect(answer.headers.get('access-control-allow-methods')).toContain('POST')
      const health = await gateway.call(`/v2/${ep}/health`, { headers: { origin } })
      const refused = await fetch(`${gateway.publicUrl}/v2/${ep}/health`, { headers: { origin } })
      expect([health.status, refused.status]).toEqual([200, 401])
      for (const { headers } of [health, refused]) expect(headers.get('access-control-allow-origin')).toBe(origins[0])
    },
  )

  it('other pages get no leave, and by default none does', async () => {
    const { gateway, ep } = await start({ cors: { origins: [origin] } })
    expect((await preflight(gateway, ep, 'https://evil.example.com')).headers.get('access-control-allow-origin')).toBeNull()
    const closed = await start({})
    const answer = await preflight(closed.gateway, closed.ep)
    expect([answer.status, answer.headers.get('access-control-allow-origin')]).toEqual([404, null])
  })
})

it.each([
  [{ streamBytes: 1000 }, 'the job streamed more than 1000 bytes (limits.streamBytes)'],
  [
    { unreadBytes: 1000 },
    "more than 1000 bytes of this endpoint's streams are unread (limits.unreadBytes), and this job has more than its share of them",
  ],
])('a job that streams more than %j allow fails in words', async (limits, error) => {
  const { gateway, ep } = await start({ limits })
  const worker = await gateway.addWorker(ep)
  const id = String((await gateway.call(`/v2/${ep}/run`, { method: 'POST', body: { input: 1 } })).json['id'])
  expect((await worker.take())?.id).toBe(id)
  const chunk = () => worker.stream(id, { output: 'x'.repeat(600) })
  expect([(await chunk()).status, (await chunk()).status]).toEqual([200, 200])
  const { json } = await gateway.call(`/v2/${ep}/status/${id}`)
  expect(json).toMatchObject({ status: 'FAILED', error })
})
