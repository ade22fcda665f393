// Everybody who may not, on every route of both listeners, read from Fastify's own table: a route that is added tomorrow is closed, or is named
// here as open. Then the other way round: what another owner's key and another worker's token get to see of an owner who has everything.
import { mayCall } from '@runyard/core'
import { KEY_SCOPES, type KeyScope } from '@runyard/schema'
import { FIELD_SCOPES, OPERATIONS, ROUTE_SCOPES } from '@runyard/schema/api'
import { createSend, startRedis, type TestRedis } from '@runyard/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startGateway, type TestGateway, type TestWorker } from '../gateway.ts'
import { routesOf, type KnownRoute } from './route-table.ts'

/** In every name, value and line of what the owner has. */
const MARK = 'between-us'
/** Probes, the API document and its page. */
/** An upload's URL is its credential (`artifacts/deploy.test.ts`). */
/** A task is asked with a token of its own (`balancer.test.ts`). */
const OPEN = new Set([
  '/t/:pod/*',
  '/healthz',
  '/readyz',
  '/openapi.json',
  '/assets/*',
  '/docs',
  '/docs/:file',
  '/flash/login',
  '/runyard/v1/session',
  '/runyard/v1/uploads/:upload',
])
/** Of the whole installation, for every holder of a key. */
const SHARED = new Set(['/metrics'])

let redis: TestRedis
let gateway: TestGateway
let worker: TestWorker
let known: Readonly<Record<string, string>>
/** What no key of the owner's is. */
let credentials: readonly (readonly [who: string, headers: Record<string, string>, query: string])[]
let strangersKey: string

beforeAll(async () => {
  redis = await startRedis()
  // As if the whole network could reach it.
  gateway = await startGateway(redis.url, { listen: { host: '0.0.0.0' } })
  const { id } = await gateway.addEndpoint({ name: MARK, templateName: MARK })
  worker = await gateway.addWorker(id)
  const { store, key } = gateway
  const { plain: revoked, key: record } = await store.keys.create({ name: 'revoked', ownerId: 'owner' })
  await store.keys.revoke(record.id)
  strangersKey = (await store.keys.create({ name: 'stranger', ownerId: 'stranger' })).plain
  known = { endpointId: id, id, workerId: worker.id, ...(await fill(id)) }
  credentials = [
    ['no key', {}, ''],
    ['a wrong key', { authorization: 'Bearer rpa_wrong' }, ''],
    ['a revoked key', { authorization: `Bearer ${revoked}` }, ''],
    ['a worker’s token', { authorization: (await gateway.addWorker(id)).token }, ''],
    ['a key cut short', { authorization: `Bearer ${key.slice(0, -1)}` }, ''],
    ['a key in another case', { authorization: `Bearer ${key.toUpperCase()}` }, ''],
    ['a key with something behind it', { authorization: `Bearer ${key} ${key}` }, ''],
    ['a key as a password', { authorization: `Basic ${btoa(`x:${key}`)}` }, ''],
    ['a key in another header', { 'x-api-key': key, cookie: `authorization=${key}` }, ''],
    ['a key in the URL', {}, `?token=${key}&key=${key}&authorization=${key}`],
    ['two keys in the URL', {}, '?api_key=a&api_key=b'],
    ['prototypes', { authorization: '__proto__' }, '?api_key=constructor'],
  ]
})

afterAll(async () => {
  await gateway?.[Symbol.asyncDispose]()
  await redis?.stop()
})

/** Something of everything that an owner may have. */
async function fill(endpointId: string): Promise<Record<string, string>> {
  const { call, store } = gateway
  const post = async (path: string, body: unknown): Promise<string> => String((await call(path, { method: 'POST', body })).json['id'])
  const webhook = `https://example.invalid/${MARK}`
  const ended = await post(`/v2/${endpointId}/run`, { input: MARK, webhook })
  expect((await worker.take())?.id).toBe(ended)
  await worker.done(ended, { error: MARK })
  await post(`/v2/${endpointId}/run`, { input: MARK })
  await post('/v2/templates', { name: MARK, image: MARK, env: { KEY: MARK } })
  await post('/v2/registries', { name: MARK, username: MARK, password: MARK })
  const batchId = await post(`/v2/${endpointId}/batch`, { requests: [{ input: MARK }] })
  await store.workerLogs.append(worker.id, 'container', [{ at: Date.now(), line: MARK }])
  return { jobId: ended, batchId, requestId: ended, eventId: ended }
}

