// Templates in both dialects, and the endpoints that use them (management §2.2, §3.5, §4.2; sdk2-api §7.2).
import { describe, expect } from 'vitest'
import { it, opened, user } from '../testing/management-test.ts'

const FIELDS = 'id name imageName dockerArgs containerDiskInGb ports readme isServerless containerRegistryAuthId env { key value }'
const SAVE_TEMPLATE = `mutation ($input: SaveTemplateInput) { saveTemplate(input: $input) { ${FIELDS} } }`
const SAVE_ENDPOINT = 'mutation ($input: EndpointInput!) { saveEndpoint(input: $input) { id templateId } }'

const TEMPLATE = {
  name: 'shared',
  imageName: 'mine/worker:1',
  dockerArgs: 'python -u /handler.py',
  containerDiskInGb: 10,
  volumeInGb: 0,
  ports: '8000/http',
  env: [{ key: 'MODE', value: 'a' }],
  isServerless: true,
  startSsh: true,
  isPublic: false,
  readme: '# mine',
}

type Saved = { readonly id: string; readonly templateId: string }

async function saveTemplate(change: Record<string, unknown> = {}): Promise<Saved> {
  const data = (await user.graphql(SAVE_TEMPLATE, { input: { ...TEMPLATE, ...change } })) as { saveTemplate: Saved }
  expect(data).toHaveProperty('saveTemplate')
  return data.saveTemplate
}

async function saveEndpoint(input: Record<string, unknown>): Promise<Saved> {
  const data = (await user.graphql(SAVE_ENDPOINT, { input: { gpuIds: 'ADA_24', ...input } })) as { saveEndpoint: Saved }
  expect(data).toHaveProperty('saveEndpoint')
  return data.saveEndpoint
}

async function stored(id: string) {
  const endpoint = await opened.store.endpoints.get(id)
  if (endpoint === undefined) throw new Error(`${id} is not stored`)
  return endpoint
}

