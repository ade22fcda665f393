// Registry credentials in GraphQL and REST v2, and what refers to them (management §2.4, §3.5, §4.2; sdk2-api §7.2).
import { describe, expect } from 'vitest'
import { QUEUE_BODY } from '../testing/management-app.ts'
import { it, opened, user } from '../testing/management-test.ts'

const CREDENTIALS = { username: 'me', password: 'open sesame' }
const QUEUE = { ...QUEUE_BODY, name: 'private', image: 'registry.example/private/worker:1' }

async function add(name = 'mine'): Promise<string> {
  const { status, json } = await user.rest('POST', '/v2/registries', { name, ...CREDENTIALS })
  expect(status).toBe(201)
  return String(json['id'])
}

const secretsOf = (id: string) => opened.store.resources.registries.find('owner', id)

describe('registry credentials', () => {
  it('are made, listed, read and deleted over REST, and no answer has a secret in it', async () => {
    const id = await add()
    expect(await user.rest('GET', `/v2/registries/${id}`)).toEqual({ status: 200, json: { id, name: 'mine' } })
    expect((await user.rest('GET', '/v2/registries')).json).toEqual({
      registries: [{ id, name: 'mine' }],
      pagination: { hasNextPage: false, nextCursor: null },
    })
    expect(await secretsOf(id)).toMatchObject({ name: 'mine', ...CREDENTIALS })
    expect(await user.rest('DELETE', `/v2/registries/${id}`)).toEqual({ status: 204, json: {} })
    expect((await user.rest('DELETE', `/v2/registries/${id}`)).status).toBe(404)
    expect(await secretsOf(id)).toBeUndefined()
  })

  it('are made, changed, listed and deleted over GraphQL', async () => {
    const made = await user.graphql('mutation { saveRegistryAuth(input: {name: "mine", username: "me", password: "a"}) { id name } }')
    const [{ id }] = Object.values(made as object) as [{ id: string }]
    expect(made).toEqual({ saveRegistryAuth: { id, name: 'mine' } })
    const update = `mutation { updateRegistryAuth(input: {id: "${id}", username: "you", password: "b"}) { id name } }`
    expect(await user.graphql(update)).toEqual({ updateRegistryAuth: { id, name: 'mine' } })
    expect(await secretsOf(id)).toMatchObject({ name: 'mine', username: 'you', password: 'b' })
    expect(await user.graphql('{ myself { containerRegistryCreds { id name } } }')).toEqual({
      myself: { containerRegistryCreds: [{ id, name: 'mine' }] },
    })
    const remove = `mutation { deleteRegistryAuth(registryAuthId: "${id}") }`
    expect(await user.graphql(remove)).toEqual({ deleteRegistryAuth: true })
    expect(await user.graphql(remove)).toBe(`Registry credentials "${id}" were not found.`)
  })

  it('are replaced by PATCH, an extension of ours', async () => {
    const id = await add()
    expect(await user.rest('PATCH', `/v2/registries/${id}`, { username: 'you', password: 'b' })).toMatchObject({
      status: 200,
      json: { id, name: 'mine' },
    })
    expect(await secretsOf(id)).toMatchObject({ username: 'you', password: 'b' })
  })

  it('have a name that is unique per owner', async () => {
    const id = await add()
    expect(await user.rest('POST', '/v2/registries', { name: 'mine', username: 'x', password: 'y' })).toMatchObject({
      status: 409,
      json: { detail: `Registry credentials named "mine" exist already (id ${id}); update or delete those.` },
    })
    expect((await (await opened.userOf('other')).rest('POST', '/v2/registries', { name: 'mine', ...CREDENTIALS })).status).toBe(201)
  })

  it('are private to their owner', async () => {
    const id = await add()
    const other = await opened.userOf('other')
    const calls = [
      other.rest('GET', `/v2/registries/${id}`),
      other.rest('PATCH', `/v2/registries/${id}`, CREDENTIALS),
      other.rest('DELETE', `/v2/registries/${id}`),
    ]
    expect((await Promise.all(calls)).map(({ status }) => status)).toEqual([404, 404, 404])
    expect((await other.rest('GET', '/v2/registries')).json).toMatchObject({ registries: [] })
    expect((await other.rest('POST', '/v2/serverless', { ...QUEUE, registry: id })).status).toBe(422)
  })

  it.each([
    ['no password', { name: 'x', username: 'y' }, 422, '"password" '],
    ['an empty password', { name: 'x', username: 'y', password: '' }, 422, '"password" '],
    ['an unknown member', { name: 'x', ...CREDENTIALS, server: 'z' }, 422, 'There is no member "server" in the body'],
    ['a blank name', { name: ' ', ...CREDENTIALS }, 400, 'must not be empty'],
    ['a long name', { name: 'x'.repeat(192), ...CREDENTIALS }, 400, 'at most 191 characters'],
    ['a huge password', { name: 'x', username: 'y', password: 'z'.repeat(20_000) }, 400, 'at most 16384 characters'],
  ])('with %s are refused in one sentence without a secret', async (_what, body, status, detail) => {
    const refused = await user.rest('POST', '/v2/registries', body)
    expect(refused).toMatchObject({ status, json: { status, detail: expect.stringContaining(detail) } })
    expect(JSON.stringify(refused)).not.toMatch(/sesame|zzz/)
    expect(await opened.store.resources.registries.list()).toEqual([])
  })
})

