// REST v1: endpoints, templates and registry credentials in the exact shapes of management §2.1, §2.2, §2.4.
import { workerRecord } from '@runyard/testing/records'
import { describe, expect } from 'vitest'
import type { TestUser } from '../../testing/management-app.ts'
import { it, opened, user } from '../../testing/management-test.ts'

const TEMPLATE = {
  name: 'shared',
  imageName: 'mine/worker:1',
  isServerless: true,
  containerDiskInGb: 10,
  dockerStartCmd: ['python', '-u', '/my handler.py', "it's"],
  env: { MODE: 'a' },
  ports: ['8000/http'],
  readme: '# mine',
}

type Method = Parameters<TestUser['rest']>[0]

async function ok(method: Method, path: string, body?: unknown): Promise<Record<string, unknown>> {
  const { status, json } = await user.rest(method, path, body)
  expect({ status, json }).toMatchObject({ status: 200 })
  return json
}

const makeTemplate = async (change: Record<string, unknown> = {}) =>
  String((await ok('POST', '/v1/templates', { ...TEMPLATE, ...change }))['id'])
const makeEndpoint = async (change: Record<string, unknown> = {}) => {
  const templateId = change['templateId'] ?? (await makeTemplate())
  return ok('POST', '/v1/endpoints', { name: 'one', templateId, ...change })
}

async function stored(id: unknown) {
  const endpoint = await opened.store.endpoints.get(String(id))
  if (endpoint === undefined) throw new Error(`${String(id)} is not stored`)
  return endpoint
}

describe('templates of REST v1', () => {
  it('are made, read, listed, changed and deleted', async () => {
    const made = await ok('POST', '/v1/templates', TEMPLATE)
    const whole = {
      id: expect.any(String) as string,
      ...TEMPLATE,
      isPublic: false,
      isRunpod: false,
      category: 'NVIDIA',
      dockerEntrypoint: [],
      volumeInGb: 0,
      volumeMountPath: '',
      earned: 0,
      runtimeInMin: 0,
    }
    expect(made).toEqual(whole)
    const path = `/v1/templates/${String(made['id'])}`
    expect(await ok('GET', path)).toEqual(whole)
    expect(await ok('GET', '/v1/templates')).toEqual([whole])
    expect(await ok('PATCH', path, { env: { MODE: 'b' } })).toEqual({ ...whole, env: { MODE: 'b' } })
    expect(await ok('POST', `${path}/update`, { dockerStartCmd: [] })).toMatchObject({ dockerStartCmd: [], env: { MODE: 'b' } })
    expect(await user.rest('DELETE', path)).toEqual({ status: 204, json: {} })
    expect((await user.rest('GET', path)).status).toBe(404)
  })

  it('have Runpod’s defaults', async () => {
    expect(await ok('POST', '/v1/templates', { name: 'pod', imageName: 'x' })).toMatchObject({
      isServerless: false,
      containerDiskInGb: 50,
      ports: ['8888/http', '22/tcp'],
      volumeInGb: 20,
      volumeMountPath: '/workspace',
    })
  })

  it('pass their command to workers word by word', async () => {
    const { id } = await makeEndpoint()
    expect((await user.rest('GET', `/v2/serverless/${String(id)}`)).json).toMatchObject({
      args: String.raw`python -u '/my handler.py' 'it'\''s'`,
    })
  })

  it('show both lists of a start command in JSON, as GraphQL and REST v2 take it', async () => {
    const args = '{ "cmd": ["echo foo && /start.sh"], "entrypoint": ["bash", "-c"] }'
    const made = await user.rest('POST', '/v2/templates', { name: 'json', image: 'x', serverless: true, args })
    expect(made.json).toMatchObject({ args })
    const shown = { dockerEntrypoint: ['bash', '-c'], dockerStartCmd: ['echo foo && /start.sh'] }
    expect(await ok('GET', `/v1/templates/${String(made.json['id'])}`)).toMatchObject(shown)
  })

  it('pass their entrypoint to workers, which follow each change of it and no other', async () => {
    const templateId = await makeTemplate({ dockerEntrypoint: ['sh', '-c'] })
    const { id } = await makeEndpoint({ templateId })
    const change = async (dockerEntrypoint: readonly string[]) => {
      expect(await ok('PATCH', `/v1/templates/${templateId}`, { dockerEntrypoint })).toMatchObject({ dockerEntrypoint })
      const { spec, version } = await stored(id)
      return [spec.entrypoint, version]
    }
    expect(await change(['sh', '-c'])).toEqual([['sh', '-c'], 1])
    expect(await change(['bash'])).toEqual([['bash'], 2])
    expect(await change([])).toEqual([[], 3])
  })

  it('that live in an endpoint are listed where they are asked for', async () => {
    const save = 'mutation { saveEndpoint(input: {name: "e", gpuIds: "ADA_24", template: {name: "own", imageName: "x"}}) { templateId } }'
    const { saveEndpoint } = (await user.graphql(save)) as { saveEndpoint: { templateId: string } }
    expect(await ok('GET', '/v1/templates')).toEqual([])
    const list = await ok('GET', '/v1/templates?includeEndpointBoundTemplates=true&includePublicTemplates=true')
    expect(list).toMatchObject([{ id: saveEndpoint.templateId, name: 'own', imageName: 'x', isServerless: true }])
  })

  it.each([
    ['no name', { imageName: 'x' }, '"name" '],
    ['no image', { name: 'x' }, '"imageName" '],
    ['an unknown member', { name: 'x', imageName: 'y', colour: 'red' }, 'There is no member "colour" in the body'],
    ['a command that is no list', { name: 'x', imageName: 'y', dockerStartCmd: 'python' }, '"dockerStartCmd" '],
    ['an entrypoint that is no list', { name: 'x', imageName: 'y', dockerEntrypoint: 'sh' }, '"dockerEntrypoint" '],
    ['a bad port', { name: 'x', imageName: 'y', ports: ['8000'] }, '"8000" is not a port; they look like 8888/http or 22/tcp.'],
    ['a variable that is no text', { name: 'x', imageName: 'y', env: { A: 1 } }, '"env.A" must be text, not a number.'],
    ['half a GB', { name: 'x', imageName: 'y', containerDiskInGb: 0.5 }, '"containerDiskInGb" '],
    ['a volume for workers', { name: 'x', imageName: 'y', isServerless: true, volumeInGb: 5 }, 'no volume of its own'],
    ['unknown credentials', { name: 'x', imageName: 'y', containerRegistryAuthId: 'nope' }, 'Registry credentials "nope" were not found'],
    ['another category', { name: 'x', imageName: 'y', category: 'TPU' }, '"category" '],
    ['a list', [], 'body'],
  ])('with %s are refused with 400 and one sentence', async (_what, body, sentence) => {
    const refused = await user.rest('POST', '/v1/templates', body)
    expect(refused.status).toBe(400)
    expect(refused.json).toEqual({ status: 400, error: expect.stringContaining(sentence), message: refused.json['error'] })
    expect(await opened.store.resources.templates.list()).toEqual([])
  })

  it('stay what they are for: serverless is not changed', async () => {
    const id = await makeTemplate()
    expect(await user.rest('PATCH', `/v1/templates/${id}`, { isServerless: false })).toMatchObject({ status: 400 })
  })
})

