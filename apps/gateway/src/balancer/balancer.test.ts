// Load-balanced endpoints through a whole gateway: real clients on one side, a real HTTP server behind tunnels on the other (management §11).
import { createServer, request, type IncomingMessage, type RequestOptions, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { once } from 'node:events'
import type { Duplex, Writable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Endpoint, WorkerRecord } from '@runyard/schema'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { openTunnelAgent, type TunnelAgent } from '../testing/tunnel-agent.ts'
import { useGateways } from '../testing/use-gateway.ts'
import type { TestGateway, TestWorker } from '../testing/gateway.ts'

const start = useGateways()
let gateway: TestGateway
let server: Server
let port: number
/** Of requests to /hold: what answers them. */
const held: (() => void)[] = []
const agents: TunnelAgent[] = []
/** The last path below /lose: its next request is answered. */
let lost: string | undefined
/** Bodies of syncs. */
const synced: string[] = []

beforeAll(async () => {
  gateway = await start({ loadBalancing: { names: ['api.localhost', 'localhost'], holdS: 20, bodyBytes: 1_000_000 } })
  // A request may be cut off in its middle.
  server = createServer((incoming, response) => void serve(incoming, response).catch(() => response.destroy()))
  server.on('upgrade', (incoming: IncomingMessage, socket) => {
    const offered = incoming.headers['sec-websocket-protocol']
    const chosen = incoming.url === '/choosing' ? `Sec-WebSocket-Protocol: ${offered?.split(', ')[0]}\r\n` : ''
    const own = `X-Path: ${incoming.url}\r\nX-Offered: ${offered ?? 'none'}\r\n${chosen}`
    socket.write(`HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n${own}\r\n`)
    socket.on('data', (chunk: Buffer) => socket.write(`heard ${chunk}`))
    socket.on('error', () => undefined)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  port = (server.address() as AddressInfo).port
})
afterAll(() => {
  server.closeAllConnections()
  server.close()
})
afterEach(() => {
  for (const agent of agents.splice(0)) agent.kill()
})

async function serve(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
  const path = incoming.url ?? ''
  if (path.startsWith('/stream')) return streamTwo(response)
  if (path.startsWith('/flood')) return void (flood = pourInto(response))
  if (path.startsWith('/hold')) await new Promise<void>((resolve) => held.push(resolve))
  if (path.startsWith('/lose') && path !== lost) {
    lost = path
    return void incoming.socket.destroy()
  }
  const body = Buffer.concat((await incoming.toArray()) as Buffer[])
  if (path === '/_runpod/sync') synced.push(body.toString())
  const own = path === '/own-cors' ? { 'access-control-allow-origin': '*' } : {}
  response.writeHead(path.startsWith('/teapot') ? 418 : 200, { 'content-type': 'application/json', 'x-own': 'a', ...own })
  response.end(JSON.stringify({ method: incoming.method, path, bytes: body.length, headers: incoming.headers }))
}

async function streamTwo(response: ServerResponse): Promise<void> {
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  for (const text of ['one', 'two']) {
    response.write(`data: ${text}\n\n`)
    await new Promise<void>((resolve) => held.push(resolve))
  }
  response.end()
}

interface Site {
  readonly endpoint: Endpoint
  readonly worker: TestWorker
}

async function addSite(settings: Partial<Endpoint['settings']> = {}): Promise<Site> {
  const endpoint = await gateway.addEndpoint(
    { type: 'LOAD_BALANCER' },
    { scaling: { type: 'REQUEST_COUNT', requestCount: 1 }, ...settings },
  )
  return { endpoint, worker: await addWorker(endpoint) }
}

const addWorker = (endpoint: Endpoint, change: Partial<WorkerRecord> = {}) =>
  gateway.addWorker(endpoint.id, { endpointVersion: endpoint.version, ...change })

async function join({ endpoint, worker }: Site): Promise<TunnelAgent> {
  const agent = openTunnelAgent({ url: gateway.workerPlaneUrl, endpointId: endpoint.id, worker, port })
  agents.push(agent)
  await vi.waitUntil(() => gateway.tunnels.has(worker.id))
  return agent
}

interface Answer {
  readonly status: number
  readonly headers: IncomingMessage['headers']
  readonly text: string
}

/** With any Host. */
function ask(
  path: string,
  { body, headers: more = {}, ...options }: Omit<RequestOptions, 'headers'> & { body?: string; headers?: Record<string, string> } = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${gateway.key}`, ...more }
    const sent = request(gateway.publicUrl + path, { agent: false, ...options, headers }, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text }))
      response.on('error', reject)
    })
    sent.on('error', reject).end(body)
  })
}

/** More than all sockets on the way hold. */
const FLOOD_BYTES = 96_000_000
const FLOOD_CHUNK = Buffer.alloc(1_000_000)

interface Flood {
  bytes: number
}
let flood: Flood = { bytes: 0 }

/** Writes as fast as it is taken; `bytes` is what was. */
function pourInto(stream: Writable): Flood {
  const found = { bytes: 0 }
  const pour = async (): Promise<void> => {
    for (; found.bytes < FLOOD_BYTES; found.bytes += FLOOD_CHUNK.length) if (!stream.write(FLOOD_CHUNK)) await once(stream, 'drain')
    stream.end()
  }
  void pour().catch(() => undefined)
  return found
}

async function untilItStalls(found: Flood): Promise<number> {
  let before = 0
  await vi.waitUntil(
    () => {
      const isStill = before > 0 && before === found.bytes
      before = found.bytes
      return isStill
    },
    { interval: 300, timeout: 30_000 },
  )
  return before
}

const WEBSOCKET = { connection: 'Upgrade', upgrade: 'websocket' }

/** The headers of the handshake's answer, and what came back. */
function sayHello(path: string, headers: Record<string, string>): Promise<Record<string, unknown>> {
  return new Promise((resolve, reject) => {
    const sent = request(gateway.publicUrl + path, { headers, agent: false })
    sent.on('upgrade', (response, socket) => {
      socket.write('hello')
      socket.once('data', (chunk: Buffer) => {
        resolve({ ...response.headers, heard: `${chunk}` })
        socket.destroy()
      })
    })
    sent.on('response', (response) => reject(new Error(`the answer is ${response.statusCode}`)))
    sent.on('error', reject).end()
  })
}

describe('a request by path or by Host', () => {
  test('reaches the server as it was sent, without the key, and its answer comes back unchanged', async () => {
    const site = await addSite()
    await join(site)
    const sent = { method: 'POST', body: 'x'.repeat(1000), headers: { 'content-type': 'text/odd', 'x-mine': '1' } }
    for (const answer of [
      await ask(`/lb/${site.endpoint.id}/teapot//a?b=%2Fc`, sent),
      await ask('/teapot//a?b=%2Fc', { ...sent, headers: { ...sent.headers, host: `${site.endpoint.id}.api.localhost:8080` } }),
    ]) {
      expect(answer).toMatchObject({ status: 418, headers: { 'x-own': 'a', 'x-runpod-worker-id': site.worker.id } })
      const seen = JSON.parse(answer.text) as { headers: Record<string, string> }
      expect(seen).toMatchObject({ method: 'POST', path: '/teapot//a?b=%2Fc', bytes: 1000 })
      expect(seen.headers).toMatchObject({ 'content-type': 'text/odd', 'x-mine': '1' })
      expect(seen.headers['authorization']).toBeUndefined()
    }
  })

  test('needs a key of the owner, an endpoint that is there, and one that is load-balanced', async () => {
    const { endpoint } = await addSite()
    const queue = await gateway.addEndpoint()
    const foreign = await gateway.addEndpoint({ type: 'LOAD_BALANCER', ownerId: 'other' })
    expect((await ask(`/lb/${endpoint.id}/a`, { headers: { authorization: 'Bearer nope' } })).status).toBe(401)
    expect((await ask('/a', { headers: { host: `${endpoint.id}.localhost`, authorization: '' } })).status).toBe(401)
    expect((await ask('/lb/nosuch/a')).status).toBe(404)
    expect((await ask(`/lb/${foreign.id}/a`)).status).toBe(403)
    expect(await ask(`/lb/${queue.id}/a`)).toMatchObject({ status: 400, text: expect.stringContaining('not allowed for QB API') })
    expect((await ask(`/v2/${endpoint.id}/run`, { method: 'POST', body: '{}' })).status).toBe(400)
  })

  test('with a body over the limit is refused', async () => {
    const site = await addSite()
    await join(site)
    const large = { method: 'POST', body: 'x'.repeat(1_000_001) }
    expect((await ask(`/lb/${site.endpoint.id}/a`, large)).status).toBe(413)
    const chunked = await ask(`/lb/${site.endpoint.id}/a`, { ...large, headers: { 'transfer-encoding': 'chunked' } })
    expect(chunked.status).toBe(413)
  })
})