describe('a template', () => {
  it('keeps and echoes what it was made of, in GraphQL and in REST', async () => {
    const { id } = await saveTemplate()
    const { volumeInGb: _v, startSsh: _s, isPublic: _p, ...rest } = TEMPLATE
    const echoed = { ...rest, containerRegistryAuthId: '' }
    expect(await user.graphql(`{ podTemplate(id: "${id}") { ${FIELDS} } }`)).toEqual({ podTemplate: { id, ...echoed } })
    expect(await user.graphql('{ podTemplates { id } }')).toEqual({ podTemplates: [{ id }] })
    const inRest = {
      id,
      name: 'shared',
      image: 'mine/worker:1',
      args: 'python -u /handler.py',
      disk: 10,
      ports: ['8000/http'],
      env: { MODE: 'a' },
      registry: null,
      mounts: {},
      serverless: true,
      readme: '# mine',
    }
    expect((await user.rest('GET', `/v2/templates/${id}`)).json).toMatchObject(inRest)
    const list = await user.rest('GET', '/v2/templates')
    expect(list.json).toMatchObject({ templates: [inRest], pagination: { hasNextPage: false, nextCursor: null } })
  })

  it('is made, changed and deleted over REST', async () => {
    const body = { name: 'pod', image: 'x:1', disk: 10, mounts: { persistent: { size: 20, path: '/workspace' } }, category: 'CPU' }
    const { status, json } = await user.rest('POST', '/v2/templates', body)
    expect({ status, json }).toMatchObject({ status: 201, json: { ...body, serverless: false, startSsh: true, allowedCudaVersions: [] } })
    const path = `/v2/templates/${json['id']}`
    expect((await user.rest('PATCH', path, { env: { A: '1' }, mounts: {} })).json).toMatchObject({ ...body, env: { A: '1' }, mounts: {} })
    expect((await user.rest('DELETE', path)).status).toBe(204)
    expect((await user.rest('GET', path)).status).toBe(404)
  })

  it('is the same one when it is made again, and its name is refused to another content', async () => {
    const first = await saveTemplate()
    expect(await saveTemplate()).toEqual(first)
    expect(await user.graphql(SAVE_TEMPLATE, { input: { ...TEMPLATE, imageName: 'other' } })).toContain(
      `A template named "shared" exists already with another content (id ${first.id})`,
    )
    const second = await saveTemplate({ name: 'second' })
    expect((await user.rest('PATCH', `/v2/templates/${second.id}`, { name: 'shared' })).status).toBe(409)
    expect(await opened.store.resources.templates.list()).toHaveLength(2)
  })

  it('is made once by many at once', async () => {
    const made = await Promise.all(Array.from({ length: 8 }, () => saveTemplate()))
    expect(new Set(made.map(({ id }) => id)).size).toBe(1)
    expect(await opened.store.resources.templates.list()).toHaveLength(1)
  })

  it('is private to its owner', async () => {
    const { id } = await saveTemplate()
    const other = await opened.userOf('other')
    const calls = [
      other.rest('GET', `/v2/templates/${id}`),
      other.rest('PATCH', `/v2/templates/${id}`, {}),
      other.rest('DELETE', `/v2/templates/${id}`),
    ]
    expect((await Promise.all(calls)).map(({ status }) => status)).toEqual([404, 404, 404])
    expect((await other.rest('GET', '/v2/templates')).json).toMatchObject({ templates: [] })
    expect(await other.graphql(SAVE_ENDPOINT, { input: { name: 'mine', gpuIds: 'ADA_24', templateId: id } })).toBe(
      `Template "${id}" was not found.`,
    )
  })

  it.each([
    ['no name', { image: 'x' }, 422, '"name" '],
    ['no image', { name: 'x' }, 422, '"image" '],
    ['an unknown member', { name: 'x', image: 'y', colour: 'red' }, 422, 'There is no member "colour" in the body'],
    ['an image with a blank', { name: 'x', image: 'y z' }, 400, 'contains white space'],
    ['an unbalanced quote', { name: 'x', image: 'y', args: '"' }, 400, 'never closed'],
    ['a start command that is no list', { name: 'x', image: 'y', args: '{"cmd": "sh"}' }, 400, 'each a list of words'],
    [
      'a volume for workers',
      { name: 'x', image: 'y', serverless: true, mounts: { persistent: { size: 10, path: '/w' } } },
      422,
      'no volume of its own',
    ],
    ['a volume below 10 GB', { name: 'x', image: 'y', mounts: { persistent: { size: 1, path: '/w' } } }, 422, '"mounts.persistent.size" '],
    ['a bad port', { name: 'x', image: 'y', ports: ['8000/http', '99999/tcp'] }, 400, '"99999/tcp" is not a port'],
    ['a bad variable', { name: 'x', image: 'y', env: { 'A B': '' } }, 400, 'cannot be the name of an environment variable'],
  ])('with %s is refused in one sentence', async (_what, body, status, detail) => {
    const refused = await user.rest('POST', '/v2/templates', body)
    expect(refused).toMatchObject({ status, json: { status, detail: expect.stringContaining(detail) } })
    expect(await opened.store.resources.templates.list()).toEqual([])
  })
})

