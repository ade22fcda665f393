import { beforeEach, describe, expect } from 'vitest'
import { it, key as ownKey, opened } from '../../testing/management-test.ts'

const SAVE_ENDPOINT = `mutation saveEndpoint($input: EndpointInput!) { saveEndpoint(input: $input) {
  aiKey gpuIds id idleTimeout locations name networkVolumeId networkVolumeIds { networkVolumeId dataCenterId } flashEnvironmentId
  scalerType scalerValue templateId type userId version workersMax workersMin workersStandby workersPFBTarget gpuCount
  allowedCudaVersions minCudaVersion executionTimeoutMs instanceIds activeBuildid idePodId flashBootType } }`
const SAVE_TEMPLATE = `mutation saveTemplate($input: SaveTemplateInput) { saveTemplate(input: $input) {
  id containerDiskInGb dockerArgs env { key value } imageName name readme } }`
const GET_TEMPLATE = `query getTemplate($id: String!) { podTemplate(id: $id) {
  id containerDiskInGb dockerArgs env { key value } imageName name readme } }`

const DATA_CENTERS = 'EU-CZ-1,EU-RO-1,US-CA-2'

const TEMPLATE = {
  advancedStart: false,
  config: {},
  containerDiskInGb: 64,
  containerRegistryAuthId: '',
  dockerArgs: '',
  env: [{ key: 'RUNPOD_API_KEY', value: 'secret' }],
  imageName: 'runpod/flash:py3.12-latest',
  name: 'LiveServerless_ab__PodTemplate_cd',
  ports: '',
  startScript: '',
}

/** As runpod-flash 1.21 creates a queue endpoint on GPUs (flash-api §3.1). */
const GPU_QUEUE = {
  name: 'live-hello',
  gpuIds: 'ADA_24,AMPERE_24,-NVIDIA L4',
  gpuCount: 1,
  idleTimeout: 60,
  locations: DATA_CENTERS,
  scalerType: 'QUEUE_DELAY',
  scalerValue: 4,
  type: 'QB',
  workersMin: 0,
  workersMax: 1,
  workersPFBTarget: 0,
  allowedCudaVersions: '',
  minCudaVersion: '12.8',
  executionTimeoutMs: 0,
  flashBootType: 'FLASHBOOT',
  template: TEMPLATE,
}

const { gpuIds: _, gpuCount: __, locations: ___, minCudaVersion: ____, ...WITHOUT_GPU } = GPU_QUEUE
const CPU_QUEUE = { ...WITHOUT_GPU, instanceIds: ['cpu3g-2-8'] }
/** A deployed app may have one, whose workers bring their code. */
const OWN_IMAGE = { ...TEMPLATE, imageName: 'mine/app:1' }

let key: string
beforeEach(() => {
  key = ownKey
  return opened.addEnvironment('env1')
})

interface Reply {
  readonly data?: Record<string, Record<string, unknown> | null> | null
  readonly errors?: readonly { readonly message: string }[]
}

async function post(query: string, variables: Record<string, unknown> = {}): Promise<Reply> {
  const response = await opened.app.inject({
    method: 'POST',
    url: '/graphql',
    headers: { authorization: `Bearer ${key}` },
    payload: { query, variables },
  })
  expect(response.headers['content-type']).toContain('application/json')
  return response.json()
}

async function save(input: Record<string, unknown>): Promise<Record<string, unknown> & { id: string; templateId: string }> {
  const reply = await post(SAVE_ENDPOINT, { input })
  expect(reply.errors).toBeUndefined()
  return reply.data?.['saveEndpoint'] as never
}

async function refusal(query: string, variables: Record<string, unknown> = {}): Promise<string> {
  const reply = await post(query, variables)
  return reply.errors?.map((error) => error.message).join('; ') ?? 'accepted'
}

const stored = async (id: string) => {
  const endpoint = await opened.store.endpoints.get(id)
  if (endpoint === undefined) throw new Error(`${id} is not stored`)
  return endpoint
}

