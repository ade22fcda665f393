// Every route of both listeners under bad bodies, headers, ids, queries and sizes, over real sockets: no 5xx, no hang, nothing lost.
// On a failure fast-check prints the seed and the smallest request that it found.
import { createSend } from '@runyard/testing'
import { setTimeout as sleep } from 'node:timers/promises'
import * as fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import type { TestGateway, TestWorker } from '../gateway.ts'
import { useGateways } from '../use-gateway.ts'
import { openSocket, sendRaw, type RawAnswer, isServerFault } from './raw-http.ts'
import { oddBodiesTo, requestsTo, toBytes, type FuzzRequest, type GoodValues } from './requests.ts'
import { routesOf, type KnownRoute } from './route-table.ts'

const RUNS_PER_ROUTE = Number(process.env['FUZZ_RUNS'] ?? 12)
/** Of a method that a path refuses whatever comes with it. */
const RUNS_PER_REFUSAL = 3
/** A request that is not answered within this time is held on purpose (a long poll), and its client goes away. */
const PATIENCE_MS = 300
const AT_ONCE = 12

const startGateway = useGateways()
let gateway: TestGateway
let worker: TestWorker
let good: GoodValues
/** Jobs of an endpoint that no fuzzed request names. */
let treasure: { readonly endpointId: string; readonly ids: readonly string[] }

beforeAll(async () => {
  gateway = await startGateway({
    lease: { durationS: 60 },
    limits: { runBytes: 200_000, runsyncBytes: 250_000, resultBytes: 250_000 },
  })
  const { id: endpointId } = await gateway.addEndpoint()
  worker = await gateway.addWorker(endpointId)
  good = { endpointId, id: endpointId, workerId: worker.id, jobId: await gateway.submit(endpointId) }
  const kept = await gateway.addEndpoint()
  treasure = { endpointId: kept.id, ids: await Promise.all(Array.from({ length: 20 }, () => gateway.submit(kept.id))) }
})

/** Deleting is fuzzed on an endpoint of its own. */
async function goodFor(route: KnownRoute): Promise<GoodValues> {
  if (route.method !== 'DELETE') return good
  const { id } = await gateway.addEndpoint()
  return { ...good, id, endpointId: id }
}

describe.each(['public listener', 'worker plane'] as const)('the %s', (name) => {
  const isPublic = name === 'public listener'
  const url = () => (isPublic ? gateway.publicUrl : gateway.workerPlaneUrl)

  it('answers whatever it is sent with a clear word and without a 5xx', { timeout: 300_000 }, async () => {
    const routes = routesOf(isPublic ? gateway.apps.publicApp : gateway.apps.workerPlane)
    expect(routes.length).toBeGreaterThan(20)
    const waiting = [...routes]
    const silent: string[] = []
    const fuzzRoutes = async (): Promise<void> => {
      for (let route = waiting.pop(); route !== undefined; route = waiting.pop()) {
        const answered = await fuzz(route, url())
        if (answered === 0 && !(await answersStrangers(route, url()))) silent.push(`${route.method} ${route.url}`)
      }
    }
    await Promise.all(Array.from({ length: AT_ONCE }, fuzzRoutes))
    expect(silent).toEqual([])
  })
})

/** A route that holds every good request may still not leave others waiting. */
async function answersStrangers(route: KnownRoute, url: string): Promise<boolean> {
  const request = { line: `${route.method} ${route.url} HTTP/1.1`, headers: ['Authorization: wrong'], body: '' }
  return (await sendRaw(url, toBytes(request), 10_000)).status !== undefined
}

/** How many of the requests were answered. */
async function fuzz(route: KnownRoute, url: string): Promise<number> {
  let answered = 0
  const isWorkers = /\/(?:job-|ping\/)/.test(route.url)
  const known = { good: await goodFor(route), authorization: isWorkers ? worker.token : `Bearer ${gateway.key}` }
  const requests = requestsTo(route, known)
  const examples = oddBodiesTo(route, known)
  const [plain] = examples
  const isRefused = route.method === 'HEAD' || (plain !== undefined && (await sendRaw(url, toBytes(plain), PATIENCE_MS)).status === 405)
  await fc.assert(
    fc.asyncProperty(requests, async (request) => {
      const answer = await sendRaw(url, toBytes(request), PATIENCE_MS)
      if (answer.status !== undefined) answered += 1
      expect(faultOf(answer, request), `${request.line}\n${request.headers.join('\n')}\n\n${request.body.slice(0, 200)}`).toBeUndefined()
    }),
    {
      numRuns: isRefused ? RUNS_PER_REFUSAL : examples.length + RUNS_PER_ROUTE,
      examples: isRefused ? [] : examples.map((request) => [request]),
      ...(process.env['FUZZ_SEED'] === undefined ? {} : { seed: Number(process.env['FUZZ_SEED']) }),
    },
  )
  return answered
}

