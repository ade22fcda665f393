import { toJson, type LedgerRow } from '@runyard/schema'
import { workerRecord } from '@runyard/testing/records'
import { beforeEach, describe, expect } from 'vitest'
import { registerNestedManagement } from '../index.ts'
import { openTestApp, QUEUE_BODY } from '../../testing/management-app.ts'
import { it, key as ownKey, opened, redisUrl } from '../../testing/management-test.ts'

let key: string
beforeEach(() => void (key = ownKey))

const QUEUE = { ...QUEUE_BODY, name: 'hello', image: 'mine/worker:1' }

type Method = 'GET' | 'POST' | 'PATCH' | 'DELETE'

async function call(method: Method, url: string, payload?: unknown, more: Readonly<Record<string, string>> = {}) {
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json', ...more }
  const body = payload === undefined ? {} : { payload: JSON.stringify(payload) }
  const response = await opened.app.inject({ method, url, headers, ...body })
  const json = response.body === '' ? undefined : response.json<Record<string, unknown> & { id: string }>()
  return { status: response.statusCode, type: response.headers['content-type'], json }
}

async function create(change: Record<string, unknown> = {}): Promise<string> {
  const { status, json } = await call('POST', '/v2/serverless', { ...QUEUE, ...change })
  expect(status).toBe(201)
  return json?.id ?? ''
}

async function stored(id: string) {
  const endpoint = await opened.store.endpoints.get(id)
  if (endpoint === undefined) throw new Error(`${id} is not stored`)
  return endpoint
}