type Listener = keyof TestGateway['apps']

const pathOf = ({ url }: KnownRoute): string => url.replaceAll(/:(\w+)/g, (_, name: string) => known[name] ?? 'x').replace('*', 'x')
const closedRoutes = (listener: Listener): readonly KnownRoute[] =>
  routesOf(gateway.apps[listener]).filter(({ url, method }) => !OPEN.has(url) && method !== 'HEAD')
const isWorkers = ({ url }: KnownRoute): boolean => /\/(?:job-|ping\/)/.test(url)

interface Asked {
  readonly headers?: Record<string, string>
  readonly query?: string
  readonly payload?: unknown
}

/** Parsers reject it, because it is not JSON. */
const UNPARSABLE = '{"input":'

/** Without a socket of its own, since there are a thousand of them. */
async function ask(listener: Listener, route: KnownRoute, asked: Asked): Promise<{ status: number; text: string }> {
  const { headers = {}, query = '', payload = UNPARSABLE } = asked
  const method = route.method as 'GET' | 'POST'
  const body = method === 'GET' ? {} : { payload: payload as string }
  const url = `${pathOf(route)}${query}`
  const answer = await gateway.apps[listener].inject({ method, url, headers: { 'content-type': 'application/json', ...headers }, ...body })
  return { status: answer.statusCode, text: answer.body }
}

/** How many requests got as far as their body meanwhile. */
async function countAdmitted(listener: Listener, work: () => Promise<unknown>): Promise<number> {
  const { admitted } = gateway.apps[listener]
  const before = admitted.count
  await work()
  return admitted.count - before
}

const isGuest = ([, headers, query]: (typeof credentials)[number]): boolean => !('authorization' in headers) && !query.includes('api_key=')

/** Of requests that wait for a worker, a job or a line. */
const HOLDS = /logs|stream|-sync|openai|\/lb\//

const isNamed = ({ url }: KnownRoute): boolean => /:(?:endpointId|workerId|id)\b/.test(url)

async function exceptions<T>(cases: readonly T[], check: (one: T) => Promise<string | undefined>): Promise<readonly string[]> {
  return (await Promise.all(cases.map(check))).filter((complaint) => complaint !== undefined)
}

