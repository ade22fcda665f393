// API keys over the API (ADR 81): made, listed, rotated and revoked by an `admin`, and what a narrower key may not.
import { createSend } from '@runyard/testing'
import { beforeAll, expect, it } from 'vitest'
import type { TestGateway } from '../testing/gateway.ts'
import { QUEUE_BODY } from '../testing/management-app.ts'
import { useGateways } from '../testing/use-gateway.ts'

const startGateway = useGateways()
let gateway: TestGateway
beforeAll(async () => {
  gateway = await startGateway()
})

const KEYS = '/runyard/v1/keys'
const sendWith = (key: unknown) => createSend(gateway.publicUrl, { authorization: `Bearer ${String(key)}` })
async function make(body: Record<string, unknown>) {
  const { status, json } = await gateway.call(KEYS, { method: 'POST', body })
  expect(status).toBe(201)
  return json
}

it('an admin makes a key with scopes and an expiry; it runs jobs and changes nothing', async () => {
  const { id } = await gateway.addEndpoint()
  const expiresAt = new Date(Date.now() + 3_600_000).toISOString()
  const { key, ...made } = await make({ name: 'ci', scopes: ['run'], expiresAt, limits: { queuedJobs: 5 } })
  const [me] = (await gateway.call(KEYS)).json['keys'] as { id: string }[]
  const expected = { name: 'ci', ownerId: 'owner', scopes: ['run'], limits: { queuedJobs: 5 }, expiresAt, madeBy: me?.id, ofFile: false }
  expect(made).toMatchObject(expected)
  const send = sendWith(key)
  expect((await send(`/v2/${id}/run`, { method: 'POST', body: { input: 1 } })).status).toBe(200)
  expect((await send(`${KEYS}/current`)).json).toMatchObject(expected)
  const refused = await send(`/v2/serverless/${id}`, { method: 'DELETE' })
  expect(refused.status).toBe(403)
  expect(refused.json).toMatchObject({ detail: 'forbidden: this needs an API key with the scope "admin"; the key "ci" has "run"' })
  const list = await gateway.call(KEYS)
  expect(list.json['keys']).toContainEqual(expect.objectContaining(expected))
  expect(list.text).not.toContain(String(key))
})

it('a name is given once', async () => {
  const { id } = await make({ name: 'once', scopes: ['view'] })
  const { status, json } = await gateway.call(KEYS, { method: 'POST', body: { name: 'once', scopes: ['view'] } })
  const detail = `There is an API key "once" already (${String(id)}): choose another name, or revoke that key.`
  expect({ status, detail: json['detail'] }).toEqual({ status: 409, detail })
})

it('a rotated key keeps its id and scopes, a revoked one is gone; the old ones end at once', async () => {
  const first = await make({ name: 'rotated', scopes: ['view'] })
  const path = `${KEYS}/${String(first['id'])}`
  const rotated = (await gateway.call(`${path}/rotate`, { method: 'POST' })).json
  expect(rotated).toMatchObject({ id: first['id'], scopes: ['view'], madeBy: first['madeBy'] })
  const statuses = async () => Promise.all([first, rotated].map(async ({ key }) => (await sendWith(key)(`${KEYS}/current`)).status))
  expect(await statuses()).toEqual([401, 200])
  expect((await gateway.call(path, { method: 'DELETE' })).status).toBe(204)
  expect(await statuses()).toEqual([401, 401])
  expect((await gateway.call(path, { method: 'DELETE' })).status).toBe(404)
})

it('the key of the request and keys of key files cannot be changed', async () => {
  const { id: own } = (await gateway.call(`${KEYS}/current`)).json
  await gateway.store.keys.install({ slot: 's', name: 'file', ownerId: 'owner', plain: 'in-a-file' })
  const ofFile = (await gateway.store.keys.list()).find(({ name }) => name === 'file')
  const revoke = async (id: string) => {
    const { status, json } = await gateway.call(`${KEYS}/${id}`, { method: 'DELETE' })
    return [status, json['detail']]
  }
  expect(await Promise.all([String(own), String(ofFile?.id)].map(revoke))).toEqual([
    [409, 'This is the key of this very request: use another key.'],
    [409, '"file" stands in a key file: `runyard keys rotate` replaces it where that file is.'],
  ])
})