describe('endpoints over REST v2 (management §3.2)', () => {
  it('creates an endpoint with the documented defaults and replies with its whole shape', async () => {
    const { status, json } = await call('POST', '/v2/serverless', QUEUE)
    expect(status).toBe(201)
    expect(Object.keys(json ?? {})).not.toEqual(expect.arrayContaining(['disk', 'cpu']))
    expect(json).toMatchObject({
      ...QUEUE,
      args: '',
      ports: [],
      env: {},
      registry: null,
      gpu: { pools: ['ADA_24'], excludedTypes: [], count: 1, allowedCudaVersions: [], minCudaVersion: null },
      workers: { min: 0, max: 3, idleTimeout: 10 },
      dataCenterIds: [],
      networkVolumes: [],
      timeout: 0,
      flashboot: 'OFF',
    })
    expect(json?.['requestUrls']).toMatchObject({ runSync: `http://localhost:80/v2/${json?.id}/runsync` })
    expect((await call('GET', `/v2/serverless/${json?.id}`)).json).toEqual(json)
  })

  it('updates the endpoint of the same name and answers 200', async () => {
    const id = await create()
    expect(await call('POST', '/v2/serverless', { ...QUEUE, image: 'mine/worker:2' })).toMatchObject({ status: 200, json: { id } })
    expect(await stored(id)).toMatchObject({ version: 2 })
  })

  it('refuses a name that is taken where the caller wants a new endpoint', async () => {
    const asNew = { 'if-none-match': '*' }
    const { json } = await call('POST', '/v2/serverless', QUEUE, asNew)
    const again = await call('POST', '/v2/serverless', { ...QUEUE, image: 'mine/worker:2' }, asNew)
    expect(again).toMatchObject({ status: 409, json: { detail: `There is an endpoint "${QUEUE.name}" already.` } })
    expect(await stored(json?.id ?? '')).toMatchObject({ version: 1 })
  })

  it('an endpoint counts for the key that created it, also after another key has saved it', async () => {
    const id = await create()
    const { keyId } = await stored(id)
    expect((await opened.store.keys.list()).map((known) => known.id)).toContain(keyId)
    key = (await opened.store.keys.create({ name: 'second', ownerId: 'owner' })).plain
    expect(await call('POST', '/v2/serverless', { ...QUEUE, image: 'mine/worker:2' })).toMatchObject({ status: 200, json: { id } })
    expect(await stored(id)).toMatchObject({ keyId, savedBy: expect.stringContaining('"second"') as string })
  })

  it('lists the endpoints of the key’s owner only, in one page', async () => {
    const id = await create()
    const { json } = await call('GET', '/v2/serverless')
    expect(json).toMatchObject({ endpoints: [{ id, name: 'hello' }], pagination: { hasNextPage: false, nextCursor: null } })
    key = await opened.keyOf('other')
    expect((await call('GET', '/v2/serverless')).json).toMatchObject({ endpoints: [] })
    expect((await call('GET', `/v2/serverless/${id}`)).status).toBe(404)
  })

  it('applies workers, scaling and timeout in place', async () => {
    const id = await create()
    const change = { workers: { max: 7 }, scaling: { type: 'QUEUE_DELAY', queueDelay: 1.5 }, timeout: 60_000, priority: 3 }
    expect(await call('PATCH', `/v2/serverless/${id}`, change)).toMatchObject({
      status: 200,
      json: { ...change, workers: { min: 0, max: 7, idleTimeout: 10 } },
    })
    expect((await stored(id)).version).toBe(1)
  })

  it('replaces the environment and bumps the version', async () => {
    const id = await create({ env: { A: '1', B: '2' } })
    expect(await call('PATCH', `/v2/serverless/${id}`, { env: { A: '3' } })).toMatchObject({ json: { env: { A: '3' } } })
    expect((await stored(id)).version).toBe(2)
  })

  it('clears exclusions when pools come without them, and the CUDA floor by an empty text', async () => {
    const gpu = { pools: ['AMPERE_24'], excludedTypes: ['NVIDIA L4'], minCudaVersion: '12.8' }
    const id = await create({ gpu })
    expect((await call('PATCH', `/v2/serverless/${id}`, { gpu: { count: 2 } })).json).toMatchObject({ gpu: { ...gpu, count: 2 } })
    const { json } = await call('PATCH', `/v2/serverless/${id}`, { gpu: { pools: ['ADA_24'], minCudaVersion: '' } })
    expect(json?.['gpu']).toEqual({ pools: ['ADA_24'], excludedTypes: [], count: 2, allowedCudaVersions: [], minCudaVersion: null })
  })

  it('knows the memory of a CPU flavor', async () => {
    const { gpu: _gpu, ...rest } = QUEUE
    const { json } = await call('POST', '/v2/serverless', {
      ...rest,
      cpu: [
        { id: 'cpu3g', vcpuCount: 2 },
        { id: 'cpu5c', vcpuCount: 4 },
      ],
    })
    expect(json).toMatchObject({
      gpu: null,
      cpu: [
        { id: 'cpu3g', vcpuCount: 2, memory: 8 },
        { id: 'cpu5c', vcpuCount: 4, memory: 8 },
      ],
    })
  })

  it('takes `any` for every pool, and back what it replied of a CPU', async () => {
    const id = await create({ gpu: { pools: ['any'] } })
    expect((await stored(id)).spec.gpu?.pools).toContain('HOPPER_141')
    const cpu = [{ id: 'cpu3g', vcpuCount: 4, memory: 6 }]
    const { json } = await call('POST', '/v2/serverless', { ...QUEUE, name: 'small', gpu: undefined, cpu })
    expect(json).toMatchObject({ cpu })
    expect((await call('PATCH', `/v2/serverless/${json?.id}`, { cpu: json?.['cpu'] })).json).toEqual(json)
    expect((await stored(json?.id ?? '')).version).toBe(1)
  })

  it('takes a boolean for flashboot, as Terraform sends it', async () => {
    const id = await create({ flashboot: true })
    expect((await stored(id)).spec.flashboot).toBe('FLASHBOOT')
  })

  it('merges the environment of a template with the body’s and lets the body win', async () => {
    const source = await stored(await create({ name: 'source', env: { A: '1', B: '2' }, args: 'run' }))
    const { image: _image, ...rest } = QUEUE
    const { json } = await call('POST', '/v2/serverless', { ...rest, templateId: source.templateId, env: { B: '3' } })
    expect(json).toMatchObject({ image: 'mine/worker:1', args: 'run', env: { A: '1', B: '3' } })
  })

  it('forgets what a GraphQL client sent once REST has changed it', async () => {
    const input = { name: 'both', gpuIds: 'ADA_24', locations: 'US-CA-2', flashBootType: 'FLASHBOOT', template: { imageName: 'x' } }
    const fields = 'id locations flashBootType gpuIds workersMax'
    const mutation = `mutation ($input: EndpointInput!) { saveEndpoint(input: $input) { ${fields} } }`
    const { json } = await call('POST', '/graphql', { query: mutation, variables: { input } })
    const { id } = (json as unknown as { data: { saveEndpoint: { id: string } } }).data.saveEndpoint
    await call('PATCH', `/v2/serverless/${id}`, { dataCenterIds: [], flashboot: 'OFF', gpu: { pools: ['AMPERE_80'] }, workers: { max: 9 } })
    const { json: read } = await call('POST', '/graphql', { query: `{ myself { endpoint(id: "${id}") { ${fields} } } }` })
    const endpoint = { id, locations: null, flashBootType: null, gpuIds: 'AMPERE_80', workersMax: 9 }
    expect(read).toEqual({ data: { myself: { endpoint } } })
  })

  it('deletes with 204 and an empty body, even when the bodiless request calls itself JSON, and then answers 404', async () => {
    const id = await create()
    expect(await call('DELETE', `/v2/serverless/${id}`)).toMatchObject({ status: 204, json: undefined })
    expect((await call('DELETE', `/v2/serverless/${id}`)).status).toBe(404)
    expect((await call('GET', '/v2/serverless')).json).toMatchObject({ endpoints: [] })
  })
})