describe.each(['publicApp', 'workerPlane'] as const)('%s', (listener) => {
  it('refuses on every route who bears no key of its own, before it says anything else', { timeout: 60_000 }, async () => {
    const routes = closedRoutes(listener)
    expect(routes.length).toBeGreaterThan(20)
    expect(routes).toContainEqual({ method: 'POST', url: '/v2/:endpointId/openai/*' })
    // Every method without a key; every path with whatever is no key.
    const [none, ...others] = credentials
    const paths = [...new Map(routes.map((route) => [route.url, route])).values()]
    const cases = [
      ...routes.map((route) => [route, none] as const),
      ...others.flatMap((one) => paths.map((route) => [route, one] as const)),
    ]
    const check = async ([route, credential]: (typeof cases)[number]): Promise<string | undefined> => {
      const [who, headers, query] = credential ?? ['no key', {}, '']
      const { status } = await ask(listener, route, { headers, query })
      // A refused poll is asked to come back later (worker-api §4.2).
      const isRefused = status === 401 || (status === 429 && isWorkers(route))
      return isRefused ? undefined : `${who}: ${route.method} ${route.url} answered ${status}`
    }
    const admitted = await countAdmitted(listener, async () => expect(await exceptions(cases, check)).toEqual([]))
    // Guests of GraphQL may start a login (ADR 68): their body is read, and refused like all others.
    const guests = cases.filter(([route, credential]) => route.url === '/graphql' && credential !== undefined && isGuest(credential))
    expect(admitted).toBe(guests.length)
  })

  it('reads no body of unknown paths, of wrong methods, and of what belongs to another owner', { timeout: 60_000 }, async () => {
    const mine = { authorization: `Bearer ${gateway.key}` }
    const theirs = { authorization: `Bearer ${strangersKey}` }
    // With the unparsable body these do nothing.
    const routes = closedRoutes(listener).filter(({ method }) => ['PUT', 'PATCH', 'DELETE'].includes(method))
    const unknown = ['/nope', '/v2', '/v2/x/nope/1', '/graphql/x'].map((url) => ({ method: 'POST', url }))
    const admitted = await countAdmitted(listener, async () => {
      for (const headers of [{}, mine]) {
        const statuses = await Promise.all(unknown.map(async (route) => (await ask(listener, route, { headers })).status))
        expect(statuses).toEqual(unknown.map(() => 404))
      }
    })
    expect(admitted).toBe(0)
    // A parser would answer 400. What has a body of its own to say about a wrong method says 405 first.
    const check = async (route: KnownRoute): Promise<string | undefined> => {
      const headers = isWorkers(route) ? { authorization: worker.token } : mine
      let status = 0
      const read = await countAdmitted(listener, async () => ({ status } = await ask(listener, route, { headers })))
      return status === 405 && read > 0 ? `${route.method} ${route.url} read a body` : undefined
    }
    const complaints: (string | undefined)[] = []
    for (const route of routes) complaints.push(await check(route))
    expect(complaints.filter((complaint) => complaint !== undefined)).toEqual([])
    const named = closedRoutes(listener).filter((route) => isNamed(route) && route.method !== 'GET')
    expect(named.length).toBeGreaterThan(10)
    const refuse = async (route: KnownRoute): Promise<string | undefined> => {
      const { status } = await ask(listener, route, { headers: theirs })
      return [401, 403, 404, 405].includes(status) || (status === 429 && isWorkers(route))
        ? undefined
        : `${route.method} ${route.url}: ${status}`
    }
    expect(await countAdmitted(listener, async () => expect(await exceptions(named, refuse)).toEqual([]))).toBe(0)
  })

  it('shows a key of another owner nothing of what this one has, and lets it change nothing', { timeout: 60_000 }, async () => {
    const before = await everything()
    const check = async (route: KnownRoute): Promise<string | undefined> => {
      const asked = { headers: { authorization: `Bearer ${strangersKey}` }, payload: { input: 1 } }
      const { status, text } = await ask(listener, route, asked)
      if (status >= 500 || text.includes(MARK) || (isNamed(route) && status < 400)) return `${route.method} ${route.url}: ${status} ${text}`
      return undefined
    }
    const routes = closedRoutes(listener).filter((route) => !SHARED.has(route.url))
    expect(await exceptions(routes, check)).toEqual([])
    expect(await everything()).toEqual(before)
  })
})

async function everything(): Promise<readonly string[]> {
  const { endpointId, workerId, jobId, batchId } = known
  const paths = [
    '/v2/serverless',
    '/v2/templates',
    '/v2/registries',
    '/runyard/v1/webhooks/secrets',
    `/v2/${endpointId}/requests`,
    `/v2/${endpointId}/health`,
    `/v2/${endpointId}/status/${jobId}`,
    `/v2/${endpointId}/batch/${batchId}`,
    // Not that its polls were refused.
    `/hapi/v1/pod/${workerId}/logs?type=container`,
  ]
  return Promise.all(paths.map(async (path) => (await gateway.call(path)).text))
}