describe('a stream', () => {
  test('arrives chunk by chunk, and ends for the worker when its client goes', async () => {
    const site = await addSite()
    await join(site)
    const controller = new AbortController()
    const answer = await fetch(`${gateway.publicUrl}/lb/${site.endpoint.id}/stream`, {
      headers: { authorization: `Bearer ${gateway.key}` },
      signal: controller.signal,
    })
    const reader = (answer.body as ReadableStream<Uint8Array>).getReader()
    expect(new TextDecoder().decode((await reader.read()).value)).toBe('data: one\n\n')
    held.shift()?.()
    expect(new TextDecoder().decode((await reader.read()).value)).toBe('data: two\n\n')
    const ends = new Promise((resolve) => server.once('connection', resolve))
    controller.abort()
    await vi.waitUntil(async () => (await gateway.store.requests.load(site.endpoint.id)).open.size === 0)
    held.shift()?.()
    // Its connection is not used again.
    await Promise.all([ends, ask(`/lb/${site.endpoint.id}/after`)])
  })

  test('is taken no faster than the other side takes it, in both directions', async () => {
    const usual = gateway
    gateway = await start({ loadBalancing: { bodyBytes: FLOOD_BYTES } })
    try {
      const site = await addSite()
      await join(site)
      const headers = { authorization: `Bearer ${gateway.key}` }
      const sent = request(`${gateway.publicUrl}/lb/${site.endpoint.id}/hold`, { method: 'POST', agent: false, headers })
      const upload = pourInto(sent)
      const answered = once(sent, 'response')
      await vi.waitUntil(() => held.length > 0)
      expect(await untilItStalls(upload)).toBeLessThan(FLOOD_BYTES)
      held.shift()?.()
      expect(await (await answered)[0].toArray().then(String)).toContain(`"bytes":${FLOOD_BYTES}`)

      const asked = request(`${gateway.publicUrl}/lb/${site.endpoint.id}/flood`, { agent: false, headers }).end()
      const [answer] = (await once(asked, 'response')) as [IncomingMessage]
      expect(await untilItStalls(flood)).toBeLessThan(FLOOD_BYTES)
      expect(Buffer.concat(await answer.toArray())).toHaveLength(FLOOD_BYTES)
    } finally {
      gateway = usual
    }
  })

  test('of a WebSocket goes both ways', async () => {
    const site = await addSite()
    await join(site)
    const headers = { host: `${site.endpoint.id}.localhost`, ...WEBSOCKET }
    const authorization = `Bearer ${gateway.key}`
    expect(await sayHello('/ws?a=1', { ...headers, authorization })).toMatchObject({ 'x-path': '/ws?a=1', heard: 'heard hello' })
    const refused = await ask('/ws', { headers: { ...headers, authorization: 'Bearer nope' } })
    expect(refused.status).toBe(401)
  })

  test('of a WebSocket may bring its key as a subprotocol, which the worker does not see', async () => {
    const site = await addSite()
    await join(site)
    const hello = (path: string, names: readonly string[]) =>
      sayHello(`/lb/${site.endpoint.id}${path}`, { ...WEBSOCKET, 'sec-websocket-protocol': names.join(', ') })
    const bearer = `runyard.bearer.${encodeURIComponent(gateway.key)}`
    const chosen = 'sec-websocket-protocol'
    expect(await hello('/ws', ['runyard', bearer])).toMatchObject({ 'x-offered': 'none', [chosen]: 'runyard', heard: 'heard hello' })
    expect(await hello('/ws', ['runyard', bearer, 'chat'])).toMatchObject({ 'x-offered': 'chat', [chosen]: 'runyard' })
    expect(await hello('/choosing', ['chat', 'runyard', bearer])).toMatchObject({ 'x-offered': 'chat', [chosen]: 'chat' })
    const alone = await hello('/ws', [bearer])
    expect(alone).toMatchObject({ 'x-offered': 'none', heard: 'heard hello' })
    expect(alone).not.toHaveProperty(chosen)
    const odd = { ...WEBSOCKET, authorization: '', [chosen]: 'runyard, runyard.bearer.%zz' }
    const wrong = await ask(`/lb/${site.endpoint.id}/ws`, { headers: odd })
    expect(wrong.status).toBe(401)
  })
})