describe('endpoints with a shared template', () => {
  it('name the template that they were made with and run its container', async () => {
    const template = await saveTemplate()
    const endpoint = await saveEndpoint({ name: 'one', templateId: template.id })
    expect(endpoint.templateId).toBe(template.id)
    expect(
      await user.graphql(`{ myself { endpoint(id: "${endpoint.id}") { templateId template { name readme } env { key value } } } }`),
    ).toEqual({
      myself: { endpoint: { templateId: template.id, template: { name: 'shared', readme: '# mine' }, env: TEMPLATE.env } },
    })
    expect((await stored(endpoint.id)).spec).toMatchObject({ image: 'mine/worker:1', env: { MODE: 'a' }, diskGb: 10 })
  })

  it('all become a new version when its container changes, and none when only its words do', async () => {
    const template = await saveTemplate()
    const ids = [await saveEndpoint({ name: 'one', templateId: template.id }), await saveEndpoint({ name: 'two', templateId: template.id })]
    const bystander = await saveEndpoint({ name: 'three', template: { name: 'own', imageName: 'x' } })
    await saveTemplate({ id: template.id, readme: 'other words', name: 'renamed' })
    expect((await Promise.all(ids.map(({ id }) => stored(id)))).map(({ version }) => version)).toEqual([1, 1])
    await user.rest('PATCH', `/v2/templates/${template.id}`, { image: 'mine/worker:2' })
    const after = await Promise.all(ids.map(({ id }) => stored(id)))
    expect(after.map(({ version, spec }) => [version, spec.image])).toEqual([
      [2, 'mine/worker:2'],
      [2, 'mine/worker:2'],
    ])
    expect((await stored(bystander.id)).version).toBe(1)
  })

  it('take another template by updateEndpointTemplate, and follow that one from then on', async () => {
    const [first, second] = [await saveTemplate(), await saveTemplate({ name: 'second', imageName: 'mine/worker:2' })]
    const { id } = await saveEndpoint({ name: 'one', templateId: first.id })
    const swap = `mutation { updateEndpointTemplate(input: { templateId: "${second.id}", endpointId: "${id}" }) { id templateId } }`
    expect(await user.graphql(swap)).toEqual({ updateEndpointTemplate: { id, templateId: second.id } })
    await saveTemplate({ id: first.id, imageName: 'mine/worker:9' })
    expect(await stored(id)).toMatchObject({ version: 2, spec: { image: 'mine/worker:2' } })
    await saveTemplate({ id: second.id, name: 'second', imageName: 'mine/worker:3' })
    expect(await stored(id)).toMatchObject({ version: 3, spec: { image: 'mine/worker:3' } })
  })

  it('go a way of their own once somebody changes their container itself', async () => {
    const template = await saveTemplate()
    const { id } = await saveEndpoint({ name: 'one', templateId: template.id })
    await user.rest('PATCH', `/v2/serverless/${id}`, { workers: { max: 7 } })
    expect((await stored(id)).sharedTemplateId).toBe(template.id)
    await user.rest('PATCH', `/v2/serverless/${id}`, { env: { MODE: 'b' } })
    await saveTemplate({ id: template.id, imageName: 'mine/worker:2' })
    expect(await stored(id)).toMatchObject({ version: 2, spec: { image: 'mine/worker:1', env: { MODE: 'b' } } })
    expect((await user.rest('DELETE', `/v2/templates/${template.id}`)).status).toBe(204)
  })

  it('made over REST v2 copy the template and keep no link (management §3.2)', async () => {
    const template = await saveTemplate()
    const scaling = { type: 'QUEUE_DELAY', queueDelay: 4 }
    const body = { name: 'copy', type: 'QUEUE', templateId: template.id, gpu: { pools: ['ADA_24'] }, scaling, env: { EXTRA: '1' } }
    const { status, json } = await user.rest('POST', '/v2/serverless', body)
    expect({ status, json }).toMatchObject({ status: 201, json: { image: 'mine/worker:1', env: { MODE: 'a', EXTRA: '1' } } })
    await saveTemplate({ id: template.id, imageName: 'mine/worker:2' })
    const path = `/v2/serverless/${json['id']}`
    expect((await user.rest('GET', path)).json).toMatchObject({ image: 'mine/worker:1' })
    expect((await user.rest('PATCH', path, { templateId: template.id })).json).toMatchObject({ image: 'mine/worker:2', env: { MODE: 'a' } })
  })

  it('hold on to it: a template in use is not deleted', async () => {
    const template = await saveTemplate()
    const { id } = await saveEndpoint({ name: 'one', templateId: template.id })
    const sentence = 'Template "shared" is used by the endpoint "one"; delete them or give them another template first.'
    expect(await user.rest('DELETE', `/v2/templates/${template.id}`)).toMatchObject({ status: 409, json: { detail: sentence } })
    expect(await user.graphql('mutation { deleteTemplate(templateName: "shared") }')).toBe(sentence)
    await user.graphql(`mutation { deleteEndpoint(id: "${id}") }`)
    expect(await user.graphql('mutation { deleteTemplate(templateName: "shared") }')).toEqual({ deleteTemplate: null })
    expect(await user.graphql('mutation { deleteTemplate(templateName: "shared") }')).toBe('Template "shared" was not found.')
  })

  it('keep it serverless', async () => {
    const template = await saveTemplate()
    await saveEndpoint({ name: 'one', templateId: template.id })
    expect(await user.graphql(SAVE_TEMPLATE, { input: { ...TEMPLATE, id: template.id, isServerless: false } })).toBe(
      'Template "shared" is used by the endpoint "one", so it must stay serverless.',
    )
  })

  it('are not made of a template for pods', async () => {
    const template = await saveTemplate({ isServerless: false })
    const input = { name: 'one', gpuIds: 'ADA_24', templateId: template.id }
    expect(await user.graphql(SAVE_ENDPOINT, { input })).toContain('Template "shared" is for pods')
    expect(await opened.store.endpoints.list()).toEqual([])
  })

  it('lose no change of the template that comes while they are made', async () => {
    const template = await saveTemplate()
    const [made] = await Promise.all([
      Promise.all(Array.from({ length: 6 }, (_, n) => saveEndpoint({ name: `endpoint ${n}`, templateId: template.id }))),
      user.rest('PATCH', `/v2/templates/${template.id}`, { image: 'mine/worker:2' }),
      user.rest('PATCH', `/v2/templates/${template.id}`, { env: { MODE: 'b' } }),
    ])
    const endpoints = await Promise.all(made.map(({ id }) => stored(id)))
    expect(endpoints.map(({ spec }) => [spec.image, spec.env])).toEqual(made.map(() => ['mine/worker:2', { MODE: 'b' }]))
  })
})