describe('endpoints of REST v1', () => {
  it('are made of a template, with Runpod’s defaults', async () => {
    const templateId = await makeTemplate()
    const { id, gpuTypeIds, ...made } = await ok('POST', '/v1/endpoints', { name: 'one', templateId })
    expect(made).toEqual({
      name: 'one',
      templateId,
      userId: 'owner',
      version: 1,
      createdAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
      computeType: 'GPU',
      gpuCount: 1,
      instanceIds: [],
      allowedCudaVersions: [],
      dataCenterIds: [],
      networkVolumeIds: [],
      env: { MODE: 'a' },
      workersMin: 0,
      workersMax: 3,
      idleTimeout: 5,
      scalerType: 'QUEUE_DELAY',
      scalerValue: 4,
      executionTimeoutMs: 0,
    })
    expect(gpuTypeIds).toContain('NVIDIA H200')
    expect(await stored(id)).toMatchObject({ sharedTemplateId: templateId, spec: { image: 'mine/worker:1' } })
  })

  it('keep and echo everything that is named', async () => {
    const given = {
      gpuTypeIds: ['NVIDIA L4', 'NVIDIA GeForce RTX 4090'],
      gpuCount: 2,
      allowedCudaVersions: ['12.8', '12.9'],
      minCudaVersion: '12.8',
      dataCenterIds: ['EU-RO-1'],
      workersMin: 1,
      workersMax: 7,
      idleTimeout: 60,
      scalerType: 'REQUEST_COUNT',
      scalerValue: 2,
      executionTimeoutMs: 600_000,
    }
    const made = await makeEndpoint({ ...given, flashboot: true })
    expect(made).toMatchObject(given)
    expect(made).not.toHaveProperty('flashboot')
    expect((await stored(made['id'])).spec).toMatchObject({ flashboot: 'FLASHBOOT', gpu: { pools: given.gpuTypeIds } })
    expect(await ok('GET', `/v1/endpoints/${String(made['id'])}`)).toEqual(made)
    expect(await ok('GET', '/v1/endpoints')).toEqual([made])
  })

  it('run on CPUs, by flavors and their number of vCPUs', async () => {
    const made = await makeEndpoint({ computeType: 'CPU', cpuFlavorIds: ['cpu5c', 'cpu3g'], vcpuCount: 4 })
    expect(made).toMatchObject({ computeType: 'CPU', instanceIds: ['cpu5c-4-8', 'cpu3g-4-16'], gpuTypeIds: [], gpuCount: 0 })
    const path = `/v1/endpoints/${String(made['id'])}`
    expect(await ok('PATCH', path, { vcpuCount: 2 })).toMatchObject({ instanceIds: ['cpu5c-2-4', 'cpu3g-2-8'] })
    expect(await ok('PATCH', path, { cpuFlavorIds: ['cpu3c'] })).toMatchObject({ instanceIds: ['cpu3c-2-4'], version: 3 })
    const plain = await makeEndpoint({ name: 'two', computeType: 'CPU', templateId: made['templateId'] })
    expect(plain['instanceIds']).toEqual(['cpu3c-2-4', 'cpu3g-2-8', 'cpu5c-2-4', 'cpu5g-2-8'])
  })

  it.each(['PATCH', 'POST'] as const)('change what %s names and nothing else', async (method) => {
    const made = await makeEndpoint({ gpuTypeIds: ['NVIDIA L4'], minCudaVersion: '12.8', scalerValue: 9, flashboot: true })
    const path = `/v1/endpoints/${String(made['id'])}${method === 'POST' ? '/update' : ''}`
    expect(await ok(method, path, { workersMin: 0, workersMax: 0 })).toEqual({ ...made, workersMin: 0, workersMax: 0 })
    expect(await ok(method, path, { workersMax: 3, scalerType: 'REQUEST_COUNT' })).toMatchObject({
      scalerType: 'REQUEST_COUNT',
      scalerValue: 4,
    })
    expect(await ok(method, path, { scalerValue: 2 })).toMatchObject({ scalerType: 'REQUEST_COUNT', scalerValue: 2, version: 1 })
    const { minCudaVersion: _floor, ...cleared } = made
    const last = { scalerType: 'REQUEST_COUNT', scalerValue: 2, gpuTypeIds: ['NVIDIA L4'], version: 2 }
    expect(await ok(method, path, { minCudaVersion: '' })).toEqual({ ...cleared, ...last })
    expect((await stored(made['id'])).spec.flashboot).toBe('FLASHBOOT')
  })

  it('follow their template, and another one after it was given to them', async () => {
    const [first, second] = [await makeTemplate(), await makeTemplate({ name: 'second', imageName: 'mine/worker:2' })]
    const { id } = await makeEndpoint({ templateId: first })
    await ok('PATCH', `/v1/templates/${first}`, { env: { MODE: 'b' } })
    expect(await ok('GET', `/v1/endpoints/${String(id)}`)).toMatchObject({ version: 2, env: { MODE: 'b' } })
    expect(await ok('PATCH', `/v1/endpoints/${String(id)}`, { templateId: second })).toMatchObject({ templateId: second, version: 3 })
    await ok('PATCH', `/v1/templates/${second}`, { imageName: 'mine/worker:3' })
    expect(await stored(id)).toMatchObject({ version: 4, spec: { image: 'mine/worker:3' } })
    expect(await user.rest('DELETE', `/v1/templates/${second}`)).toMatchObject({
      status: 409,
      json: { error: 'Template "second" is used by the endpoint "one"; delete them or give them another template first.' },
    })
  })

  it('show their template and their workers where they are asked for, and no secret of a worker', async () => {
    const { id, templateId } = await makeEndpoint()
    const { specHash } = await stored(id)
    const gpus = [{ uuid: 'GPU-1', name: 'NVIDIA L4', simulated: false }]
    const facts = { endpointId: String(id), specHash, image: 'mine/worker:1', gpus, containerStartedAt: 2000 }
    await opened.store.workers.create(workerRecord('worker0001', facts))
    const [shown] = Object.values(await ok('GET', '/v1/endpoints?includeTemplate=true&includeWorkers=true'))
    expect(shown).toMatchObject({
      template: { id: templateId, imageName: 'mine/worker:1' },
      workers: [
        {
          id: 'worker0001',
          desiredStatus: 'RUNNING',
          endpointId: id,
          slsVersion: 1,
          env: {},
          gpu: { id: 'NVIDIA L4', count: 1 },
          lastStartedAt: '1970-01-01T00:00:02.000Z',
        },
      ],
    })
  })

  it('get a name where none is given, and are updated where one is taken', async () => {
    const templateId = await makeTemplate()
    const named = await ok('POST', '/v1/endpoints', { templateId })
    expect(named['name']).toMatch(/^endpoint-\w{8}$/)
    const one = await makeEndpoint({ templateId, workersMax: 7, gpuTypeIds: ['NVIDIA L4'] })
    expect(await makeEndpoint({ templateId })).toMatchObject({ id: one['id'], workersMax: 3, gpuTypeIds: named['gpuTypeIds'] })
  })

  it('that others made have their cards listed by type', async () => {
    const save =
      'mutation { saveEndpoint(input: {name: "e", gpuIds: "AMPERE_24,-NVIDIA L4", template: {name: "t", imageName: "x"}}) { id } }'
    await user.graphql(save)
    expect(await ok('GET', '/v1/endpoints')).toMatchObject([{ gpuTypeIds: ['NVIDIA RTX A5000', 'NVIDIA GeForce RTX 3090'] }])
  })

  it('are deleted with 204, also under the other prefix, and then are not found', async () => {
    const { id } = await makeEndpoint()
    const path = `/rest/v1/endpoints/${String(id)}`
    expect(await ok('GET', path)).toMatchObject({ id })
    expect(await user.rest('DELETE', path)).toEqual({ status: 204, json: {} })
    for (const method of ['GET', 'DELETE'] as const) {
      expect(await user.rest(method, path)).toMatchObject({
        status: 404,
        json: { error: expect.stringContaining('was not found'), status: 404 },
      })
    }
  })

  it.each([
    ['no template', { templateId: undefined }, '"templateId" '],
    ['an unknown member', { colour: 'red' }, 'There is no member "colour" in the body'],
    ['a flavor for GPUs', { computeType: 'GPU', cpuFlavorIds: ['cpu3g'] }, 'This is a GPU endpoint'],
    ['cards for CPUs', { computeType: 'CPU', gpuTypeIds: ['NVIDIA L4'] }, 'This is a CPU endpoint'],
    ['an unknown card', { gpuTypeIds: ['NOPE'] }, 'Invalid GPU Pool ID: "NOPE"'],
    ['an exclusion', { gpuTypeIds: ['-NVIDIA L4'] }, 'must be a GPU type'],
    ['no card', { gpuCount: 0 }, '"gpuCount" '],
    ['a flavor that is none', { cpuFlavorIds: ['big'] }, 'must be a CPU flavor such as cpu3g'],
    ['half a worker', { workersMax: 0.5 }, '"workersMax" '],
    ['a minimum above the maximum', { workersMin: 4 }, 'The minimum of 4 workers is above the maximum of 3.'],
    ['an idle timeout of nothing', { idleTimeout: 0 }, '"idleTimeout" '],
    ['an idle timeout of hours', { idleTimeout: 3601 }, '"idleTimeout" '],
    ['another scaler', { scalerType: 'MAGIC' }, '"scalerType" '],
    ['a scaler value of nothing', { scalerValue: 0 }, '"scalerValue" '],
    ['a CUDA version that is none', { minCudaVersion: 'new' }, '"new" is not a CUDA version'],
    ['weeks for one job', { executionTimeoutMs: 8 * 24 * 3_600_000 }, '0 (none) or between 5000 and 604800000 ms'],
    ['a long name', { name: 'x'.repeat(192) }, 'at most 191 characters'],
    ['a name of another kind', { name: 7 }, '"name" '],
  ])('with %s are refused with 400 and one sentence', async (_what, change, sentence) => {
    const body = { name: 'one', templateId: await makeTemplate(), ...change }
    const refused = await user.rest('POST', '/v1/endpoints', body)
    expect(refused).toMatchObject({ status: 400, json: { error: expect.stringContaining(sentence), status: 400 } })
    expect(await opened.store.endpoints.list()).toEqual([])
  })

  it('take the count of the other family, whose default Terraform sends', async () => {
    const gpu = await makeEndpoint({ computeType: 'GPU', gpuCount: 1, vcpuCount: 2 })
    const cpu = await makeEndpoint({ computeType: 'CPU', gpuCount: 1, vcpuCount: 4 })
    expect([gpu['computeType'], cpu['computeType'], cpu['instanceIds']]).toEqual(['GPU', 'CPU', expect.arrayContaining(['cpu3c-4-8'])])
    for (const { id } of [gpu, cpu]) await ok('PATCH', `/v1/endpoints/${String(id)}`, { gpuCount: 1, vcpuCount: 4, workersMax: 2 })
  })

  it.each([
    ['the kind of hardware', { computeType: 'CPU' }, 'There is no member "computeType" in the body'],
    ['GPUs for CPUs', { cpuFlavorIds: ['cpu3g'] }, 'This is a GPU endpoint'],
  ])('never change %s', async (_what, change, sentence) => {
    const { id } = await makeEndpoint()
    const refused = await user.rest('PATCH', `/v1/endpoints/${String(id)}`, change)
    expect(refused).toMatchObject({ status: 400, json: { error: expect.stringContaining(sentence) } })
  })

  it('are not made of an unknown template (404), nor of one for pods (400), nor seen by anybody else', async () => {
    expect((await user.rest('POST', '/v1/endpoints', { templateId: 'nope' })).status).toBe(404)
    const pod = await ok('POST', '/v1/templates', { name: 'pod', imageName: 'x' })
    expect(await user.rest('POST', '/v1/endpoints', { templateId: pod['id'] })).toMatchObject({
      status: 400,
      json: { error: expect.stringContaining('"isServerless": true in REST v1') },
    })
    const { id } = await makeEndpoint()
    const other = await opened.userOf('other')
    const path = `/v1/endpoints/${String(id)}`
    const calls = [other.rest('GET', path), other.rest('PATCH', path, {}), other.rest('DELETE', path)]
    expect((await Promise.all(calls)).map(({ status }) => status)).toEqual([404, 404, 404])
    expect((await other.rest('GET', '/v1/endpoints')).json).toEqual([])
  })

  it('ask for a yes or a no where one is meant', async () => {
    expect((await user.rest('GET', '/v1/endpoints?includeWorkers=maybe')).status).toBe(400)
  })
})

