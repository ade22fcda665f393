// Numbers from the edges in every numeric field, query parameter and header of every route of both listeners, by Fastify's own table, the routes'
// schemas and GraphQL's: no 5xx, and whatever was written meanwhile can be read afterwards in every dialect.
import { createLogger } from '@runyard/kit'
import { Config, WEEK_MS } from '@runyard/schema'
import Fastify from 'fastify'
import { buildSchema, isInputObjectType, isListType, isNonNullType, type GraphQLInputType, type GraphQLObjectType } from 'graphql'
import { beforeAll, describe, expect, it, vi } from 'vitest'
import { z } from 'zod'
import type { TestGateway, TestWorker } from '../gateway.ts'
import { useGateways } from '../use-gateway.ts'
import { TYPE_DEFINITIONS } from '../../management/graphql/type-definitions.ts'
import { registerManagement } from '../../management/index.ts'
import { bodiesWithOneNumber, EDGES, EDGES_IN_QUERY, type Good, type JsonSchema } from './number-edges.ts'
import { sendRaw, isServerFault } from './raw-http.ts'
import { toBytes } from './requests.ts'
import { routesOf, type KnownRoute } from './route-table.ts'

/** Held on purpose: its client goes away. */
const PATIENCE_MS = 400
const AT_ONCE = 12
/** Of those that are read without a schema. */
const QUERY_NAMES = ['wait', 'ttl', 'limit', 'offset', 'batch_size', 'job_progress', 'job_in_progress', 'retry_ping']

const GOOD = {
  name: 'n',
  image: 'x',
  imageName: 'x',
  pools: ['ADA_24'],
  gpu: { pools: ['ADA_24'] },
  cpu: [{ id: 'cpu3g', vcpuCount: 2 }],
  type: 'QUEUE',
  scaling: { type: 'QUEUE_DELAY', queueDelay: 4 },
  path: '/data',
}

const startGateway = useGateways()
let gateway: TestGateway
let worker: TestWorker
let good: Good
let known: Readonly<Record<string, string>>
let schemas: ReadonlyMap<string, { readonly body?: unknown; readonly querystring?: unknown }>

beforeAll(async () => {
  gateway = await startGateway({ lease: { durationS: 60 } })
  const { id } = await gateway.addEndpoint()
  worker = await gateway.addWorker(id)
  const { json: job } = await gateway.call(`/v2/${id}/run`, { method: 'POST', body: { input: 1 } })
  await worker.take()
  await worker.done(String(job['id']), { output: 1 })
  const template = await gateway.call('/v1/templates', { method: 'POST', body: { name: 't', imageName: 'x', isServerless: true } })
  known = { id, endpointId: id, workerId: worker.id, jobId: String(job['id']), templateId: String(template.json['id']) }
  good = { ...GOOD, templateId: known['templateId'] }
  schemas = await schemasOf()
})

/** The table of routes that the app prints has no schemas: the same routes are declared once more, for a listener that hears of them. */
async function schemasOf(): Promise<typeof schemas> {
  const seen = new Map<string, { readonly body?: unknown; readonly querystring?: unknown }>()
  const app = Fastify()
  app.addHook('onRoute', ({ method, url, schema }) => {
    for (const each of [method].flat()) seen.set(`${each} ${url}`, schema ?? {})
  })
  await registerManagement(app, {
    store: gateway.store,
    notices: gateway.notices,
    config: Config.parse({}),
    log: createLogger({ name: 'fuzz', level: 'silent' }),
  })
  await app.close()
  return seen
}

function toJsonSchema(schema: unknown): JsonSchema {
  if (!(schema instanceof z.ZodType)) return {}
  const converted = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' })
  const named = /^#\/\$defs\/(.+)$/u.exec(converted.$ref ?? '')?.[1]
  return (named === undefined ? converted : converted.$defs?.[named]) as JsonSchema
}

interface Sent {
  readonly method: string
  readonly path: string
  readonly headers?: readonly string[]
  readonly body?: string
}

/** What was answered with 5xx. */
async function faultsOf(isPublic: boolean, requests: readonly Sent[]): Promise<readonly string[]> {
  const waiting = [...requests]
  const faults: string[] = []
  const send = async (): Promise<void> => {
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
      const { method, path, headers = [], body = '' } = next
      const authorization = `Authorization: ${isPublic ? `Bearer ${gateway.key}` : worker.token}`
      const bytes = toBytes({
        line: `${method} ${path} HTTP/1.1`,
        headers: [authorization, 'Content-Type: application/json', ...headers],
        body,
      })
      const answer = await sendRaw(isPublic ? gateway.publicUrl : gateway.workerPlaneUrl, bytes, PATIENCE_MS)
      if (isServerFault(answer, path)) faults.push(`${method} ${path} ${headers.join()} ${body}: ${answer.status} ${answer.body}`)
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, send))
  return faults
}