test('a WebSocket ends when its key is revoked, and others stay', async () => {
  const site = await addSite()
  await join(site)
  const extra = await gateway.store.keys.create({ name: 'page', ownerId: site.endpoint.ownerId })
  const open = (key: string) =>
    new Promise<Duplex>((resolve, reject) => {
      const headers = { ...WEBSOCKET, authorization: `Bearer ${key}` }
      const sent = request(`${gateway.publicUrl}/lb/${site.endpoint.id}/ws`, { headers, agent: false })
      sent
        .on('upgrade', (_response, socket) => resolve(socket.resume()))
        .on('error', reject)
        .end()
    })
  const [page, other] = await Promise.all([open(extra.plain), open(gateway.key)])
  await gateway.store.keys.revoke(extra.key.id)
  await once(page, 'close')
  expect(other.destroyed).toBe(false)
  other.destroy()
})

describe('without a worker', () => {
  test('a request waits until one is there, and counts as demand', async () => {
    const site = await addSite()
    const answer = ask(`/lb/${site.endpoint.id}/late`)
    await vi.waitUntil(async () => (await gateway.store.requests.load(site.endpoint.id)).held === 1)
    expect((await gateway.call(`/v2/${site.endpoint.id}/health`)).json).toMatchObject({ jobs: { inQueue: 1 } })
    await join(site)
    expect((await answer).status).toBe(200)
    await vi.waitUntil(async () => (await gateway.store.requests.load(site.endpoint.id)).held === 0)
  })

  test('a request to a paused endpoint is refused at once', async () => {
    const { endpoint } = await addSite({ workersMax: 0 })
    expect(await ask(`/lb/${endpoint.id}/a`)).toMatchObject({ status: 504, text: expect.stringContaining('its maximum is 0') })
  })
})