describe('explanations', () => {
  const explain = (word: string) => call('GET', `/runyard/v1/explain/${word}`)
  const gpu = { uuid: 'GPU-1', name: 'NVIDIA GeForce RTX 4090', memoryBytes: 24e9, simulated: false, healthy: true }
  const capabilities = { runsImages: true, isolates: true, gpuChoice: 'uuid', remembersExits: true } as const

  it('name each host and GPU with its reason, for an endpoint and for a job', async () => {
    const [asking, holding] = [await create(), await create({ name: 'other', workers: { min: 1 } })]
    const { uuid, name, simulated } = gpu
    await opened.store.workers.create(workerRecord('w1', { endpointId: holding, hostId: 'h1', gpus: [{ uuid, name, simulated }] }))
    const inventory = {
      hostId: 'h1',
      kind: 'docker' as const,
      capabilities,
      cpuCount: 8,
      memoryBytes: 32e9,
      gpus: [gpu],
      cudaVersion: '12.8',
    }
    const sight = { health: 'ready' as const, label: 'box', kind: 'docker' as const, at: Date.now(), claims: { 'GPU-1': 'w1' }, inventory }
    await opened.store.hosts.putSight('h1', sight)
    await opened.store.jobs.submit(asking, { id: 'j1', input: toJson({}), sync: false, policy: {}, keyId: 'key' })
    const verdict = { host: 'box', refusal: { reason: 'too_few_gpus' }, gpus: [{ uuid: 'GPU-1', refusal: { reason: 'held' } }] }
    const expected = { endpoint: { id: asking }, reason: 'no_worker_yet', waiting: 1, priority: 1, hosts: [verdict] }
    expect((await explain(asking)).json).toMatchObject(expected)
    expect((await explain(QUEUE.name)).json).toMatchObject(expected)
    expect((await explain('j1')).json).toMatchObject({ ...expected, job: { id: 'j1', status: 'IN_QUEUE' } })
    expect((await explain('j1')).json?.['changes']).toContain('lower the minimum of "other"')
    expect(await explain('nothing')).toMatchObject({ status: 404 })
    await opened.store.workers.create(workerRecord('w2', { endpointId: asking, hostId: 'h1' }))
    await opened.store.workerLogs.append('w2', 'system', [{ at: 2, line: 'model org/large: 1.2 of 4.1 GB' }])
    expect((await explain('j1')).json).toMatchObject({
      reason: 'worker_starting',
      message: expect.stringMatching(/ \(model org\/large: 1\.2 of 4\.1 GB\)$/u),
    })
  })
})