const pathOf = ({ url }: KnownRoute) => url.replaceAll(/:(\w+)/g, (_, name: string) => known[name] ?? 'x')
const routesWithout = (app: TestGateway['apps']['publicApp'], ...methods: readonly string[]) =>
  routesOf(app).filter(({ method }) => !methods.includes(method))

describe.each(['public listener', 'worker plane'] as const)('the %s', (name) => {
  const isPublic = name === 'public listener'
  const routes = () => routesWithout(isPublic ? gateway.apps.publicApp : gateway.apps.workerPlane, 'HEAD', 'OPTIONS', 'DELETE')

  it('answers every number in every query parameter below 500', { timeout: 300_000 }, async () => {
    const named = [...schemas.values()].flatMap(({ querystring }) => Object.keys(toJsonSchema(querystring).properties ?? {}))
    const names = [...new Set([...QUERY_NAMES, ...named])]
    expect(names).toEqual(expect.arrayContaining(['from', 'to', 'tail', 'since', 'limit', 'ttl']))
    const requests = routes().flatMap((route) =>
      // All at once: a route reads one or two of them.
      EDGES_IN_QUERY.flatMap((edge) => {
        const given = schemas.get(`${route.method} ${route.url}`)?.querystring
        const alone = Object.keys(toJsonSchema(given).properties ?? {}).map((each) => `${each}=${edge}`)
        return [names.map((each) => `${each}=${edge}`).join('&'), ...alone].map((query) => ({
          method: route.method,
          path: `${pathOf(route)}?${query}`,
        }))
      }),
    )
    expect(await faultsOf(isPublic, requests)).toEqual([])
  })
})

describe('every number in a body', () => {
  const withEdges = (templates: readonly string[]) => templates.flatMap((body) => EDGES.map((edge) => body.replace('{edge}', edge)))

  it('of a route with a schema is answered below 500', { timeout: 300_000 }, async () => {
    const requests = routesWithout(gateway.apps.publicApp).flatMap((route) => {
      const schema = toJsonSchema(schemas.get(`${route.method} ${route.url}`)?.body)
      const bodies = withEdges(bodiesWithOneNumber(schema, good))
      return bodies.map((body) => ({ method: route.method, path: pathOf(route), body }))
    })
    expect(requests.length).toBeGreaterThan(500)
    expect(await faultsOf(true, requests)).toEqual([])
  })

  it('of a GraphQL input is answered below 500', { timeout: 300_000 }, async () => {
    const graphql = buildSchema(TYPE_DEFINITIONS)
    const operations = [graphql.getQueryType(), graphql.getMutationType()].flatMap((type) => operationsOf(type))
    const input = { ...good, type: 'QB', env: [], template: { name: 't', imageName: 'x' }, gpuIds: 'ADA_24' }
    const requests = operations.flatMap(({ query, schema }) =>
      withEdges(bodiesWithOneNumber(schema, input)).map((variables) => ({
        method: 'POST',
        path: '/graphql',
        body: JSON.stringify({ query, variables: {} }).replace('"variables":{}', `"variables":${variables}`),
      })),
    )
    expect(requests.length).toBeGreaterThan(200)
    expect(await faultsOf(true, requests)).toEqual([])
  })

  it('of a job, its policy, a batch and an OpenAI call is answered below 500', { timeout: 120_000 }, async () => {
    const base = `/v2/${known['endpointId']}`
    const bodies = ['{"input":{edge}}', '{"input":1,"policy":{"ttl":{edge}}}', '{"input":1,"policy":{"executionTimeout":{edge}}}']
    const requests = [
      ...withEdges(bodies).flatMap((body) => ['run', 'runsync?wait=1000'].map((path) => ({ path, body }))),
      ...withEdges([...bodies.map((body) => `[${body}]`), '{"requests":{edge}}']).map((body) => ({ path: 'batch', body })),
      ...withEdges(['{"model":"x","max_tokens":{edge}}']).map((body) => ({ path: 'openai/v1/completions', body })),
    ]
    expect(
      await faultsOf(
        true,
        requests.map(({ path, body }) => ({ method: 'POST', path: `${base}/${path}`, body })),
      ),
    ).toEqual([])
  })
})

interface Operation {
  readonly query: string
  readonly schema: JsonSchema
}

function operationsOf(type: GraphQLObjectType | null | undefined): readonly Operation[] {
  const kind = type?.name === 'Mutation' ? 'mutation' : 'query'
  return Object.values(type?.getFields() ?? {}).map((field) => {
    const variables = field.args.map(({ name, type: of }) => `$${name}: ${of.toString()}`).join()
    const passed = field.args.map(({ name }) => `${name}: $${name}`).join()
    const selection = 'getFields' in unwrap(field.type as GraphQLInputType) ? '{ __typename }' : ''
    const properties = Object.fromEntries(field.args.map(({ name, type: of }) => [name, schemaOf(of)]))
    const call = variables === '' ? field.name : `${field.name}(${passed})`
    return { query: `${kind}${variables === '' ? '' : `(${variables})`} { ${call} ${selection} }`, schema: { properties } }
  })
}