describe('the rest of REST v1', () => {
  it('keeps registry credentials, and templates name them', async () => {
    const made = await ok('POST', '/v1/containerregistryauth', { name: 'mine', username: 'me', password: 'sesame' })
    const path = `/v1/containerregistryauth/${String(made['id'])}`
    expect(made).toEqual({ id: expect.any(String), name: 'mine' })
    expect(await ok('GET', path)).toEqual(made)
    expect(await ok('GET', '/v1/containerregistryauth')).toEqual([made])
    const template = await makeTemplate({ containerRegistryAuthId: made['id'] })
    const { id } = await makeEndpoint({ templateId: template })
    expect((await stored(id)).spec.registryId).toBe(made['id'])
    expect(await user.rest('DELETE', path)).toMatchObject({
      status: 409,
      json: { error: expect.stringContaining('used by the endpoint "one"') },
    })
    const detached = await ok('PATCH', `/v1/templates/${template}`, { containerRegistryAuthId: '' })
    expect(detached).not.toHaveProperty('containerRegistryAuthId')
    expect(await user.rest('DELETE', path)).toEqual({ status: 204, json: {} })
  })

  it('says of pods that they are not there', async () => {
    expect(await user.rest('GET', '/v1/pods')).toEqual({ status: 200, json: [] })
    expect(await user.rest('POST', '/v1/pods', {})).toMatchObject({
      status: 404,
      json: { error: expect.stringContaining('Pods are not served here') },
    })
  })

  it('asks for the key before it looks at anything else', async () => {
    const response = await opened.app.inject({ method: 'POST', url: '/v1/endpoints', payload: { nonsense: true } })
    expect(response.statusCode).toBe(401)
    expect(response.json()).toMatchObject({ status: 401, error: expect.any(String) })
  })

  it('answers a body that is not JSON with 400', async () => {
    const headers = { authorization: `Bearer ${await opened.keyOf('owner')}`, 'content-type': 'application/json' }
    const response = await opened.app.inject({ method: 'POST', url: '/v1/templates', headers, payload: '{"name":' })
    expect({ status: response.statusCode, json: response.json() }).toMatchObject({ status: 400, json: { error: expect.any(String) } })
  })
})