describe('problems (RFC 9457)', () => {
  it.each([
    [
      'an unknown member',
      { ...QUEUE, colour: 'red' },
      { status: 422, detail: 'There is no member "colour" in the body; it takes name, type, ' },
    ],
    [
      'an unknown member inside',
      { ...QUEUE, workers: { most: 1 } },
      { status: 422, detail: 'There is no member "most" in "workers"; it takes min, max, idleTimeout.' },
    ],
    ['a missing type', { ...QUEUE, type: undefined }, { status: 422, detail: '"type" is missing: it must be QUEUE or LOAD_BALANCER.' }],
    [
      'a delay below half a second',
      { ...QUEUE, scaling: { type: 'QUEUE_DELAY', queueDelay: 0.1 } },
      { status: 422, detail: '"scaling.queueDelay" must be at least 0.5, not 0.1.' },
    ],
    ['a priority below 1', { ...QUEUE, priority: 0 }, { status: 422, detail: '"priority" must be ' }],
    ['neither gpu nor cpu', { ...QUEUE, gpu: undefined }, { status: 422, detail: 'An endpoint has exactly one of "gpu" and "cpu".' }],
    [
      'a minimum above the maximum',
      { ...QUEUE, workers: { min: 4 } },
      { status: 400, detail: 'The minimum of 4 workers is above the maximum of 3.' },
    ],
    ['an unknown pool', { ...QUEUE, gpu: { pools: ['NOPE'] } }, { status: 400, detail: 'Invalid GPU Pool ID: "NOPE"' }],
    [
      'an odd number of vCPUs',
      { ...QUEUE, gpu: undefined, cpu: [{ id: 'cpu3g', vcpuCount: 3 }] },
      { status: 422, detail: 'must be a power of 2' },
    ],
    [
      'a floor beside a list of CUDA versions',
      { ...QUEUE, gpu: { pools: ['ADA_24'], minCudaVersion: '12.8', allowedCudaVersions: ['12.9'] } },
      { status: 400, detail: 'exclude each other' },
    ],
    [
      'an idle timeout with REQUEST_COUNT',
      { ...QUEUE, scaling: { type: 'REQUEST_COUNT', requestCount: 1 }, workers: { idleTimeout: 5 } },
      { status: 422, detail: 'does not apply' },
    ],
    ['no image', { ...QUEUE, image: undefined }, { status: 400, detail: 'An endpoint needs a container image (imageName).' }],
    ['an unknown type', { ...QUEUE, type: 'LB' }, { status: 422, detail: 'must be QUEUE or LOAD_BALANCER' }],
    [
      'a name that would change a prototype',
      { ...QUEUE, env: JSON.parse('{"__proto__":"x"}') },
      { status: 400, detail: 'the name "__proto__"' },
    ],
    ['an unknown template', { ...QUEUE, templateId: 'nope' }, { status: 404, detail: 'Template "nope" was not found.' }],
  ])('refuses %s', async (_what, body, { status, detail }) => {
    const reply = await call('POST', '/v2/serverless', body)
    expect(reply).toMatchObject({
      status,
      type: expect.stringContaining('application/problem+json'),
      json: { status, title: expect.any(String) },
    })
    expect(reply.json?.['detail']).toContain(detail)
    expect(await opened.store.endpoints.list()).toEqual([])
  })

  it.each([
    ['its type', { type: 'LOAD_BALANCER' }, 'There is no member "type" in the body'],
    ['GPUs for CPUs', { cpu: [{ id: 'cpu3g', vcpuCount: 2 }] }, 'cannot change between GPU and CPU'],
    ['exclusions without pools', { gpu: { excludedTypes: ['NVIDIA L4'] } }, 'together with gpu.pools only'],
  ])('refuses to change %s', async (_what, change, detail) => {
    const { status, json } = await call('PATCH', `/v2/serverless/${await create()}`, change)
    expect(status).toBe(422)
    expect(json?.['detail']).toContain(detail)
  })

  it('asks for the key before it looks at anything else', async () => {
    const response = await opened.app.inject({ method: 'POST', url: '/v2/serverless', payload: { nonsense: true } })
    expect(response.statusCode).toBe(401)
    expect(response.json()).toMatchObject({ title: 'Unauthorized', status: 401 })
  })

  it.each([
    ['JSON', Buffer.from('{"name":')],
    ['UTF-8', Buffer.from('{"name":"caf\u00e9"}', 'latin1')],
  ])('answers a body that is not %s with 400', async (_what, payload) => {
    const headers = { authorization: key, 'content-type': 'application/json' }
    const response = await opened.app.inject({ method: 'POST', url: '/v2/serverless', headers, payload })
    expect(response.statusCode).toBe(400)
    expect(response.headers['content-type']).toContain('application/problem+json')
  })
})

const WORKER = workerRecord('starting1', {
  image: 'mine/worker:1',
  gpus: [{ uuid: 'GPU-1', name: 'NVIDIA GeForce RTX 4090', simulated: false }],
})