describe.each(['publicApp', 'workerPlane'] as const)('scopes of %s', (listener) => {
  const scopedKey = async (scopes: readonly KeyScope[]): Promise<Record<string, string>> => {
    const { plain } = await gateway.store.keys.create({ name: 'scoped', ownerId: 'owner', scopes: [...scopes] })
    return { authorization: `Bearer ${plain}` }
  }
  const neededBy = ({ method, url }: KnownRoute) => ROUTE_SCOPES[`${method} ${url}`]

  it('are decided for every route, and for no other; a route without one refuses every request', { timeout: 60_000 }, async () => {
    const headers = await scopedKey(KEY_SCOPES)
    const undecided = routesOf(gateway.apps[listener]).filter((route) => route.method !== 'HEAD' && neededBy(route) === undefined)
    const check = async (route: KnownRoute): Promise<string | undefined> => {
      const { status } = await ask(listener, route, { headers })
      return [404, 405].includes(status) || isWorkers(route) ? undefined : `${route.method} ${route.url} answered ${status}`
    }
    expect(await exceptions(undecided, check)).toEqual([])
    // Whose answer may be that there is no such thing.
    expect(Object.keys(OPERATIONS).filter((key) => ROUTE_SCOPES[key] === undefined)).toEqual([])
    const served = (['publicApp', 'workerPlane'] as const).flatMap((one) => routesOf(gateway.apps[one]))
    const keys = new Set(served.map(({ method, url }) => `${method} ${url}`))
    expect(Object.keys(ROUTE_SCOPES).filter((key) => !keys.has(key))).toEqual([])
  })

  it('a key without the scope of a route hears which one it needs, before its body is read', { timeout: 60_000 }, async () => {
    const scoped = closedRoutes(listener).filter((route) => typeof neededBy(route) === 'object')
    expect(scoped.length).toBeGreaterThan(20)
    for (const scope of [...KEY_SCOPES, undefined]) {
      const scopes = scope === undefined ? [] : [scope]
      const headers = await scopedKey(scopes)
      const check = async (route: KnownRoute): Promise<string | undefined> => {
        const needed = neededBy(route) ?? 'no key'
        // What it may change, it would.
        if (mayCall({ scopes }, needed) && route.method !== 'GET') return undefined
        if (mayCall({ scopes }, needed) && HOLDS.test(route.url)) return undefined
        const { status, text } = await ask(listener, route, { headers })
        const isRefused = status === 403 && text.includes('this needs an API key with the scope')
        const isExpected = isRefused !== mayCall({ scopes }, needed) && (!isRefused || text.includes(String(needed[0])))
        return isExpected ? undefined : `${scope}: ${route.method} ${route.url} answered ${status} ${text.slice(0, 200)}`
      }
      const refused = scoped.filter((route) => !mayCall({ scopes }, neededBy(route) ?? 'no key'))
      const admitted = await countAdmitted(listener, async () => expect(await exceptions(refused, check)).toEqual([]))
      expect(admitted).toBe(0)
      expect(await exceptions(scoped, check)).toEqual([])
    }
  })
})

describe('scopes of GraphQL', () => {
  const asked = async (scopes: readonly KeyScope[], query: string) => {
    const { plain } = await gateway.store.keys.create({ name: 'scoped', ownerId: 'owner', scopes: [...scopes] })
    const { json } = await createSend(gateway.publicUrl, { authorization: `Bearer ${plain}` })('/graphql', {
      method: 'POST',
      body: { query },
    })
    return json
  }

  it('are of fields that there are; `myself` and its endpoints are for keys that run jobs, changes for `admin`', async () => {
    const types = '{ schema: __schema { types { name fields { name } } } }'
    const { data } = (await gateway.call('/graphql', { method: 'POST', body: { query: types } })).json as {
      data: { schema: { types: readonly { name: string; fields: readonly { name: string }[] | null }[] } }
    }
    const fields = new Set(data.schema.types.flatMap(({ name, fields: own }) => (own ?? []).map((field) => `${name}.${field.name}`)))
    expect(Object.keys(FIELD_SCOPES).filter((field) => !fields.has(field))).toEqual([])
    expect(await asked(['run'], '{ myself { id endpoints { id name } } }')).toMatchObject({ data: { myself: { id: 'owner' } } })
    const refusal = 'forbidden: this needs an API key with the scope "admin"; the key "scoped" has "operate", "view"'
    const answer = await asked(['operate', 'view'], 'mutation { deleteTemplate(templateName: "between-us") }')
    expect(answer).toMatchObject({ errors: [{ message: refusal }] })
    expect(await asked(['view'], '{ podTemplates { name env { key value } } }')).toMatchObject({
      data: { podTemplates: [{ name: MARK, env: [{ key: 'KEY', value: '***' }] }] },
    })
  })
})