describe('saveEndpoint echoes what it was sent (flash-api §5.4)', () => {
  it.each([
    ['a queue on GPUs', GPU_QUEUE],
    ['a queue on CPUs', CPU_QUEUE],
  ])('returns every member of %s byte for byte, empty texts and zeros included', async (_kind, input) => {
    const reply = await save(input)
    const { template: _template, ...sent } = input
    expect(reply).toMatchObject(sent)
    expect(reply.id).toMatch(/^[a-z0-9]{10,14}$/u)
    expect(reply).toMatchObject({ version: 1, userId: 'owner', aiKey: null, activeBuildid: null, idePodId: null })
  })

  it('has null for the hardware members that a CPU endpoint does not send', async () => {
    expect(await save(CPU_QUEUE)).toMatchObject({ locations: null, minCudaVersion: null, gpuIds: null, networkVolumeIds: [] })
  })

  it.each([
    ['gpuIds in the order sent', { gpuIds: 'AMPERE_24,ADA_24' }],
    ['an empty networkVolumeId', { networkVolumeId: '' }],
    ['empty locations', { locations: '' }],
    ['a list of CUDA versions', { allowedCudaVersions: '12.8,12.9' }],
    ['an execution timeout', { executionTimeoutMs: 600_000 }],
    ['another scaler', { scalerType: 'REQUEST_COUNT', scalerValue: 7 }],
    ['an environment id', { flashEnvironmentId: 'env1' }],
    ['a mode', { flashBootType: 'OFF' }],
  ])('echoes %s', async (_what, member) => {
    expect(await save({ ...GPU_QUEUE, template: OWN_IMAGE, ...member })).toMatchObject(member)
  })

  it('never has an errors key in a reply that succeeded', async () => {
    expect(Object.keys(await post(SAVE_ENDPOINT, { input: GPU_QUEUE }))).toEqual(['data'])
    expect(Object.keys(await post('query { myself { endpoints { id name } } }'))).toEqual(['data'])
  })
})

describe('identity by name', () => {
  it('gives the same endpoint back when the same config is created again without an id', async () => {
    const first = await save(GPU_QUEUE)
    const again = await save(GPU_QUEUE)
    expect(again).toEqual(first)
    expect(await opened.store.endpoints.list()).toHaveLength(1)
  })

  it('makes one endpoint of many creates of the same name at once', async () => {
    const saved = await Promise.all(Array.from({ length: 8 }, () => save(GPU_QUEUE)))
    expect(new Set(saved.map((endpoint) => endpoint.id)).size).toBe(1)
    expect(saved.map((endpoint) => endpoint['version'])).toEqual(saved.map(() => 1))
  })

  it('updates the endpoint of that name when another config is created without an id', async () => {
    const first = await save(GPU_QUEUE)
    const again = await save({ ...GPU_QUEUE, template: { ...TEMPLATE, env: [{ key: 'A', value: '1' }] } })
    expect(again).toMatchObject({ id: first.id, templateId: first.templateId, version: 2 })
    expect((await stored(first.id)).spec.env).toEqual({ A: '1' })
  })

  it('keeps the id when the same name moves from GPUs to CPUs', async () => {
    const first = await save(GPU_QUEUE)
    const moved = await save(CPU_QUEUE)
    expect(moved).toMatchObject({ id: first.id, version: 2, gpuIds: null, gpuCount: null, instanceIds: ['cpu3g-2-8'] })
  })

  it('creates another endpoint for a new name, for another environment and for another owner', async () => {
    const ids = [
      await save(GPU_QUEUE),
      await save({ ...GPU_QUEUE, name: 'live-other' }),
      await save({ ...GPU_QUEUE, template: OWN_IMAGE, flashEnvironmentId: 'env1' }),
    ]
    key = await opened.keyOf('other')
    ids.push(await save(GPU_QUEUE))
    expect(new Set(ids.map((endpoint) => endpoint.id)).size).toBe(4)
  })
})