describe('workers and events', () => {
  it('lists workers with a summary whose parts sum to their number, throttled ones included', async () => {
    const id = await create()
    const { specHash } = await stored(id)
    const record = { ...WORKER, endpointId: id, specHash }
    const ready = { ...record, containerStartedAt: 2_000, readyAt: 3_000 }
    const gpus = (uuid: string) => WORKER.gpus.map((gpu) => ({ ...gpu, uuid }))
    await opened.store.workers.create({ ...record, id: 'starting1' })
    await opened.store.workers.create({ ...ready, id: 'idleidle1', gpus: gpus('GPU-2') })
    await opened.store.workers.create({ ...ready, id: 'busybusy1', gpus: gpus('GPU-3'), specHash: 'old' })
    await opened.store.jobs.submit(id, { id: 'job1', input: toJson({}), sync: false, policy: {}, keyId: 'k' })
    await opened.store.jobs.take(id, 'busybusy1')
    await opened.store.status.put(id, { at: 1, throttled: 2, reason: 'gpus_busy', message: 'all in use', unhealthy: 0 })
    const { json } = await call('GET', `/v2/serverless/${id}/workers`)
    expect(json).toMatchObject({
      summary: { running: 1, idle: 1, initializing: 1, throttled: 2, unhealthy: 0, total: 5 },
      endpointVersion: 1,
      pagination: { hasNextPage: false },
    })
    const workers = json?.['workers'] as readonly { id: string }[]
    expect(workers).toHaveLength(5)
    expect(workers.find((worker) => worker.id === 'busybusy1')).toMatchObject({
      status: 'RUNNING',
      isStale: true,
      gpuCount: 1,
      gpuTypeId: 'NVIDIA GeForce RTX 4090',
      startedAt: '1970-01-01T00:00:02.000Z',
    })
  })

  it('says of a worker that it is draining', async () => {
    const id = await create()
    const times = { containerStartedAt: 2000, readyAt: 3000, drainingSince: 4000 }
    await opened.store.workers.create({ ...WORKER, ...times, id: 'drains001', endpointId: id, specHash: 'x' })
    const { json } = await call('GET', `/v2/serverless/${id}/workers`)
    expect(json?.['workers']).toEqual([expect.objectContaining({ id: 'drains001', status: 'IDLE', isDraining: true })])
  })

  it('says of workers that are not there why, and when a start is tried again', async () => {
    const id = await create()
    const why = { reason: 'backing_off', message: 'it crashed', nextTryAt: Date.parse('2026-11-01T10:00:00Z') }
    await opened.store.status.put(id, { at: 1, throttled: 0, unhealthy: 1, ...why })
    const { json } = await call('GET', `/v2/serverless/${id}/workers`)
    expect(json?.['workers']).toEqual([
      expect.objectContaining({ status: 'UNHEALTHY', message: 'it crashed', nextTryAt: '2026-11-01T10:00:00.000Z' }),
    ])
  })

  it('takes the wish for a new try, which changes nothing of the endpoint', async () => {
    const id = await create()
    const before = await stored(id)
    const { status, json } = await call('POST', `/runyard/v1/endpoints/${id}/retry`)
    expect([status, json]).toEqual([200, { id, name: before.name, retriedAt: expect.stringMatching(/Z$/u) }])
    expect(await stored(id)).toEqual({ ...before, retriedAt: expect.any(Number) })
    expect(await opened.store.events.list(id, 10)).toEqual([expect.objectContaining({ kind: 'endpoint_retried' })])
    key = await opened.keyOf('other')
    expect((await call('POST', `/runyard/v1/endpoints/${id}/retry`)).status).toBe(404)
  })

  it('returns the newest events of an endpoint, oldest first', async () => {
    const id = await create()
    for (const at of [1, 2, 3]) await opened.store.events.append({ at, endpointId: id, kind: 'job_queued', jobId: `job${at}` })
    const { json } = await call('GET', `/v2/serverless/${id}/events?limit=2`)
    expect(json?.['events']).toEqual([2, 3].map((at) => ({ at, endpointId: id, kind: 'job_queued', jobId: `job${at}` })))
    expect((await call('GET', `/v2/serverless/${id}/events?limit=0`)).status).toBe(422)
  })

  it('is not found for an endpoint of somebody else', async () => {
    const id = await create()
    key = await opened.keyOf('other')
    const urls = ['workers', 'events', 'workers/w1/logs'].map((path) => `/v2/serverless/${id}/${path}`)
    expect(await Promise.all(urls.map(async (url) => (await call('GET', url)).status))).toEqual([404, 404, 404])
  })
})

