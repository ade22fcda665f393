// The OpenAPI document is valid, has every route that the public listener serves, and the replies of all dialects and the job plane are as it says.
import { describeApi, describeOperation } from '@runyard/schema/api'
import { createSend, type Answer } from '@runyard/testing'
import { Validator } from '@seriousme/openapi-schema-validator'
import { Ajv2020 } from 'ajv/dist/2020.js'
import Fastify from 'fastify'
import { beforeAll, describe, expect, it } from 'vitest'
import { open, requireGuards } from '../http/access.ts'
import type { TestGateway, TestWorker } from '../testing/gateway.ts'
import { useGateways } from '../testing/use-gateway.ts'
import { routesOf } from '../testing/fuzz/route-table.ts'
import { followRoutes } from './routes.ts'

type Json = Readonly<Record<string, unknown>>
type Operation = {
  readonly operationId: string
  readonly tags: readonly string[]
  readonly security?: readonly unknown[]
  readonly responses: Readonly<Record<string, { readonly content?: Readonly<Record<string, Content>> }>>
}
interface Content {
  readonly schema: Json
  /** Of server-sent events. */
  readonly 'x-event-data'?: Json
}
interface Document extends Json {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
  readonly components: { readonly schemas: Json }
}

const startGateway = useGateways()
let gateway: TestGateway
let document: Document
beforeAll(async () => {
  gateway = await startGateway()
  document = (await fetchPublic('/openapi.json')).as<Document>()
})
const fetchPublic = (path: string): Promise<Answer> => createSend(gateway.publicUrl)(path)

describe('/openapi.json', () => {
  it('is valid OpenAPI 3.1, without a key, and names each operation once', async () => {
    expect(await new Validator().validate(structuredClone(document))).toMatchObject({ valid: true })
    expect(document['openapi']).toMatch(/^3\.1\./)
    const ids = operationsOf(document).map(({ operation }) => operation.operationId)
    expect(new Set(ids).size).toBe(ids.length)
  })

  it('has every route of the public listener, as Fastify lists them', async () => {
    const served = routesOf(gateway.apps.publicApp)
      .filter(({ method }) => method !== 'HEAD' && method !== 'OPTIONS')
      .map(({ method, url }) => [method.toLowerCase(), url.replaceAll(/:(\w+)/gu, '{$1}').replace(/\/?\*$/u, '/{path}')] as const)
    const missing = served.filter(([method, path]) => document.paths[path]?.[method] === undefined)
    const { id } = await gateway.addEndpoint()
    const answers = await Promise.all(missing.map(([method, path]) => refusalOf(method, path, id)))
    expect(answers.filter((answer) => answer !== undefined)).toEqual([])
    const unserved = operationsOf(document).filter(({ method, path }) => {
      const url = path.replace('{path}', '*').replaceAll(/\{(\w+)\}/gu, ':$1')
      return !gateway.apps.publicApp.hasRoute({ method: method.toUpperCase(), url })
    })
    expect(unserved.map(({ method, path }) => `${method} ${path}`)).toEqual([])
  })

  it('would show a route of tomorrow that has no operation', async () => {
    await using app = Fastify()
    requireGuards(app)
    const keys = followRoutes(app)
    app.get('/healthz', { config: { access: open } }, () => ({}))
    app.get('/v2/volumes', { config: { access: open } }, () => ({}))
    expect(keys.filter((key) => describeOperation(key) === undefined)).toEqual(['GET /v2/volumes'])
  })

  it('says which operations need no key', () => {
    const free = operationsOf(document).filter(({ operation }) => operation.security?.length === 0)
    const paths = [
      '/healthz',
      '/readyz',
      '/t/{pod}/{path}',
      '/openapi.json',
      '/assets/{path}',
      '/docs',
      '/docs/{file}',
      '/flash/login',
      '/runyard/v1/session',
      '/runyard/v1/uploads/{upload}',
    ]
    expect(new Set(free.map(({ path }) => path))).toEqual(new Set(paths))
  })
})

const UNKEPT = /^(?:(?:\/rest)?\/v1\/pods|\/v2\/(?:pods|clusters|registries\/delegations|serverless\/x1\/builds))(?:\/|$)/u