describe('the update sequence of Flash (flash-api §5.5)', () => {
  const update = (endpoint: { id: string; templateId: string }, change: Record<string, unknown>) => {
    const { template: _template, ...rest } = GPU_QUEUE
    return { ...rest, ...change, id: endpoint.id, templateId: endpoint.templateId }
  }
  const writeBack = async (templateId: string, change: Record<string, unknown> = {}) => {
    const live = (await post(GET_TEMPLATE, { id: templateId })).data?.['podTemplate'] as { env: unknown }
    const { imageName, containerDiskInGb, dockerArgs, name } = TEMPLATE
    const input = { id: templateId, name: `${name}2`, imageName, containerDiskInGb, dockerArgs, env: live.env, volumeInGb: 0, ...change }
    return post(SAVE_TEMPLATE, { input })
  }

  it('leaves spec and version alone when only the workers change and the template is written back', async () => {
    const created = await save(GPU_QUEUE)
    const before = await stored(created.id)
    expect(await save(update(created, { workersMax: 5, idleTimeout: 30 }))).toMatchObject({ id: created.id, workersMax: 5, version: 1 })
    expect((await writeBack(created.templateId)).data?.['saveTemplate']).toMatchObject({ id: created.templateId, env: TEMPLATE.env })
    const after = await stored(created.id)
    expect(after).toMatchObject({ version: 1, specHash: before.specHash, settings: { workersMax: 5, idleTimeoutMs: 30_000 } })
    expect(after.templateName).toBe(`${TEMPLATE.name}2`)
  })

  it('bumps the version when the template comes back with another environment', async () => {
    const created = await save(GPU_QUEUE)
    await save(update(created, {}))
    await writeBack(created.templateId, { env: [{ key: 'MODE', value: 'b' }] })
    expect(await stored(created.id)).toMatchObject({ version: 2, spec: { env: { MODE: 'b' } } })
  })

  it.each([
    ['gpuIds', { gpuIds: 'AMPERE_80' }],
    ['gpuCount', { gpuCount: 2 }],
    ['instanceIds', { instanceIds: ['cpu5c-4-8'] }],
    ['the CUDA floor', { minCudaVersion: '12.4' }],
    ['locations', { locations: 'US-CA-2' }],
    ['flashBootType', { flashBootType: 'OFF' }],
  ])('bumps the version when %s changes', async (_what, change) => {
    const created = await save(GPU_QUEUE)
    expect(await save(update(created, change))).toMatchObject({ ...change, version: 2 })
  })

  it.each([
    ['image', { imageName: 'mine:2' }],
    ['disk', { containerDiskInGb: 10 }],
    ['command', { dockerArgs: 'python app.py' }],
  ])('bumps the version when the %s of the template changes', async (_what, change) => {
    const created = await save(GPU_QUEUE)
    await writeBack(created.templateId, change)
    expect((await stored(created.id)).version).toBe(2)
  })

  it('keeps ports and registry, which saveTemplate does not send', async () => {
    const auth = await post('mutation { saveRegistryAuth(input: {name: "mine", username: "me", password: "x"}) { id } }')
    const registryId = auth.data?.['saveRegistryAuth']?.['id']
    const created = await save({ ...GPU_QUEUE, template: { ...TEMPLATE, containerRegistryAuthId: registryId } })
    await writeBack(created.templateId, { ports: '8000/http' })
    await writeBack(created.templateId)
    expect((await stored(created.id)).spec).toMatchObject({ ports: ['8000/http'], registryId })
  })
})