describe('usage', () => {
  it('sums the ledger per endpoint, GPU type and state and says what is billed', async () => {
    const id = await create()
    const row: Omit<LedgerRow, 'from' | 'to' | 'state'> = { workerId: 'w1', endpointId: id, gpuType: 'NVIDIA L4', gpuCount: 2 }
    const at = Date.parse('2026-11-01T00:00:00Z')
    await opened.store.ledger.transition({ ...row, state: 'initializing', at })
    await opened.store.ledger.transition({ ...row, state: 'running', at: at + 1500 })
    await opened.store.ledger.close('w1', at + 11_500)
    const { json } = await call('GET', '/runyard/v1/usage?from=2026-11-01T00:00:00Z&to=2026-11-02T00:00:00Z')
    const line = { endpointId: id, endpointName: 'hello', gpuType: 'NVIDIA L4' }
    expect(json).toEqual({
      from: '2026-11-01T00:00:00.000Z',
      to: '2026-11-02T00:00:00.000Z',
      by: ['endpoint', 'gpu', 'state'],
      currency: 'USD',
      usage: [
        { ...line, state: 'initializing', seconds: 2, billableSeconds: 2, gpuSeconds: 4, cost: 0 },
        { ...line, state: 'running', seconds: 10, billableSeconds: 10, gpuSeconds: 20, cost: 0 },
      ],
      total: { seconds: 12, billableSeconds: 12, gpuSeconds: 24, cost: 0 },
    })
    key = await opened.keyOf('other')
    expect((await call('GET', '/runyard/v1/usage?from=2026-11-01T00:00:00Z')).json).toMatchObject({ usage: [] })
  })

  it('returns the same after old intervals were added up by day, also for endpoints that were deleted since', async () => {
    const { ledger } = opened.store
    const [id, gone] = [await create(), await create({ name: 'gone' })]
    const day = Date.parse('2026-01-05T00:00:00Z')
    for (const [index, endpointId] of [id, gone, id].entries()) {
      const row = { workerId: `old${index}`, endpointId, gpuType: null, gpuCount: 0 }
      await ledger.transition({ ...row, state: 'initializing', at: day - 700 })
      await ledger.transition({ ...row, state: 'running', at: day + 1500 })
      await ledger.close(row.workerId, day + 12_200)
    }
    await call('DELETE', `/v2/serverless/${gone}`)
    const usage = async (query: string) => (await call('GET', `/runyard/v1/usage?${query}`)).json
    const queries = ['from=2026-01-05T00:00:00Z&to=2026-01-06T00:00:00Z', 'from=2026-01-01T00:00:00Z&to=2026-02-01T00:00:00Z']
    const before = await Promise.all(queries.map(usage))
    expect(before[1]?.['usage']).toHaveLength(4)
    expect(await ledger.tidy(day + 40 * 86_400_000, 30 * 86_400_000)).toMatchObject({ rolledUp: 6 })
    const after = await Promise.all(queries.map(usage))
    type Line = { endpointId: string | null; state: string; seconds: number; isDeleted?: boolean }
    const linesOf = (answer: Record<string, unknown> | undefined) => (answer?.['usage'] ?? []) as Line[]
    const sums = (answer: Record<string, unknown> | undefined) => {
      return linesOf(answer)
        .map(({ state, seconds, isDeleted = false }) => `${isDeleted} ${state} ${seconds}`)
        .toSorted()
    }
    expect(after.map(sums)).toEqual(before.map(sums))
    expect(linesOf(before[1])).toContainEqual(expect.objectContaining({ endpointId: gone, endpointName: 'gone', isDeleted: true }))
    expect(linesOf(after[1]).map(({ endpointId }) => endpointId)).toContain(null)
    expect(await usage('from=2026-01-05T13:00:00Z&to=2026-01-05T14:00:00Z')).toMatchObject({
      from: '2026-01-05T00:00:00.000Z',
      to: '2026-01-06T00:00:00.000Z',
    })
  })

  it.each(['from=yesterday', 'from=2026-11-02T00:00:00Z&to=2026-11-01T00:00:00Z'])('refuses %s', async (query) => {
    expect((await call('GET', `/runyard/v1/usage?${query}`)).status).toBeGreaterThanOrEqual(400)
  })
})

describe('the worker plane', () => {
  it('serves the list of endpoints to API keys, and no management', async () => {
    await using nested = await openTestApp(redisUrl, registerNestedManagement)
    const headers = { authorization: `Bearer ${await nested.keyOf('owner')}` }
    const list = await nested.app.inject({ method: 'GET', url: '/v2/serverless', headers })
    expect(list.json()).toEqual({ endpoints: [], pagination: { hasNextPage: false, nextCursor: null } })
    const refused = await nested.app.inject({ method: 'POST', url: '/v2/serverless', headers, payload: QUEUE })
    const graphql = await nested.app.inject({ method: 'POST', url: '/graphql', headers, payload: { query: '{ myself { id } }' } })
    expect([refused.statusCode, graphql.statusCode]).toEqual([404, 404])
    expect((await nested.app.inject({ method: 'GET', url: '/v2/serverless' })).statusCode).toBe(401)
  })
})