function faultOf(answer: RawAnswer, request: FuzzRequest): string | undefined {
  const { status, head, body } = answer
  if (status === undefined || status === 0) return undefined
  if (isServerFault(answer, request.line)) return `answered ${status}: ${body}`
  const isTold = status >= 400 && !request.line.startsWith('HEAD') && /application\/(?:problem\+)?json/i.test(head)
  if (!isTold) return undefined
  if (!/^\S[^\n]{5,}$/.test(sentenceOf(body))) return `no clear sentence with ${status}: ${body}`
  return /node_modules|at \w+ \(/.test(body) ? `a stack trace: ${body}` : undefined
}

function sentenceOf(body: string): string {
  interface Body {
    readonly error?: string | { readonly message: string }
    readonly detail?: string
    readonly errors?: readonly { readonly message: string }[]
  }
  const { error, detail, errors } = JSON.parse(body) as Body
  return (typeof error === 'object' ? error.message : error) ?? detail ?? errors?.[0]?.message ?? ''
}

describe('afterwards', () => {
  it('nothing is held for clients that have gone', async () => {
    const held = async () =>
      /^runyard_http_held_requests\{holder="caller"\} (\d+)$/m.exec((await createSend(gateway.publicUrl)('/metrics')).text)?.[1]
    await expect.poll(held).toBe('0')
  })

  it('every job that was accepted before is still there and runs', async () => {
    const healthy = await gateway.addWorker(treasure.endpointId)
    for (let taken = 0; taken < treasure.ids.length; taken += 1) {
      const job = await healthy.take()
      await healthy.done(job?.id ?? '', { output: job?.id })
    }
    for (const id of treasure.ids) {
      expect((await gateway.call(`/v2/${treasure.endpointId}/status/${id}`)).json).toMatchObject({ status: 'COMPLETED', output: id })
    }
  })
})

describe('connections that misbehave', () => {
  it('half-open and slow ones do not keep others from being served, and are let go', async () => {
    gateway.apps.publicApp.server.headersTimeout = 500
    const sockets = await Promise.all(Array.from({ length: 50 }, () => openSocket(gateway.publicUrl)))
    for (const [index, socket] of sockets.entries())
      socket.resume().write('POST /v2/x/run HTTP/1.1\r\nHost: slow\r\nX-A: b\r\n'.slice(0, index))
    expect((await createSend(gateway.publicUrl)('/healthz')).status).toBe(200)
    await expect.poll(() => sockets.filter((socket) => !socket.closed && socket.bytesWritten > 0).length, { timeout: 20_000 }).toBe(0)
    for (const socket of sockets) socket.destroy()
  })

  it('pipelined requests are answered in order, also when one of them is bad', async () => {
    const get = (path: string) => `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`
    const socket = await openSocket(gateway.publicUrl)
    let text = ''
    socket.on('data', (chunk: Buffer) => (text += chunk.toString()))
    socket.write(get('/healthz') + get('/nowhere') + get('/healthz'))
    await expect.poll(() => [...text.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status)).toEqual(['200', '404', '200'])
    socket.destroy()
  })

  it('connections that were never used do not keep a gateway from stopping', async () => {
    const other = await startGateway()
    const unused = await openSocket(other.publicUrl)
    await other[Symbol.asyncDispose]()
    await expect.poll(() => unused.closed).toBe(true)
  })

  it('a client that leaves in the middle of its body leaves nothing behind', async () => {
    const socket = await openSocket(gateway.publicUrl)
    socket.write(
      `POST /v2/${treasure.endpointId}/run HTTP/1.1\r\nHost: x\r\nAuthorization: ${gateway.key}\r\nContent-Length: 100\r\n\r\n{"input":`,
    )
    await sleep(50)
    socket.destroy()
    expect((await gateway.call(`/v2/${treasure.endpointId}/health`)).json['jobs']).toMatchObject({ inQueue: 0 })
  })
})