describe('partial and complete saves', () => {
  it('resets workersMax, idleTimeout and scalerValue and keeps the rest when a save by id leaves them out', async () => {
    const created = await save({ ...GPU_QUEUE, workersMin: 1, workersMax: 7, scalerValue: 9 })
    const saved = await save({ id: created.id, name: GPU_QUEUE.name, gpuIds: GPU_QUEUE.gpuIds })
    expect(saved).toMatchObject({ workersMin: 1, workersMax: 3, idleTimeout: 10, scalerValue: 4, version: 1 })
    expect(saved).toMatchObject({ locations: DATA_CENTERS, minCudaVersion: '12.8', flashBootType: 'FLASHBOOT', executionTimeoutMs: 0 })
  })

  it('replaces the whole container and drops absent options when SDK 2.0 saves by id with its template', async () => {
    const created = await save({ ...GPU_QUEUE, template: { ...TEMPLATE, dockerArgs: 'run me' } })
    const { locations: _locations, minCudaVersion: _floor, flashBootType: _mode, ...rest } = GPU_QUEUE
    const template = { name: 'x', imageName: 'runpod/queue:py3.12-latest', containerDiskInGb: 30, dockerArgs: '', env: [] }
    const saved = await save({ ...rest, id: created.id, template, networkVolumeIds: [], volumes: [] })
    expect(saved).toMatchObject({ id: created.id, version: 2, locations: null, minCudaVersion: null, flashBootType: null })
    expect((await stored(created.id)).spec).toMatchObject({ image: 'runpod/queue:py3.12-latest', diskGb: 30, args: '', env: {}, ports: [] })
  })

  it('says what the members of a request have to be', async () => {
    expect(await refusal('{ myself { id } }', 'x' as never)).toContain(
      'variables must be an object that holds each variable under its name',
    )
  })

  it('takes the last of two variables of the same name', async () => {
    const env = [
      { key: 'RUNPOD_API_KEY', value: 'client' },
      { key: 'RUNPOD_API_KEY', value: 'user' },
    ]
    const { id } = await save({ ...GPU_QUEUE, template: { ...TEMPLATE, env } })
    expect((await stored(id)).spec.env).toEqual({ RUNPOD_API_KEY: 'user' })
  })

  it('copies the container when a new endpoint names the template of another', async () => {
    const first = await save(GPU_QUEUE)
    const { template: _template, ...rest } = GPU_QUEUE
    const second = await save({ ...rest, name: 'second', templateId: first.templateId })
    expect(second.templateId).not.toBe(first.templateId)
    expect((await stored(second.id)).spec).toEqual((await stored(first.id)).spec)
  })
})

describe('literals without variables (management §4.1)', () => {
  it.each(['QUEUE_DELAY', '"QUEUE_DELAY"'])('accepts scalerType: %s', async (scaler) => {
    const reply = await post(`mutation { saveEndpoint(input: { name: "literal", gpuIds: "AMPERE_16", networkVolumeId: "", locations: "",
      idleTimeout: 5, scalerType: ${scaler}, scalerValue: 4, workersMin: 0, workersMax: 3, flashBootType: FLASHBOOT, gpuCount: 1,
      template: { name: "t", imageName: "mine:1", dockerArgs: "", env: [{ key: "A", value: "b" }] } }) {
      id name scalerType networkVolumeId locations flashBootType idleTimeout } }`)
    const expected = {
      name: 'literal',
      scalerType: 'QUEUE_DELAY',
      networkVolumeId: '',
      locations: '',
      flashBootType: 'FLASHBOOT',
      idleTimeout: 5,
    }
    expect(reply.data?.['saveEndpoint']).toMatchObject(expected)
  })

  it('reads a trailing -fb of the name as FlashBoot', async () => {
    const { flashBootType: _mode, ...rest } = GPU_QUEUE
    const { id } = await save({ ...rest, name: 'old-fb' })
    expect((await stored(id)).spec.flashboot).toBe('FLASHBOOT')
  })
})