it('the operator makes, sees, limits and revokes keys of other owners, who see and change their own only', async () => {
  const { id: own } = (await gateway.call(`${KEYS}/current`)).json
  const { id, key } = await make({ name: 'theirs', scopes: ['admin'], ownerId: 'vision' })
  const send = sendWith(key)
  const namesIn = ({ json }: Awaited<ReturnType<typeof send>>) => (json['keys'] as { name: string }[]).map(({ name }) => name)
  expect(namesIn(await gateway.call(`${KEYS}?owner=vision`))).toEqual(['theirs'])
  expect(namesIn(await gateway.call(`${KEYS}?owner=*`))).toContain('theirs')
  expect(namesIn(await gateway.call(KEYS))).not.toContain('theirs')
  expect(namesIn(await send(KEYS))).toEqual(['theirs'])
  const refused = (what: string) => ({ status: 403, json: { detail: `forbidden: only keys of the owner "owner" may ${what}` } })
  expect(await send(`${KEYS}?owner=owner`)).toMatchObject(refused('see keys of another owner'))
  const body = { name: 'x', scopes: ['run'], ownerId: 'owner' }
  expect(await send(KEYS, { method: 'POST', body })).toMatchObject(refused('make a key of another owner'))
  expect((await send(`${KEYS}/${String(own)}`, { method: 'DELETE' })).status).toBe(404)
  const limited = await gateway.call(`${KEYS}/${String(id)}`, { method: 'PATCH', body: { limits: { workers: 2, queuedJobs: null } } })
  expect(limited.json).toMatchObject({ name: 'theirs', limits: { workers: 2, queuedJobs: null } })
  expect((await send(`${KEYS}/${String(own)}`, { method: 'PATCH', body: { limits: {} } })).status).toBe(404)
  expect((await gateway.call(`${KEYS}/${String(id)}`, { method: 'DELETE' })).status).toBe(204)
})

it.each<[Record<string, unknown>, RegExp]>([
  [{ name: '', scopes: ['run'] }, /must say what the key is for/],
  [{ name: 'x', scopes: [] }, /must name at least one scope/],
  [{ name: 'x', scopes: ['root'] }, /admin/],
  [{ name: 'x', scopes: ['run'], expiresAt: '2001-01-01' }, /must lie in the future/],
  [{ name: 'x', scopes: ['run'], ownerId: 'a b' }, /ownerId.* must have up to 64 letters/],
  [{ name: 'x', scopes: ['run'], madeBy: 'me' }, /madeBy/],
])('refuses %j', async (body, sentence) => {
  const { status, text } = await gateway.call(KEYS, { method: 'POST', body })
  expect(status).toBeGreaterThanOrEqual(400)
  expect(status).toBeLessThan(500)
  expect(text).toMatch(sentence)
})

it('a narrower key sees the names of environment variables, not their values, in each dialect', async () => {
  await gateway.call('/v2/serverless', {
    method: 'POST',
    body: { ...QUEUE_BODY, name: 'secretive', env: { TOKEN: 'hush' } },
  })
  const { key } = await make({ name: 'viewer', scopes: ['view'] })
  const send = sendWith(key)
  const query = '{ myself { endpoints { env { key value } template { env { key value } } } } }'
  const answers = [
    await send('/v2/serverless'),
    await send('/v1/endpoints?includeTemplate=true'),
    await send('/graphql', { method: 'POST', body: { query } }),
  ]
  for (const { text } of answers) {
    expect(text).toContain('TOKEN')
    expect(text).toContain('***')
    expect(text).not.toContain('hush')
  }
  expect((await gateway.call('/v2/serverless')).text).toContain('hush')
})

it('a key that only reads cannot shorten the life of a result', async () => {
  const { key } = await make({ name: 'reader', scopes: ['view'] })
  const { id } = await gateway.addEndpoint()
  const job = (await gateway.call(`/v2/${id}/run`, { method: 'POST', body: { input: {} } })).json['id'] as string
  expect((await sendWith(key)(`/v2/${id}/status/${job}`)).status).toBe(200)
  const refused = await sendWith(key)(`/v2/${id}/status/${job}?ttl=1`)
  expect(refused.status).toBe(403)
  expect(refused.json['error']).toContain('this needs an API key with the scope "run"')
})

it('a login has the scopes and the end of the key that approved it', async () => {
  const { key } = await make({ name: 'approver', scopes: ['run'], expiresAt: String(Date.now() + 3_600_000) })
  const guest = createSend(gateway.publicUrl)
  const graphql = async (query: string) =>
    (await guest('/graphql', { method: 'POST', body: { query } })).json['data'] as Record<string, { id: string; apiKey: string }>
  const { createFlashAuthRequest: asked } = await graphql('mutation { createFlashAuthRequest { id } }')
  const form = new URLSearchParams({ request: asked?.id ?? '', verdict: 'approve', key: String(key) }).toString()
  await guest('/flash/login', { method: 'POST', body: form, headers: { 'content-type': 'application/x-www-form-urlencoded' } })
  const { flashAuthRequestStatus } = await graphql(`{ flashAuthRequestStatus(flashAuthRequestId: "${asked?.id}") { id apiKey } }`)
  const current = await sendWith(flashAuthRequestStatus?.apiKey)(`${KEYS}/current`)
  const approver = (await sendWith(key)(`${KEYS}/current`)).json
  expect(current.json).toMatchObject({ scopes: ['run'], expiresAt: approver['expiresAt'], madeBy: approver['id'] })
})

it('/metrics is for keys with that scope alone', async () => {
  const forwarded = { headers: { 'x-forwarded-for': '203.0.113.9' } }
  const statusFor = async (scope: string) =>
    (await sendWith((await make({ name: scope, scopes: [scope] }))['key'])('/metrics', forwarded)).status
  expect([await statusFor('metrics'), await statusFor('admin'), await statusFor('operate')]).toEqual([200, 200, 403])
})
