// Login by approval (ADR 68; flash-api §1.2): GraphQL without a key, the page, and what neither gives away.
import { describe, expect } from 'vitest'
import { it, key as ownKey, opened } from '../testing/management-test.ts'

const CREATE = 'mutation createFlashAuthRequest { createFlashAuthRequest { id status expiresAt } }'
const STATUS =
  'query flashAuthRequestStatus($id: String!) { flashAuthRequestStatus(flashAuthRequestId: $id) { id status expiresAt apiKey } }'

async function ask(query: string, variables: object = {}, headers: Record<string, string> = {}) {
  const payload = JSON.stringify({ query, variables })
  const response = await opened.app.inject({ method: 'POST', url: '/graphql', headers: { 'user-agent': 'rp/2 <b>', ...headers }, payload })
  const json = response.json<{ data?: Record<string, Record<string, string | null>>; errors?: { message: string }[] }>()
  return { status: response.statusCode, data: Object.values(json.data ?? {})[0] ?? {}, error: json.errors?.[0]?.message }
}

const begin = async (): Promise<string> => String((await ask(CREATE)).data['id'])
const status = async (id: string, headers = {}) => (await ask(STATUS, { id }, headers)).data
const page = (id: string) => opened.app.inject({ method: 'GET', url: `/flash/login?request=${encodeURIComponent(id)}` })
const decide = (request: string, verdict: string, key = ownKey) =>
  opened.app.inject({
    method: 'POST',
    url: '/flash/login',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    payload: new URLSearchParams({ request, verdict, key }).toString(),
  })

describe('login', () => {
  it('gives an approved client one new key of the approving owner, once', async () => {
    const begun = await ask(CREATE)
    expect(begun).toMatchObject({ status: 200, data: { status: 'PENDING', id: expect.stringMatching(/^[\w-]{32}$/u) as string } })
    const id = String(begun.data['id'])
    expect(Date.parse(String(begun.data['expiresAt'])) - Date.now()).toBeGreaterThan(500_000)
    expect(await status(id)).toMatchObject({ status: 'PENDING', apiKey: null })
    const approved = await decide(id, 'approve')
    expect([approved.statusCode, approved.body]).toEqual([200, expect.stringContaining('<h1>Approved</h1>')])
    const { status: state, apiKey } = await status(id)
    expect(state).toBe('APPROVED')
    expect(await opened.store.keys.verify(String(apiKey))).toMatchObject({
      ownerId: 'owner',
      name: expect.stringMatching(/^login of 20.*rp\/2/u) as string,
    })
    expect(await status(id)).toMatchObject({ status: 'CONSUMED', apiKey: null })
  })

  it('gives the key to one of many callers that ask at once', async () => {
    const id = await begin()
    await decide(id, 'approve')
    const answers = await Promise.all(Array.from({ length: 8 }, () => status(id)))
    expect(answers.filter(({ apiKey }) => apiKey !== null)).toHaveLength(1)
    expect(await opened.store.keys.list()).toHaveLength(3)
  })

  it('gives no key to a caller that has one', async () => {
    const id = await begin()
    await decide(id, 'approve')
    expect(await status(id, { authorization: `Bearer ${ownKey}` })).toMatchObject({ status: 'APPROVED', apiKey: null })
    expect((await status(id))['apiKey']).toMatch(/^rpa_/u)
  })

  it('ends with a denial, and an unknown request is one that has expired', async () => {
    const id = await begin()
    expect((await decide(id, 'deny')).body).toContain('<h1>Denied</h1>')
    expect(await status(id)).toMatchObject({ status: 'DENIED', apiKey: null })
    expect((await decide(id, 'approve')).statusCode).toBe(409)
    expect(await status('nope')).toMatchObject({ id: 'nope', status: 'EXPIRED', apiKey: null })
  })

  it('is approved with no wrong key', async () => {
    const id = await begin()
    const refused = await decide(id, 'approve', 'rpa_wrong')
    expect([refused.statusCode, refused.body]).toEqual([401, expect.stringContaining('This is no API key of this Runyard.')])
    expect(refused.body).not.toContain('rpa_wrong')
    expect(await status(id)).toMatchObject({ status: 'PENDING' })
  })

  it('shows who asks on a page without scripts that no other page can frame', async () => {
    const response = await page(await begin())
    expect(response.statusCode).toBe(200)
    expect(response.body).toContain('rp/2 &lt;b&gt;')
    expect(response.body).not.toContain('<script')
    expect(response.headers).toMatchObject({
      'content-security-policy': expect.stringMatching(
        /^default-src 'none'; style-src 'sha256-[^']+'; form-action 'self'; .*frame-ancestors 'none'$/u,
      ) as string,
      'cache-control': 'no-store',
      'referrer-policy': 'no-referrer',
    })
    const unknown = await page('"><script>')
    expect([unknown.statusCode, unknown.body]).toEqual([404, expect.stringContaining('There is no such login request')])
    expect(unknown.body).not.toContain('<script')
  })

  it.each([
    ['another field', '{ myself { id } }'],
    ['another field beside an open one', `mutation { createFlashAuthRequest { id } deleteEndpoint(id: "x") }`],
    ['a mutation called as a query', '{ createFlashAuthRequest { id } }'],
    ['a fragment', 'query { ...all } fragment all on Query { myself { id } }'],
    ['an inline fragment', '{ ... on Query { myself { id } } }'],
    ['introspection', '{ __schema { types { name } } }'],
  ])('refuses a request without a key for %s', async (_what, query) => {
    expect(await ask(query)).toMatchObject({ status: 401, error: expect.stringContaining('carries no API key') as string })
  })

  it('lets the MCP server read what is public without a key', async () => {
    expect(
      (await ask('{ gpuTypes { id memoryInGb lowestPrice(input: { gpuCount: 1 }) { stockStatus uninterruptablePrice } } }')).error,
    ).toBeUndefined()
  })

  it('refuses an address that asks too often, and says when to come back', async () => {
    const statuses = await Promise.all(Array.from({ length: 25 }, () => page('x')))
    expect(statuses.filter(({ statusCode }) => statusCode === 429)).toHaveLength(5)
    expect(statuses.at(-1)?.headers['retry-after']).toBeDefined()
  })
})