describe('reading and deleting', () => {
  const GET_ENDPOINT = 'query getEndpoint($id: String!) { myself { endpoint(id: $id) { id } } }'

  it('finds an endpoint by id until it is deleted, and not with the key of somebody else', async () => {
    const { id } = await save(GPU_QUEUE)
    expect((await post(GET_ENDPOINT, { id })).data).toEqual({ myself: { endpoint: { id } } })
    const own = key
    key = await opened.keyOf('other')
    expect(await refusal(GET_ENDPOINT, { id })).toBe(`Endpoint "${id}" was not found.`)
    expect(await refusal('mutation deleteEndpoint($id: String!) { deleteEndpoint(id: $id) }', { id })).toContain('was not found')
    key = own
    expect(await post('mutation deleteEndpoint($id: String!) { deleteEndpoint(id: $id) }', { id })).toEqual({
      data: { deleteEndpoint: null },
    })
    expect(await refusal(GET_ENDPOINT, { id })).toBe(`Endpoint "${id}" was not found.`)
  })

  it('says who the key belongs to', async () => {
    expect((await post('query { myself { id } }')).data).toEqual({ myself: { id: 'owner' } })
  })

  it('answers the stock queries of a waiting client', async () => {
    const query = `query ServerlessGpuTypes($lowestPriceInput: GpuLowestPriceInput, $gpuTypesInput: GpuTypeFilter) {
      gpuTypes(input: $gpuTypesInput) { lowestPrice(input: $lowestPriceInput) { stockStatus } } }`
    const variables = {
      gpuTypesInput: { ids: ['ADA_24'] },
      lowestPriceInput: {
        dataCenterId: 'US-CA-2',
        gpuCount: 1,
        secureCloud: true,
        includeAiApi: true,
        allowedCudaVersions: [],
        compliance: [],
      },
    }
    const { id } = await save(GPU_QUEUE)
    expect((await post(query, variables)).data).toEqual({ gpuTypes: [{ lowestPrice: { stockStatus: 'High' } }] })
    await opened.store.status.put(id, { at: Date.now(), throttled: 1, reason: 'no_matching_gpu', message: 'none here', unhealthy: 0 })
    expect((await post(query, variables)).data).toEqual({ gpuTypes: [{ lowestPrice: { stockStatus: null } }] })
    const cpu = `query SecureCpuTypes($cpuFlavorInput: CpuFlavorInput, $specificsInput: SpecificsInput) {
      cpuFlavors(input: $cpuFlavorInput) { specifics(input: $specificsInput) { stockStatus } } }`
    const cpuVariables = { cpuFlavorInput: { id: 'cpu3g' }, specificsInput: { dataCenterId: 'EU-RO-1', instanceId: 'cpu3g-2-8' } }
    expect((await post(cpu, cpuVariables)).data).toEqual({ cpuFlavors: [{ specifics: { stockStatus: 'High' } }] })
  })
})