describe('the template that lives in an endpoint', () => {
  it('is found by its id, not listed, and goes with its endpoint only', async () => {
    const endpoint = await saveEndpoint({ name: 'one', template: { name: 'own', imageName: 'x' } })
    const path = `/v2/templates/${endpoint.templateId}`
    expect((await user.rest('GET', path)).json).toMatchObject({ id: endpoint.templateId, name: 'own', image: 'x', serverless: true })
    expect((await user.rest('GET', '/v2/templates')).json).toMatchObject({ templates: [] })
    expect(await user.rest('DELETE', path)).toMatchObject({
      status: 409,
      json: { detail: expect.stringContaining('belongs to the endpoint "one"') },
    })
    expect((await user.rest('PATCH', path, { image: 'y' })).json).toMatchObject({ id: endpoint.templateId, image: 'y' })
    expect(await stored(endpoint.id)).toMatchObject({ version: 2, spec: { image: 'y' } })
  })
})

describe('the catalogue of GPUs', () => {
  it('lists every card with its memory and its pool', async () => {
    const { gpuTypes } = (await user.graphql('{ gpuTypes { id displayName memoryInGb } }')) as { gpuTypes: unknown[] }
    const { gpus } = (await user.rest('GET', '/v2/catalog/gpus')).json as { gpus: unknown[] }
    expect(gpuTypes).toContainEqual({ id: 'NVIDIA GeForce RTX 4090', displayName: 'RTX 4090', memoryInGb: 24 })
    expect(gpus).toHaveLength(gpuTypes.length)
    expect(gpus).toContainEqual(
      expect.objectContaining({ id: 'NVIDIA L4', name: 'L4', pool: 'AMPERE_24', memory: 24, manufacturer: 'NVIDIA' }),
    )
  })

  it('says for one card whether the scaler found it missing', async () => {
    const { id } = await saveEndpoint({ name: 'one', template: { name: 'own', imageName: 'x' } })
    const path = '/v2/catalog/gpus/NVIDIA%20GeForce%20RTX%204090?include=AVAILABILITY&product=POD&count=1'
    expect((await user.rest('GET', path)).json).toMatchObject({ id: 'NVIDIA GeForce RTX 4090', availability: 'HIGH' })
    await opened.store.status.put(id, { at: Date.now(), throttled: 1, reason: 'no_matching_gpu', message: 'none here', unhealthy: 0 })
    expect((await user.rest('GET', path)).json).toMatchObject({ availability: 'NONE' })
    expect((await user.rest('GET', '/v2/catalog/gpus/NVIDIA%20Voodoo')).status).toBe(404)
  })
})

describe('what Runyard does not have', () => {
  it.each([
    ['pods', 'mutation { podStop(input: { podId: "x" }) { id desiredStatus } }', '/v2/pods/x/action', 'Pods are not served here'],
    ['a list of pods', '{ myself { pods { id runtime { ports { ip } } } } }', '/v2/pods/x/metrics', 'Pods are not served here'],
  ])('says so of %s', async (_what, query, url, sentence) => {
    expect(await user.graphql(query)).toContain(sentence)
    for (const method of ['GET', 'POST', 'PUT', 'DELETE'] as const)
      expect(await user.rest(method, url)).toMatchObject({ status: 404, json: { detail: expect.stringContaining(sentence) } })
  })
})