function unwrap(type: GraphQLInputType): GraphQLInputType {
  return isNonNullType(type) || isListType(type) ? unwrap(type.ofType) : type
}

function schemaOf(type: GraphQLInputType): JsonSchema {
  if (isNonNullType(type)) return schemaOf(type.ofType)
  if (isListType(type)) return { items: schemaOf(type.ofType) }
  if (!isInputObjectType(type)) return { type: ['Whole', 'Decimal', 'Int', 'Float', 'JSON'].includes(type.name) ? 'number' : 'string' }
  const fields = Object.values(type.getFields())
  return {
    properties: Object.fromEntries(fields.map((field) => [field.name, schemaOf(field.type)])),
    required: ['name', 'gpuIds', 'template', 'imageName'].filter((name) => fields.some((field) => field.name === name)),
  }
}

describe('what a worker sends', () => {
  it('with any number in its header of times, and in its result, is answered below 500', { timeout: 120_000 }, async () => {
    const { id: endpointId } = await gateway.addEndpoint()
    const other = await gateway.addWorker(endpointId)
    const base = `/v2/${endpointId}`
    for (const edge of EDGES) {
      const { json } = await gateway.call(`${base}/run`, { method: 'POST', body: { input: 1 } })
      const id = String(json['id'])
      await other.take()
      const headers = { 'x-runyard-timings': `{"enteredAt":${edge},"returnedAt":${edge}}`.replaceAll('…', '?') }
      const answers = [
        await other.send(`${base}/job-stream/${other.id}/${id}?isStream=true`, { method: 'POST', body: `{"output":${edge}}`, headers }),
        await other.done(id, `{"output":${edge}}`, headers),
        await gateway.call(`${base}/status/${id}`),
      ]
      expect(answers.map(({ status }) => status)).toEqual([200, 200, 200])
    }
    const events = async () => (await gateway.call(`/v2/serverless/${endpointId}/events?limit=1000`)).json['events'] as { at: number }[]
    await expect.poll(async () => (await events()).length).toBeGreaterThan(2 * EDGES.length)
    const isSane = ({ at }: { at: number }): boolean => at > Date.now() - 8 * 24 * 3600 * 1000 && at <= Date.now()
    expect((await events()).filter((event) => !isSane(event))).toEqual([])
  })

  it('about itself is cut', async () => {
    const long = 'x'.repeat(6000)
    await worker.ping([], `&status=unhealthy&check=${long}&reason=${long}&runpod_version=${long}`)
    const record = await gateway.store.workers.get(worker.record.endpointId, worker.id)
    expect(record?.unhealthyReason).toMatch(/^x{1024}… \(\d+ characters more\)$/)
  })
})

describe('afterwards', () => {
  it('everything that was written can be read in every dialect', { timeout: 120_000 }, async () => {
    const { json } = await gateway.call('/v2/serverless')
    const saved = (json['endpoints'] as readonly { id: string }[]).map(({ id }) => id)
    const lists = [
      '/v2/templates',
      '/v2/registries',
      '/v1/endpoints?includeTemplate=true&includeWorkers=true',
      '/runyard/v1/usage',
      '/metrics',
    ]
    const bound = '/v1/templates?includeEndpointBoundTemplates=true'
    const each = saved.flatMap((id) => [
      ...['', '/workers', '/events', '/webhooks'].map((path) => `/v2/serverless/${id}${path}`),
      ...['health', 'requests', 'metrics', 'batch'].map((path) => `/v2/${id}/${path}`),
    ])
    for (const path of [...lists, bound, ...each]) expect([path, (await gateway.call(path)).status]).toEqual([path, 200])
    const query =
      '{ myself { endpoints { id gpuCount scalerValue idleTimeout workersMax template { id volumeInGb } } } podTemplates { id } }'
    const answer = await gateway.call('/graphql', { method: 'POST', body: { query } })
    expect(answer.json).not.toHaveProperty('errors')
  })

  it('no result is kept longer than a week, whatever ?ttl= says', async () => {
    const { id: endpointId } = await gateway.addEndpoint()
    const other = await gateway.addWorker(endpointId)
    const { json: job } = await gateway.call(`/v2/${endpointId}/run`, { method: 'POST', body: { input: 1 } })
    const path = `/v2/${endpointId}/status/${String(job['id'])}`
    await other.take()
    await other.done(String(job['id']), { output: 1 })
    const keep = vi.spyOn(gateway.store.jobs, 'setRetention')
    for (const ttl of ['9e15', '1e300', '1e999', '8640000000000001']) {
      expect(await gateway.call(`${path}?ttl=${ttl}`)).toMatchObject({ status: 200, json: { status: 'COMPLETED' } })
    }
    expect(keep.mock.calls.map(([, , ms]) => ms)).toEqual([WEEK_MS, WEEK_MS, WEEK_MS, WEEK_MS])
  })
})