describe('the source of an api in a dev session', () => {
  test('reaches a worker before its first request, whichever worker got it from the client', async () => {
    const env = { RUNPOD_DEV_RESOURCE: 'api' }
    const endpoint = await gateway.addEndpoint(
      { type: 'LOAD_BALANCER', spec: { ...(await gateway.addEndpoint()).spec, env } },
      { scaling: { type: 'REQUEST_COUNT', requestCount: 1 } },
    )
    const site = { endpoint, worker: await addWorker(endpoint) }
    const agent = await join(site)
    const body = JSON.stringify({ source: 'x = 1', resource: 'api' })
    expect((await ask(`/lb/${endpoint.id}/_runpod/sync`, { method: 'POST', body })).status).toBe(200)
    expect((await ask(`/lb/${endpoint.id}/a`)).status).toBe(200)
    expect(synced).toEqual([body])
    agent.kill()
    const other = { ...site, worker: await addWorker(endpoint) }
    await join(other)
    const answers = await Promise.all([ask(`/lb/${endpoint.id}/a`), ask(`/lb/${endpoint.id}/b`)])
    expect(answers.map(({ status }) => status)).toEqual([200, 200])
    expect(synced).toEqual([body, body])
  })
})

describe('a deployed app', () => {
  test('is called by its names, at flash.<base name>', async () => {
    const common = { ownerId: 'owner', createdAt: 1 }
    const edit = { ownerId: 'owner', now: 1, id: undefined, randomText: () => '', sha256: () => '' }
    await gateway.store.resources.apps.save({ ...edit, edit: () => ({ ...common, id: 'app1', name: 'shop' }) })
    const environment = { ...common, id: 'env1', name: 'production', appId: 'app1', activeBuildId: null }
    await gateway.store.resources.environments.save({ ...edit, edit: () => environment })
    const endpoint = await gateway.addEndpoint({ type: 'LOAD_BALANCER', name: 'web', flashEnvironmentId: 'env1' })
    await join({ endpoint, worker: await addWorker(endpoint) })
    const names = { 'x-flash-app': 'shop', 'x-flash-environment': 'production', 'x-flash-endpoint': 'web' }
    const call = (headers: Record<string, string>) => ask('/double?x=1', { headers: { host: 'flash.api.localhost:1', ...headers } })
    expect(JSON.parse((await call(names)).text)).toMatchObject({ path: '/double?x=1' })
    expect(await call({ ...names, 'x-flash-endpoint': 'none' })).toMatchObject({ status: 404 })
    expect((await ask('/double', { headers: { host: 'flash.localhost', authorization: 'x', ...names } })).status).toBe(401)
  })
})