describe('endpoints and templates that name them', () => {
  it('are refused where there are no such credentials', async () => {
    const sentence = 'Registry credentials "nope" were not found; `runyard registries list` shows what there is.'
    const endpoint = await user.rest('POST', '/v2/serverless', { ...QUEUE, registry: 'nope' })
    expect(endpoint).toMatchObject({ status: 422, json: { detail: sentence } })
    expect(await user.rest('POST', '/v2/templates', { name: 't', image: 'x', registry: 'nope' })).toMatchObject({
      status: 422,
      json: { detail: sentence },
    })
    const save = 'mutation { saveTemplate(input: {name: "t", imageName: "x", containerRegistryAuthId: "nope"}) { id } }'
    expect(await user.graphql(save)).toBe(sentence)
    expect([await opened.store.endpoints.list(), await opened.store.resources.templates.list()]).toEqual([[], []])
  })

  it('echo their id, and a change or an empty text in its place is a new version', async () => {
    const [first, second] = [await add('first'), await add('second')]
    const { json } = await user.rest('POST', '/v2/serverless', { ...QUEUE, registry: first })
    expect(json['registry']).toBe(first)
    const path = `/v2/serverless/${String(json['id'])}`
    expect((await user.rest('PATCH', path, { registry: second })).json).toMatchObject({ registry: second })
    expect((await user.rest('PATCH', path, { registry: '' })).json).toMatchObject({ registry: null })
    expect((await opened.store.endpoints.get(String(json['id'])))?.version).toBe(3)
  })

  it('pass from a template to its endpoint', async () => {
    const registry = await add()
    const template = await user.rest('POST', '/v2/templates', { name: 't', image: QUEUE.image, serverless: true, registry })
    const { image: _image, ...rest } = QUEUE
    expect((await user.rest('POST', '/v2/serverless', { ...rest, templateId: template.json['id'] })).json).toMatchObject({ registry })
  })

  it('hold on to them: what an endpoint uses is not deleted, what only a template names is forgotten there', async () => {
    const registry = await add()
    const template = await user.rest('POST', '/v2/templates', { name: 't', image: QUEUE.image, serverless: true, registry })
    const endpoint = await user.rest('POST', '/v2/serverless', { ...QUEUE, registry })
    const sentence = 'Registry credentials "mine" are used by the endpoint "private"; delete them or give them other credentials first.'
    expect(await user.rest('DELETE', `/v2/registries/${registry}`)).toMatchObject({ status: 409, json: { detail: sentence } })
    expect(await user.graphql(`mutation { deleteRegistryAuth(registryAuthId: "${registry}") }`)).toBe(sentence)
    await user.rest('DELETE', `/v2/serverless/${String(endpoint.json['id'])}`)
    expect((await user.rest('DELETE', `/v2/registries/${registry}`)).status).toBe(204)
    expect((await user.rest('GET', `/v2/templates/${String(template.json['id'])}`)).json).toMatchObject({ registry: null })
  })
})