/** Asked of an endpoint that is there: a known path without this method, or a resource of Runpod that Runyard does not have. */
async function refusalOf(method: string, path: string, endpointId: string): Promise<string | undefined> {
  const url = path.replace('{endpointId}', endpointId).replaceAll(/\{\w+\}/gu, 'x1')
  const { status } = await gateway.call(url, { method: method.toUpperCase() })
  return status === 405 || (status === 404 && UNKEPT.test(url)) ? undefined : `${method} ${path} answers ${status}`
}

function operationsOf({ paths }: Document): readonly { path: string; method: string; operation: Operation }[] {
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
  )
}

/** What a browser sends with a request of the page. */
const OF_PAGE = { 'sec-fetch-site': 'same-origin', 'x-runyard': '1' }

describe('replies are as the document says', () => {
  const seen = new Set<string>()
  let ajv: Ajv2020
  let ep: string
  let worker: TestWorker
  beforeAll(async () => {
    ajv = new Ajv2020({ strict: false, validateFormats: false })
    ajv.addSchema({ $id: 'openapi', components: { schemas: closed(document.components.schemas) } })
    ep = (await gateway.addEndpoint()).id
    worker = await gateway.addWorker(ep)
  })

  /** By content type. `key` is the operation's place in the document. */
  function describedAs(key: string, status: number): Readonly<Record<string, Content>> {
    const [method = '', path = ''] = key.split(' ')
    const operation = document.paths[path]?.[method.toLowerCase()]
    if (operation === undefined) throw new Error(`the document has no ${key}`)
    if (status < 300) seen.add(operation.operationId)
    const response = operation.responses[String(status)] ?? operation.responses['default']
    return response?.content ?? {}
  }

  /** How an answer differs from what the document says. */
  function differenceOf(key: string, { status, headers, text, json }: Answer): unknown {
    const contents = describedAs(key, status)
    if (Object.keys(contents).length === 0) return text === '' ? undefined : 'a body'
    const type = headers.get('content-type')?.split(';')[0] ?? 'none'
    const content = contents[type]
    if (content === undefined) return `the content type ${type}`
    const validate = ajv.compile(at(closed(content['x-event-data'] ?? content.schema)) as Json)
    const values = type === 'text/event-stream' ? dataOf(text) : [type === 'text/plain' ? text : json]
    return values.flatMap((value) => (validate(value) ? [] : (validate.errors ?? []))).at(0)
  }

  async function check(key: string, path: string, body?: unknown): Promise<Answer> {
    const init = { method: key.split(' ', 1)[0] ?? '', headers: OF_PAGE, ...(body === undefined ? {} : { body }) }
    const answer = await gateway.call(path, init)
    expect([key, answer.text, differenceOf(key, answer)]).toEqual([key, answer.text, undefined])
    return answer
  }
  const jobs = (path: string) => `/v2/${ep}/${path}`
  const finished = async (input: unknown): Promise<string> => {
    const { json } = await check('POST /v2/{endpointId}/run', jobs('run'), { input })
    await worker.take()
    await worker.done(String(json['id']), { output: { large: 12345678901234567890n.toString() } })
    return String(json['id'])
  }

  it('of jobs', async () => {
    expect.hasAssertions()
    const id = await finished({ a: 1 })
    for (const path of ['status', 'status-sync', 'stream', 'cancel'] as const)
      await check(`${path === 'cancel' ? 'POST' : 'GET'} /v2/{endpointId}/${path}/{jobId}`, jobs(`${path}/${id}`))
    const { json } = await check('POST /v2/{endpointId}/run', jobs('run'), { input: 1 })
    await check('GET /v2/{endpointId}/status/{jobId}', jobs(`status/${json['id']}`))
    await worker.take()
    await check('GET /v2/{endpointId}/status/{jobId}', jobs(`status/${json['id']}`))
    await worker.done(String(json['id']), { error: 'wrong' })
    await check('POST /v2/{endpointId}/retry/{jobId}', jobs(`retry/${json['id']}`))
    await check('POST /v2/{endpointId}/runsync', jobs('runsync?wait=1'), { input: {} })
    await check('GET /v2/{endpointId}/requests', jobs('requests'))
    for (const path of ['health', 'metrics'] as const) await check(`GET /v2/{endpointId}/${path}`, jobs(path))
    await check('POST /v2/{endpointId}/purge-queue', jobs('purge-queue'))
  })

  it('of batches', async () => {
    expect.hasAssertions()
    const { json } = await check('POST /v2/{endpointId}/batch', jobs('batch'), [{ input: 1 }])
    const one = jobs(`batch/${json['id']}`)
    await check('PUT /v2/{endpointId}/batch/{batchId}', one, { name: 'b' })
    await check('POST /v2/{endpointId}/batch/{batchId}/requests', `${one}/requests`, { requests: [{ input: 2 }] })
    const listed = await check('GET /v2/{endpointId}/batch/{batchId}/requests', `${one}/requests`)
    const [first] = listed.json['requests'] as { id: string }[]
    await check('DELETE /v2/{endpointId}/batch/{batchId}/requests/{requestId}', `${one}/requests/${first?.id}`)
    await check('POST /v2/{endpointId}/batch/{batchId}/finalize', `${one}/finalize`)
    await check('GET /v2/{endpointId}/batch/{batchId}', one)
    await check('GET /v2/{endpointId}/batch/{batchId}/requests', `${one}/requests`)
    await check('GET /v2/{endpointId}/batch', jobs('batch'))
    await check('POST /v2/{endpointId}/batch/{batchId}/cancel', `${one}/cancel`)
  })

  it('of REST v2 and of what is ours', async () => {
    expect.hasAssertions()
    const registry = await check('POST /v2/registries', '/v2/registries', { name: 'r', username: 'u', password: 'p' })
    await check('GET /v2/registries', '/v2/registries')
    await check('GET /v2/registries/{id}', `/v2/registries/${registry.json['id']}`)
    await check('PATCH /v2/registries/{id}', `/v2/registries/${registry.json['id']}`, { username: 'u', password: 'q' })
    await check('PUT /runyard/v1/secrets/{name}', '/runyard/v1/secrets/s', { value: 'v' })
    await check('GET /runyard/v1/secrets', '/runyard/v1/secrets')
    await check('DELETE /runyard/v1/secrets/{name}', '/runyard/v1/secrets/s')
    const key = await check('POST /runyard/v1/keys', '/runyard/v1/keys', { name: 'k', scopes: ['run'], limits: { workers: 2 } })
    for (const path of ['', '/current']) await check(`GET /runyard/v1/keys${path}`, `/runyard/v1/keys${path}`)
    await check('PATCH /runyard/v1/keys/{id}', `/runyard/v1/keys/${key.json['id']}`, { limits: { queuedJobs: null } })
    await check('POST /runyard/v1/keys/{id}/rotate', `/runyard/v1/keys/${key.json['id']}/rotate`)
    await check('DELETE /runyard/v1/keys/{id}', `/runyard/v1/keys/${key.json['id']}`)
    const { code } = (await check('POST /runyard/v1/session/codes', '/runyard/v1/session/codes')).json
    await check('POST /runyard/v1/session', '/runyard/v1/session', { code })
    await check('DELETE /runyard/v1/session', '/runyard/v1/session')
    await check('PUT /v2/account/ssh-keys', '/v2/account/ssh-keys', { keys: ['ssh-ed25519 AAAA me'] })
    for (const path of ['/v2/account/ssh-keys', '/v2/pods', '/v2/clusters', '/v2/registries/delegations', '/v2/catalog/templates'] as const)
      await check(`GET ${path}`, path)
    for (const path of ['', '/serverless', '/pods', '/endpoints', '/network-volumes', '/networkvolumes', '/clusters'])
      await check(`GET /v2/billing${path}`, `/v2/billing${path}?lastN=2`)
    const template = await check('POST /v2/templates', '/v2/templates', { name: 't', image: 'x', serverless: true })
    await check('GET /v2/templates', '/v2/templates')
    await check('GET /v2/templates/{id}', `/v2/templates/${template.json['id']}`)
    await check('PATCH /v2/templates/{id}', `/v2/templates/${template.json['id']}`, { readme: 'more' })
    const body = { name: 'e', type: 'QUEUE', scaling: { type: 'QUEUE_DELAY', queueDelay: 4 }, gpu: { pools: ['AMPERE_16'] }, image: 'x' }
    const made = await check('POST /v2/serverless', '/v2/serverless', body)
    await check('POST /v2/serverless', '/v2/serverless', { ...body, name: 'c', gpu: undefined, cpu: [{ id: 'cpu3g', vcpuCount: 2 }] })
    const one = `/v2/serverless/${made.json['id']}`
    await check('GET /v2/serverless', '/v2/serverless')
    await check('GET /v2/serverless/{id}', one)
    await check('PATCH /v2/serverless/{id}', one, { scaling: { type: 'REQUEST_COUNT', requestCount: 2 } })
    await check('GET /v2/serverless/{id}/builds', `${one}/builds`)
    for (const path of ['workers', 'events', 'webhooks'] as const)
      await check(`GET /v2/serverless/{id}/${path}`, `/v2/serverless/${path === 'webhooks' ? made.json['id'] : ep}/${path}`)
    await check('POST /runyard/v1/endpoints/{id}/retry', `/runyard/v1/endpoints/${made.json['id']}/retry`)
    await gateway.call(`/v2/serverless/${made.json['id']}`, { method: 'PATCH', body: { image: 'busybox:2' } })
    await check('GET /v2/serverless/{id}/releases', `/v2/serverless/${made.json['id']}/releases`)
    await check('POST /runyard/v1/endpoints/{id}/rollback', `/runyard/v1/endpoints/${made.json['id']}/rollback`, {})
    for (const path of ['catalog/gpus', 'catalog/gpus?include=AVAILABILITY']) await check('GET /v2/catalog/gpus', `/v2/${path}`)
    await check('GET /v2/catalog/gpus/{id}', '/v2/catalog/gpus/NVIDIA%20L4')
    await check('GET /runyard/v1/explain/{id}', `/runyard/v1/explain/${made.json['id']}`)
    await check('GET /runyard/v1/usage', '/runyard/v1/usage')
    await check('GET /runyard/v1/prices', '/runyard/v1/prices')
    await check('GET /runyard/v1/notices', '/runyard/v1/notices')
    await check('POST /runyard/v1/notices/test', '/runyard/v1/notices/test')
    await check('GET /runyard/v1/standby', '/runyard/v1/standby')
    await check('GET /runyard/v1/config', '/runyard/v1/config')
    const cordon = '/runyard/v1/hosts/h1/cordon'
    await gateway.store.hosts.putRest('h1', { what: 'gpus', count: 1, lastAt: 1, message: 'm' })
    await check('PUT /runyard/v1/hosts/{id}/cordon', cordon, { reason: 'a fan fails', drain: true })
    await check('DELETE /runyard/v1/hosts/{id}/cordon', cordon)
    const [kind, cause] = ['quarantined', 'lost'] as const
    const claim = { kind, since: 1, quarantines: [1], cause, message: 'it is gone', hostId: 'h1' }
    await gateway.store.cards.putClaim({ uuid: 'GPU-7', claimText: '' }, claim)
    await check('GET /runyard/v1/hosts', '/runyard/v1/hosts')
    await check('POST /runyard/v1/hosts/{id}/gpus/{gpu}/release', '/runyard/v1/hosts/h1/gpus/GPU-7/release')
    await check('DELETE /runyard/v1/hosts/{id}', '/runyard/v1/hosts/h1')
    await check('GET /runyard/v1/webhooks/secrets', '/runyard/v1/webhooks/secrets')
    await check('POST /runyard/v1/webhooks/secrets/rotate', '/runyard/v1/webhooks/secrets/rotate')
    await check('GET /hapi/v1/pod/{workerId}/logs', `/hapi/v1/pod/${worker.id}/logs`)
    await check('DELETE /v2/serverless/{id}', one)
    await check('DELETE /v2/templates/{id}', `/v2/templates/${template.json['id']}`)
    await check('DELETE /v2/registries/{id}', `/v2/registries/${registry.json['id']}`)
  })

  it('of volumes and data centers', async () => {
    expect.hasAssertions()
    const made = await check('POST /v2/network-volumes', '/v2/network-volumes', { name: 'v', size: 10, dataCenter: 'EU-RO-1' })
    const one = `/v2/network-volumes/${made.json['id']}`
    await check('GET /v2/network-volumes', '/v2/network-volumes')
    await check('GET /v2/network-volumes/{id}', one)
    await check('PATCH /v2/network-volumes/{id}', one, { size: 20 })
    await check('GET /runyard/v1/volumes', '/runyard/v1/volumes')
    await check('DELETE /v2/network-volumes/{id}', one)
    const global = await check('POST /v2/global-volumes', '/v2/global-volumes', { name: 'g' })
    await check('GET /v2/global-volumes', '/v2/global-volumes')
    await check('DELETE /v2/global-volumes/{id}', `/v2/global-volumes/${global.json['id']}`)
    const old = await check('POST /v1/networkvolumes', '/v1/networkvolumes', { name: 'v', size: 10, dataCenterId: 'EU-RO-1' })
    const oneOld = `/v1/networkvolumes/${old.json['id']}`
    await check('GET /v1/networkvolumes', '/v1/networkvolumes')
    await check('GET /v1/networkvolumes/{id}', oneOld)
    await check('PATCH /v1/networkvolumes/{id}', oneOld, { size: 20 })
    await check('POST /v1/networkvolumes/{id}/update', `${oneOld}/update`, { name: 'w' })
    await check('DELETE /v1/networkvolumes/{id}', oneOld)
    for (const what of ['cpus', 'datacenters'] as const)
      for (const query of ['', '?include=AVAILABILITY']) await check(`GET /v2/catalog/${what}`, `/v2/catalog/${what}${query}`)
    const POD = 'mutation($input: deployCpuPodInput!) { deployCpuPod(input: $input) { id } }'
    const env = [{ key: 'RUNPOD_TASK_TOKEN', value: 't' }]
    const input = { name: 'task', imageName: 'runpod/task', instanceId: 'cpu3c-1-2', env }
    await check('POST /graphql', '/graphql', { query: POD, variables: { input } })
    const [pod] = (await check('GET /v2/pods', '/v2/pods')).json['pods'] as { id: string }[]
    await check('GET /v2/pods/{id}', `/v2/pods/${pod?.id}`)
    // It waits for a worker, and ends with the task.
    const followed = check('GET /v2/pods/{id}/logs', `/v2/pods/${pod?.id}/logs`)
    await check('DELETE /v2/pods/{id}', `/v2/pods/${pod?.id}`)
    await followed
    await check('GET /v2/catalog/cpus/{id}', '/v2/catalog/cpus/cpu3g')
    await check('GET /v2/catalog/datacenters/{id}', '/v2/catalog/datacenters/EU-RO-1')
  })

  it('of what happened', async () => {
    expect.hasAssertions()
    const id = await worker.startJob()
    await worker.done(id, { error: 'no cheese' })
    const failures = async () => (await check('GET /runyard/v1/failures', '/runyard/v1/failures')).json['total']
    await expect.poll(failures, { timeout: 20_000 }).toBeGreaterThan(0)
    await check('GET /runyard/v1/jobs', '/runyard/v1/jobs')
    await check('GET /runyard/v1/jobs/{id}', `/runyard/v1/jobs/${id}`)
    await check('GET /runyard/v1/jobs/{id}/input', `/runyard/v1/jobs/${id}/input`)
    const completed = await worker.startJob()
    await worker.done(completed, { output: 1 })
    await check('GET /runyard/v1/jobs/{id}/output', `/runyard/v1/jobs/${completed}/output`)
    await check('POST /runyard/v1/jobs/bulk', '/runyard/v1/jobs/bulk', { action: 'retry', filter: {}, dryRun: true })
    await check('GET /runyard/v1/workers', '/runyard/v1/workers')
    for (const what of ['pool', 'timeline', 'series', 'logs'] as const) await check(`GET /runyard/v1/${what}`, `/runyard/v1/${what}`)
    await check('GET /runyard/v1/workers/{id}', `/runyard/v1/workers/${worker.id}`)
  })

  it('of REST v1 and GraphQL', async () => {
    expect.hasAssertions()
    const auth = await check('POST /v1/containerregistryauth', '/v1/containerregistryauth', { name: 'v1', username: 'u', password: 'p' })
    await check('GET /v1/pods', '/v1/pods')
    for (const path of ['endpoints', 'pods', 'networkvolumes']) await check(`GET /v1/billing/${path}`, `/v1/billing/${path}`)
    const oneAuth = `/v1/containerregistryauth/${auth.json['id']}`
    const template = await check('POST /v1/templates', '/v1/templates', { name: 'v1', imageName: 'x', isServerless: true })
    const oneTemplate = `/v1/templates/${template.json['id']}`
    await check('PATCH /v1/templates/{id}', oneTemplate, { dockerStartCmd: ['run', 'me'] })
    await check('POST /v1/templates/{id}/update', `${oneTemplate}/update`, { readme: 'more' })
    const made = await check('POST /v1/endpoints', '/v1/endpoints', {
      name: 'v1',
      templateId: template.json['id'],
      gpuTypeIds: ['NVIDIA L4'],
    })
    const one = `/v1/endpoints/${made.json['id']}`
    await check('POST /v1/endpoints', '/v1/endpoints', { name: 'v1-cpu', templateId: template.json['id'], cpuFlavorIds: ['cpu3g'] })
    await check('PATCH /v1/endpoints/{id}', one, { scalerType: 'REQUEST_COUNT', scalerValue: 2, minCudaVersion: '12.4' })
    await check('POST /v1/endpoints/{id}/update', `${one}/update`, { workersMax: 2 })
    await check('GET /v1/endpoints/{id}', `/v1/endpoints/${ep}?includeTemplate=true&includeWorkers=true`)
    for (const path of ['endpoints', 'templates', 'containerregistryauth']) await check(`GET /v1/${path}`, `/v1/${path}`)
    await check('GET /v1/templates', '/v1/templates?includeEndpointBoundTemplates=true')
    await check('GET /v1/templates/{id}', oneTemplate)
    await check('GET /v1/containerregistryauth/{id}', oneAuth)
    expect((await check('POST /v1/endpoints', '/v1/endpoints', { nmae: 'e' })).status).toBe(400)
    await check('DELETE /v1/endpoints/{id}', one)
    expect((await check('DELETE /v1/templates/{id}', oneTemplate)).status).toBe(409)
    await check('DELETE /v1/containerregistryauth/{id}', oneAuth)
    await check('POST /graphql', '/graphql', { query: '{ myself { id endpoints { id template { env { key } } } } }' })
    await check('POST /graphql', '/graphql', { query: '{ nothing }' })
  })

  it('of the log that a reader follows', async () => {
    const gone = await gateway.addWorker(ep)
    await gateway.store.workerLogs.append(gone.id, 'container', [{ at: Date.now(), line: 'ready' }])
    await gateway.store.workers.remove(ep, gone.id, undefined)
    const key = 'GET /v2/serverless/{id}/workers/{workerId}/logs'
    expect(dataOf((await check(key, `/v2/serverless/${ep}/workers/${gone.id}/logs`)).text)).toMatchObject([{ line: 'ready' }])
  })

  describe('of the OpenAI routes', () => {
    const POST = 'POST /v2/{endpointId}/openai/{path}'
    /** An answer, and the job that a worker works on meanwhile. */
    const answered = async (key: string, body: unknown, work: (jobId: string) => Promise<unknown>): Promise<Answer> => {
      const answer = check(key, jobs('openai/v1/x'), body)
      await work(await takeJob())
      return answer
    }
    const takeJob = async (): Promise<string> => (await worker.take())?.id ?? expect.fail('no job came')
    const chunk = (jobId: string, output: unknown) =>
      worker.send(`/v2/${ep}/job-stream/${worker.id}/${jobId}`, { method: 'POST', body: { output } })

    it.each(['GET', 'POST', 'PUT', 'PATCH', 'DELETE'])('a whole one to %s', async (method) => {
      const key = POST.replace('POST', method)
      const body = method === 'GET' || method === 'DELETE' ? undefined : { model: 'm' }
      const value = { object: 'response', error: null }
      expect((await answered(key, body, (id) => worker.done(id, { output: [value] }))).json).toEqual(value)
    })

    it('one of text', async () => {
      const { headers } = await answered(POST.replace('POST', 'GET'), undefined, (id) => worker.done(id, { output: ['# HELP x'] }))
      expect(headers.get('content-type')).toMatch(/^text\/plain/u)
    })

    it.each([
      ['of the worker', { output: [{ error: { message: 'no such model', code: 404 } }] }, 404],
      ['of the handler', { error: 'broken' }, 500],
    ])('a failure %s', async (_whose, result, status) => {
      expect((await answered(POST, {}, (id) => worker.done(id, result))).status).toBe(status)
    })

    it('a body that is none', async () => {
      expect((await check(POST, jobs('openai/v1/x'), [])).status).toBe(400)
    })

    it.each([
      ['that ends', { id: 'chunk', choices: [] }, /^\[DONE\]$/u],
      ['that breaks off', { error: { message: 'out of memory' } }, /^\{"error":.*out of memory/u],
    ])('the events of a stream %s', async (_how, second, last) => {
      const { text } = await answered(POST, { stream: true }, async (id) => {
        await chunk(id, { id: 'chunk', choices: [] })
        await chunk(id, second)
        await worker.done(id, { output: [] })
      })
      expect(dataOf(text)[0]).toEqual({ id: 'chunk', choices: [] })
      expect(linesOf(text).at(-1)).toMatch(last)
    })
  })

  it('of failures', async () => {
    expect((await check('POST /v2/serverless', '/v2/serverless', { nmae: 'e' })).status).toBe(422)
    expect((await check('GET /v2/serverless/{id}', '/v2/serverless/none')).status).toBe(404)
    expect((await check('POST /v2/{endpointId}/run', jobs('run'), { inputs: 1 })).status).toBe(400)
    expect((await check('GET /v2/{endpointId}/status/{jobId}', jobs('status/none-1'))).status).toBe(404)
    expect((await check('GET /v2/{endpointId}/batch/{batchId}', jobs('batch/none-1'))).status).toBe(404)
  })

  it('of every operation, but for the aliases of paths, probes and files', () => {
    // A stream has a test of its own.
    const others = new Set(['redeliverWebhook', 'deleteTemplateV1', 'followLive'])
    // Probes and files, and what servers inside workers answer.
    const FREE = new Set(['service', 'load-balancing'])
    const isAlias = ({ path, operation }: ReturnType<typeof operationsOf>[number]) =>
      path.startsWith('/rest/v1/') || (path.startsWith('/v1/') && operation.tags[0] !== 'rest-v1')
    const plain = operationsOf(document).filter((one) => !isAlias(one) && !FREE.has(one.operation.tags[0] ?? ''))
    const ids = plain.map(({ operation }) => operation.operationId).filter((id) => !id.endsWith('ByPost') && !others.has(id))
    expect(ids.filter((id) => !seen.has(id))).toEqual([])
  })
})

/** The data of server-sent events; comments have none. */
const linesOf = (text: string): readonly string[] => [...text.matchAll(/^data: (.*)$/gmu)].map(([, line = '']) => line)

/** Without OpenAI's mark of the end. */
function dataOf(text: string): readonly unknown[] {
  return linesOf(text)
    .filter((line) => line !== '[DONE]')
    .map((line) => JSON.parse(line) as unknown)
}

/** A reply may have members that the document does not know yet; here, each of them is a gap in the document. */
function closed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(closed)
  if (typeof value !== 'object' || value === null) return value
  const members = Object.fromEntries(Object.entries(value).map(([name, member]) => [name, closed(member)]))
  return 'properties' in members && !('additionalProperties' in members) ? { ...members, additionalProperties: false } : members
}

function at(schema: unknown): unknown {
  return JSON.parse(JSON.stringify(schema).replaceAll('"#/components/', '"openapi#/components/'))
}

describe('/docs', () => {
  it('is a page that loads its script, its style and the document from here alone', async () => {
    const page = await fetchPublic('/docs')
    expect(page.headers.get('content-security-policy')).toContain("default-src 'none'; script-src 'self'")
    const files = [...page.text.matchAll(/(?:src|href)="([^"]+)"/gu)].map(([, file]) => file ?? '')
    expect(files).toEqual(['data:,', '/docs/swagger-ui.css', '/docs/swagger-ui-bundle.js', '/docs/start.js'])
    const types = await Promise.all(files.slice(1).map(async (file) => (await fetchPublic(file)).headers.get('content-type')))
    expect(types).toEqual(['text/css', 'text/javascript', 'text/javascript'].map((type) => `${type}; charset=utf-8`))
    expect((await fetchPublic('/docs/package.json')).status).toBe(404)
  })

  it('shows the version of the document that a program reads', () => {
    expect(describeApi([], '1.2.3')).toMatchObject({ info: { title: 'Runyard', version: '1.2.3' } })
    expect(describeOperation('GET /nowhere')).toBeUndefined()
  })
})