describe('what is left of a deleted endpoint', () => {
  it('is its owner’s: usage and logs', async () => {
    const { id } = await gateway.addEndpoint()
    const gone = await gateway.addWorker(id)
    const row = { workerId: gone.id, endpointId: id, gpuType: null, gpuCount: 0 } as const
    await gateway.store.ledger.transition({ ...row, state: 'running', at: Date.now() - 5000 })
    await gateway.store.ledger.close(gone.id, Date.now())
    await gateway.store.workerLogs.append(gone.id, 'container', [{ at: Date.now(), line: MARK }])
    await gateway.call(`/v2/serverless/${id}`, { method: 'DELETE' })
    await gateway.store.workers.remove(id, gone.id, undefined)
    const theirs = createSend(gateway.publicUrl, { authorization: `Bearer ${strangersKey}` })
    const read = async (send: typeof theirs): Promise<readonly string[]> =>
      Promise.all(['/runyard/v1/usage', `/hapi/v1/pod/${gone.id}/logs`].map(async (path) => (await send(path)).text))
    expect(await read(gateway.call)).toEqual([expect.stringContaining(id), expect.stringContaining(MARK)])
    expect(await read(theirs)).toEqual([expect.not.stringContaining(id), expect.stringContaining('no access')])
  })
})

describe('a worker’s token', () => {
  it('opens nothing of another worker, of another endpoint, nor of one whose id is spelt another way', async () => {
    const sibling = await gateway.addWorker(String(known['endpointId']))
    const elsewhere = await gateway.addWorker((await gateway.addEndpoint()).id)
    const others = [sibling, elsewhere].map(({ record }) => `${record.endpointId}/${record.id}`)
    const own = `${worker.record.endpointId}/${worker.id}`
    const spelt = [own.toUpperCase(), own.replace('/', '%2F/'), `x%2F..%2F${own}`, own.replace('/', '/x%2F..%2F')]
    const check = async (address: string): Promise<string | undefined> => {
      const [endpointId = '', workerId = ''] = address.split('/')
      const polls = ['job-take', 'job-take-batch', 'job-stop'].map((name) => worker.send(`/v2/${endpointId}/${name}/${workerId}?gpu=x`))
      const posts = ['job-done', 'job-stream'].map((name) =>
        worker.send(`/v2/${endpointId}/${name}/${workerId}/${known['jobId']}`, { method: 'POST', body: { output: MARK } }),
      )
      const answers = await Promise.all([...polls, ...posts, worker.send(`/v2/${endpointId}/ping/${workerId}`)])
      const statuses = answers.map(({ status }) => status).join()
      return statuses === '429,429,429,401,401,401' ? undefined : `${address}: ${statuses}`
    }
    expect(await exceptions([...others, ...spelt], check)).toEqual([])
  })
})

describe('ids that are names of other keys in Redis', () => {
  it('are not found, and leave the queue as it was', async () => {
    const { endpointId } = known
    const odd = [
      'wait',
      'active',
      'meta',
      'marker',
      'r:workers',
      `w:${worker.id}`,
      `${known['jobId']}:lock`,
      's:1',
      'a/../1',
      '\u0000',
      '😀',
    ]
    const before = await everything()
    for (const id of odd.map(encodeURIComponent)) {
      const answers = await Promise.all([
        ...['status', 'status-sync', 'stream'].map((name) => gateway.call(`/v2/${endpointId}/${name}/${id}`)),
        ...['cancel', 'retry'].map((name) => gateway.call(`/v2/${endpointId}/${name}/${id}`, { method: 'POST' })),
        gateway.call(`/v2/${endpointId}/batch/${id}`),
        worker.done(id, { output: MARK }),
      ])
      expect([id, ...answers.map(({ status }) => status)]).toEqual([id, ...answers.map(() => 404)])
      expect((await worker.ping([decodeURIComponent(id)])).status).toBe(200)
    }
    expect(await everything()).toEqual(before)
  })
})