describe('a worker', () => {
  test('that answers requests is busy until they have ended', async () => {
    const site = await addSite()
    await join(site)
    const answer = ask(`/lb/${site.endpoint.id}/hold`)
    await vi.waitUntil(async () => (await gateway.store.requests.load(site.endpoint.id)).open.get(site.worker.id) === 1)
    await vi.waitUntil(() => held.length > 0)
    held.shift()?.()
    expect((await answer).status).toBe(200)
    await vi.waitUntil(async () => {
      const { open } = await gateway.store.requests.load(site.endpoint.id)
      const record = await gateway.store.workers.get(site.endpoint.id, site.worker.id)
      return open.size === 0 && record?.lastJobEndedAt !== undefined
    })
  })

  test('that dies in mid-request fails that request, and the next one goes to another', async () => {
    const site = await addSite()
    const other = { ...site, worker: await addWorker(site.endpoint) }
    const agent = await join(site)
    const broken = ask(`/lb/${site.endpoint.id}/hold`, { method: 'POST', body: 'x' })
    await vi.waitUntil(() => held.length > 0)
    await join(other)
    agent.kill()
    expect(await broken).toMatchObject({ status: 502 })
    held.shift()?.()
    expect((await ask(`/lb/${site.endpoint.id}/a`)).headers['x-runpod-worker-id']).toBe(other.worker.id)
  })

  test('that loses a request is replaced by another only where nothing was sent to it or the request is safe', async () => {
    const site = await addSite()
    const other = { ...site, worker: await addWorker(site.endpoint) }
    await join(site)
    await join(other)
    const send = (path: string, options = {}) =>
      ask(`/lb/${site.endpoint.id}${path}`, { ...options, headers: { 'x-runpod-worker-id': site.worker.id } })
    // Its connection is kept, and a server may close such a one at any time.
    await send('/a')
    expect(await send('/lose/1')).toMatchObject({ status: 200, headers: { 'x-runpod-worker-id': other.worker.id } })
    await send('/a')
    expect(await send('/lose/2', { method: 'POST', body: 'x' })).toMatchObject({
      status: 502,
      text: expect.stringContaining('ended the connection without an answer'),
    })
  })

  test('with as many requests as it should have shares them with the next one', async () => {
    const site = await addSite()
    const other = { ...site, worker: await addWorker(site.endpoint, { createdAt: Date.now() + 1 }) }
    await join(site)
    await join(other)
    const first = ask(`/lb/${site.endpoint.id}/hold`)
    await vi.waitUntil(() => held.length > 0)
    expect((await ask(`/lb/${site.endpoint.id}/a`)).headers['x-runpod-worker-id']).toBe(other.worker.id)
    held.shift()?.()
    expect((await first).headers['x-runpod-worker-id']).toBe(site.worker.id)
    await sleep(0)
    expect((await ask(`/lb/${site.endpoint.id}/a`)).headers['x-runpod-worker-id']).toBe(site.worker.id)
  })

  test('takes turns where the rate of requests asks for several, and the rate is reported while no request is open', async () => {
    const site = await addSite({ requestsPerSecond: 0.1 })
    const other = { ...site, worker: await addWorker(site.endpoint) }
    await join(site)
    await join(other)
    const answered = new Set<unknown>()
    for (let sent = 0; sent < 4; sent += 1) answered.add((await ask(`/lb/${site.endpoint.id}/a`)).headers['x-runpod-worker-id'])
    expect(answered).toEqual(new Set([site.worker.id, other.worker.id]))
    await vi.waitUntil(async () => {
      const { open, perSecond } = await gateway.store.requests.load(site.endpoint.id)
      return open.size === 0 && perSecond > 0.3
    })
  })

  test('that a request names gets it; one that is gone does so only if it need not be that one', async () => {
    const site = await addSite()
    const other = { ...site, worker: await addWorker(site.endpoint) }
    await join(site)
    await join(other)
    const named = (value: string) => ask(`/lb/${site.endpoint.id}/a`, { headers: { 'x-runpod-worker-id': value } })
    for (const { worker } of [site, other, site]) expect((await named(worker.id)).headers['x-runpod-worker-id']).toBe(worker.id)
    expect((await named(`strict ${other.worker.id}`)).headers['x-runpod-worker-id']).toBe(other.worker.id)
    expect((await named('gone')).status).toBe(200)
    expect(await named('strict gone')).toMatchObject({ status: 404, text: expect.stringContaining('affinity_worker_gone') })
  })

  test('that drains, or is of an older version, gets no request', async () => {
    const site = await addSite()
    await join(site)
    await gateway.store.workers.patch({ endpointId: site.endpoint.id, workerId: site.worker.id, fields: { drainingSince: Date.now() } })
    const other = { ...site, worker: await addWorker(site.endpoint) }
    await join(other)
    expect((await ask(`/lb/${site.endpoint.id}/a`)).headers['x-runpod-worker-id']).toBe(other.worker.id)
  })
})

