// Secrets in GraphQL, as SDK 2 speaks it (sdk2-api §3.7), and in REST of ours.
import { describe, expect } from 'vitest'
import { QUEUE_BODY } from '../testing/management-app.ts'
import { it, opened, user } from '../testing/management-test.ts'

const VALUE = 'open sesame'
const CREATE = 'mutation secretCreate($input: SecretCreateInput!) { secretCreate(input: $input) { id name } }'
const LIST = '{ myself { secrets { id name description createdAt } } }'

async function create(name = 'token'): Promise<string> {
  const made = (await user.graphql(CREATE, { input: { name, value: VALUE, description: '' } })) as { secretCreate: { id: string } }
  expect(made).toEqual({ secretCreate: { id: expect.any(String), name } })
  return made.secretCreate.id
}

describe('secrets', () => {
  it('are made, listed and deleted over GraphQL, and no answer has the value in it', async () => {
    const id = await create()
    const listed = await user.graphql(LIST)
    expect(listed).toEqual({ myself: { secrets: [{ id, name: 'token', description: '', createdAt: expect.any(String) }] } })
    expect(JSON.stringify(listed)).not.toContain(VALUE)
    expect(await opened.store.resources.secrets.find('owner', id)).toMatchObject({ value: VALUE })
    expect(await user.graphql('mutation secretDelete($id: ID!) { secretDelete(id: $id) }', { id })).toEqual({ secretDelete: true })
    expect(await user.graphql(LIST)).toEqual({ myself: { secrets: [] } })
  })

  it('are made once under a name, and set again over REST', async () => {
    const id = await create()
    expect(await user.graphql(CREATE, { input: { name: 'token', value: 'other' } })).toContain('A secret named "token" exists already')
    const set = await user.rest('PUT', '/runyard/v1/secrets/token', { value: 'other', description: 'for the hub' })
    expect(set).toMatchObject({ status: 200, json: { id, name: 'token', description: 'for the hub' } })
    expect(await opened.store.resources.secrets.find('owner', id)).toMatchObject({ value: 'other' })
    expect((await user.rest('GET', '/runyard/v1/secrets')).json).toMatchObject({ secrets: [{ name: 'token' }] })
    expect((await user.rest('DELETE', '/runyard/v1/secrets/token')).status).toBe(204)
    expect((await user.rest('DELETE', '/runyard/v1/secrets/token')).status).toBe(404)
  })

  it('are their owner’s alone', async () => {
    const id = await create()
    const other = await opened.userOf('other')
    expect(await other.graphql(LIST)).toEqual({ myself: { secrets: [] } })
    expect(await other.graphql('mutation ($id: ID!) { secretDelete(id: $id) }', { id })).toBe(`Secret "${id}" was not found.`)
  })

  it('are repeated by no error, whatever is wrong with the request', async () => {
    await create()
    const answers = await Promise.all([
      user.rest('POST', '/graphql', { query: CREATE, variables: { input: { value: VALUE } } }),
      user.rest('POST', '/graphql', { query: CREATE, variables: { input: { name: 'a b', value: VALUE } } }),
      user.rest('POST', '/graphql', { query: CREATE, variables: { input: { name: 'token', value: VALUE } } }),
      user.rest('POST', '/graphql', { query: CREATE, variables: { input: { name: 'x', value: VALUE, more: VALUE } } }),
      user.rest('POST', '/graphql', { query: CREATE, variables: { input: { name: 'x', value: [`${VALUE}; `] } } }),
      user.rest('PUT', '/runyard/v1/secrets/a%20b', { value: VALUE }),
      user.rest('PUT', '/runyard/v1/secrets/x', { value: [VALUE] }),
      user.rest('PUT', '/runyard/v1/secrets/x', { value: `${VALUE}\0` }),
    ])
    for (const { json } of answers) {
      expect(json['errors'] ?? json['detail']).toBeDefined()
      expect(JSON.stringify(json)).not.toContain(VALUE)
    }
  })

  it('may be named by an endpoint before they exist, and stay a name in every answer', async () => {
    await create()
    const env = { A: 'Bearer {{ RUNPOD_SECRET_token }}', B: '{{ RUNPOD_SECRET_later }}' }
    const made = await user.rest('POST', '/v2/serverless', { ...QUEUE_BODY, env })
    expect(made).toMatchObject({ status: 201, json: { env } })
    expect(JSON.stringify((await user.rest('GET', '/v2/serverless')).json)).not.toContain(VALUE)
    await user.graphql('mutation { secretDelete(id: "nope") }')
    expect((await user.rest('DELETE', '/runyard/v1/secrets/token')).status).toBe(204)
  })
})