describe('bad input gets one clear sentence', () => {
  it.each([
    ['a minimum above the maximum', { workersMin: 5 }, 'The minimum of 5 workers is above the maximum of 1.'],
    ['an idle timeout out of range', { idleTimeout: 0 }, 'idleTimeout must be between 1 and 3600 seconds; 0 was given.'],
    ['an unknown pool', { gpuIds: 'NOPE_1' }, 'Invalid GPU Pool ID: "NOPE_1"'],
    ['an unknown scaler', { scalerType: 'MAGIC' }, 'scalerType must be QUEUE_DELAY or REQUEST_COUNT; "MAGIC" was given.'],
    ['an unknown type', { type: 'XX' }, 'The type of an endpoint must be QB or LB; "XX" was given.'],
    [
      'an unknown FlashBoot mode',
      { flashBootType: 'FAST' },
      'flashBootType must be one of OFF, FLASHBOOT, PRIORITY_FLASHBOOT; "FAST" was given.',
    ],
    ['no image', { template: { ...TEMPLATE, imageName: '' } }, 'An endpoint needs a container image (imageName).'],
    ['an empty name', { name: '' }, 'The name of an endpoint must not be empty.'],
    [
      'a negative timeout',
      { executionTimeoutMs: -1 },
      'The execution timeout must be 0 (none) or between 5000 and 604800000 ms (7 days); -1 was given.',
    ],
    ['a timeout that no job can meet', { executionTimeoutMs: 5 }, 'The execution timeout must be 0 (none) or between 5000 and'],
    ['no delay of a queue', { scalerValue: 0 }, 'The scaler value of QUEUE_DELAY must be between 0.5 and 86400 seconds; 0 was given.'],
    ['a bad CPU instance', { instanceIds: ['big'] }, 'Invalid CPU instance id: "big"'],
    ['a bad CUDA version', { minCudaVersion: 'new' }, '"new" is not a CUDA version; they look like 12.8.'],
    ['a disk below zero', { template: { ...TEMPLATE, containerDiskInGb: -3 } }, 'The container disk must be at least 1 GB; -3 was given.'],
    [
      'a bad variable name',
      { template: { ...TEMPLATE, env: [{ key: 'A B', value: '' }] } },
      '"A B" cannot be the name of an environment variable: blanks, "=" and control characters are not allowed.',
    ],
    ['an unbalanced quote', { template: { ...TEMPLATE, dockerArgs: 'sh -c "x' } }, 'never closed'],
    ['template and templateId', { templateId: 'abc' }, 'template and templateId cannot be given together.'],
    ['an unknown environment', { flashEnvironmentId: 'e1' }, 'Environment not found: "e1".'],
    ['global volumes', { volumes: [{ volumeId: 'v' }] }, 'Volume "v" does not exist; create it first, or leave it out.'],
    ['an unknown id', { id: 'nosuchendpoint' }, 'Endpoint "nosuchendpoint" was not found.'],
    ['text for a number', { workersMax: 'many' }, 'A number was expected.'],
    ['half a worker', { workersMax: 1.5 }, 'A whole number was expected.'],
    ['an unknown member', { worker: 1 }, 'Field "worker" is not defined by type "EndpointInput"'],
  ])('refuses %s', async (_what, change, sentence) => {
    expect(await refusal(SAVE_ENDPOINT, { input: { ...GPU_QUEUE, ...change } })).toContain(sentence)
    expect(await opened.store.endpoints.list()).toEqual([])
  })

  it('refuses an operation that it does not know by its name', async () => {
    expect(await refusal('query { myself { flashApplications { id } } }')).toContain(
      'Cannot query field "flashApplications" on type "User".',
    )
  })

  it.each([
    ['what is not JSON', '{"query":'],
    ['a list', '[]', /^A GraphQL request is a JSON object with "query" and "variables"\.$/u],
    ['a body without a query', '{"variables":{}}'],
    ['a syntax error', '{"query":"query {"}'],
    ['a flood of aliases', JSON.stringify({ query: `{ ${[...Array(30_000).keys()].map((n) => `a${n}: myself { id }`).join(' ')} }` })],
    ['an endless value', JSON.stringify({ query: `{ myself(a: ${'['.repeat(50_000)}) { id } }` })],
  ])('answers %s with a message in JSON', async (_what, payload, sentence = /\w+ \w+/u) => {
    const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' }
    const response = await opened.app.inject({ method: 'POST', url: '/graphql', headers, payload })
    expect(response.statusCode).toBeLessThan(500)
    expect(response.json<Reply>().errors?.[0]?.message).toMatch(sentence)
  })
})

describe('credentials', () => {
  const ask = (headers: Record<string, string>, url = '/graphql') =>
    opened.app.inject({ method: 'POST', url, headers, payload: { query: 'query { myself { id } }' } })

  it('accepts a bearer key in any case, a bare key and a key in the URL', async () => {
    const replies = [
      await ask({ authorization: `bearer ${key}` }),
      await ask({ authorization: key }),
      await ask({}, `/graphql?api_key=${key}`),
    ]
    expect(replies.map((reply) => reply.json())).toEqual(replies.map(() => ({ data: { myself: { id: 'owner' } } })))
  })

  it('answers 401 with a message for an unknown key and for none', async () => {
    const replies = [await ask({ authorization: 'Bearer wrong' }), await ask({}), await ask({}, '/graphql?api_key=wrong')]
    expect(replies.map((reply) => reply.statusCode)).toEqual([401, 401, 401])
    expect(replies.map((reply) => Object.keys(reply.json()))).toEqual([['errors'], ['errors'], ['errors']])
  })
})