describe('a task', () => {
  const task = { until: Date.now() + 60_000, mounts: [] }
  const at = (id: string, path: string) => `/t/${id}-8080.proxy.runpod.net${path}`

  test('is reached by its path with its own token, once its worker is ready, and answers 404 before', async () => {
    const { endpoint: other } = await addSite()
    const spec = { ...other.spec, env: { RUNPOD_TASK_TOKEN: 'task-token' } }
    const endpoint = await gateway.addEndpoint({ type: 'LOAD_BALANCER', task, spec }, { workersMin: 1 })
    const call = (path: string, init: RequestInit = {}) => fetch(`${gateway.publicUrl}${at(endpoint.id, path)}`, init)
    expect((await call('/ping')).status).toBe(404)
    const site = { endpoint, worker: await addWorker(endpoint) }
    await join(site)
    await vi.waitFor(async () => expect((await call('/ping')).status).toBe(200))
    // Code of a user that a browser opens must not be able to act as our page, which has the same origin.
    expect((await call('/ping')).headers.get('content-security-policy')).toBe('sandbox')
    for (const headers of [{}, { authorization: 'Bearer task-toke' }, { authorization: `Bearer ${gateway.key}` }]) {
      expect((await call('/submit', { method: 'POST', body: '{"a":1}', headers })).status).toBe(401)
    }
    const headers = { authorization: 'Bearer task-token', 'content-type': 'application/json' }
    const submitted = await call('/submit', { method: 'POST', body: '{"a":1}', headers })
    expect(await submitted.json()).toMatchObject({
      method: 'POST',
      path: '/submit',
      bytes: 7,
      headers: { authorization: 'Bearer task-token' },
    })
  })

  test('is not what an endpoint is', async () => {
    const { endpoint } = await addSite()
    expect((await fetch(`${gateway.publicUrl}${at(endpoint.id, '/ping')}`)).status).toBe(404)
  })
})

describe('a page in a browser', () => {
  test('of an allowed origin is answered with CORS headers, its preflight without a key, and the app may have headers of its own', async () => {
    const open = await start({ cors: { origins: ['https://page.example'] } })
    const endpoint = await open.addEndpoint({ type: 'LOAD_BALANCER' }, { scaling: { type: 'REQUEST_COUNT', requestCount: 1 } })
    const worker = await open.addWorker(endpoint.id, { endpointVersion: endpoint.version })
    agents.push(openTunnelAgent({ url: open.workerPlaneUrl, endpointId: endpoint.id, worker, port }))
    const call = (path: string, more: RequestInit & { headers: Record<string, string> }) =>
      fetch(`${open.publicUrl}/lb/${endpoint.id}${path}`, more)
    const origin = 'https://page.example'
    const wish = { 'access-control-request-method': 'PATCH', 'access-control-request-headers': 'authorization' }
    const preflight = await call('/a', { method: 'OPTIONS', headers: { origin, ...wish } })
    expect([preflight.status, ...corsOf(preflight)]).toEqual([204, origin, 'PATCH', 'authorization'])
    const foreign = await call('/a', { method: 'OPTIONS', headers: { origin: 'https://other.example', ...wish } })
    expect([foreign.status, ...corsOf(foreign)]).toEqual([401, null, null, null])
    expect(corsOf(await call('/a', { headers: { origin } }))).toEqual([origin, null, null])
    const authorization = `Bearer ${open.key}`
    const answer = await call('/a', { headers: { origin, authorization } })
    expect([answer.status, ...corsOf(answer)]).toEqual([200, origin, null, null])
    expect(corsOf(await call('/own-cors', { headers: { origin, authorization } }))).toEqual(['*', null, null])
    expect((await call('/a', { method: 'OPTIONS', headers: { origin, authorization } })).status).toBe(200)
  })
})

const corsOf = ({ headers }: Response) => ['origin', 'methods', 'headers'].map((name) => headers.get(`access-control-allow-${name}`))
