// Signing a browser in (ADR 89): what a session opens, from which requests it counts, and when it ends.
import { createSend, type Answer, type RequestOptions } from '@runyard/testing'
import { beforeAll, describe, expect, it, vi } from 'vitest'
import type { TestGateway } from '../testing/gateway.ts'
import { useGateways } from '../testing/use-gateway.ts'

const startGateway = useGateways()
let gateway: TestGateway
let send: (path: string, options?: RequestOptions) => Promise<Answer>
beforeAll(async () => {
  gateway = await startGateway({ listen: { names: ['yard.example'] } })
  send = createSend(gateway.publicUrl)
})

const PAGE = { 'sec-fetch-site': 'same-origin', 'x-runyard': '1' }
const begin = (body: unknown, headers: Record<string, string> = PAGE) => send('/runyard/v1/session', { method: 'POST', body, headers })
const cookieOf = ({ headers }: Answer): string => headers.get('set-cookie')?.split(';', 1)[0] ?? ''
const signIn = async (key = gateway.key) => cookieOf(await begin({ key }))
const CURRENT = '/runyard/v1/keys/current'

describe('a session', () => {
  it('is begun with a key, and is a cookie that no script can read and no other site can send', async () => {
    const answer = await begin({ key: gateway.key })
    expect(answer).toMatchObject({ status: 204, text: '' })
    const { id } = await gateway.store.instance()
    expect(answer.headers.get('set-cookie')).toMatch(
      new RegExp(`^runyard-session-${id}=[\\w-]{43}; Max-Age=2592000; Path=/; HttpOnly; SameSite=Strict$`, 'u'),
    )
    const { json } = await send(CURRENT, { headers: { ...PAGE, cookie: cookieOf(answer) } })
    expect(json).toMatchObject({ name: 'test', scopes: ['admin'] })
  })

  it('has a cookie for TLS alone behind a proxy that speaks it', async () => {
    const headers = { ...PAGE, 'x-forwarded-proto': 'https' }
    const answer = await begin({ key: gateway.key }, headers)
    expect(answer.headers.get('set-cookie')).toMatch(/^__Host-runyard-session-.*; Path=\/; HttpOnly; Secure; SameSite=Strict$/u)
    expect((await send(CURRENT, { headers: { ...headers, cookie: cookieOf(answer) } })).status).toBe(200)
    // A cookie that anything on the way could have set without TLS.
    const plain = cookieOf(answer).replace('__Host-', '')
    expect((await send(CURRENT, { headers: { ...headers, cookie: plain } })).status).toBe(401)
  })

  it('is begun with a code of a key that may view, once', async () => {
    const { json, status } = await gateway.call('/runyard/v1/session/codes', { method: 'POST' })
    expect(status).toBe(201)
    const first = await begin({ code: json['code'] })
    expect((await send(CURRENT, { headers: { ...PAGE, cookie: cookieOf(first) } })).json).toMatchObject({ name: 'test' })
    expect(await begin({ code: json['code'] })).toMatchObject({
      status: 401,
      json: { detail: expect.stringContaining('`runyard open`') as string },
    })
    const { plain } = await gateway.store.keys.create({ name: 'runner', ownerId: 'owner', scopes: ['run'] })
    const runner = createSend(gateway.publicUrl, { authorization: `Bearer ${plain}` })
    expect((await runner('/runyard/v1/session/codes', { method: 'POST' })).status).toBe(403)
  })

  it('shares answers with other pages that ask the same; a program gets its own', async () => {
    const path = `/runyard/v1/timeline?from=${Date.now() - 60_000}&to=${Date.now()}&px=1000`
    const [one, other] = [await signIn(), await signIn()]
    const ask = async (headers: Record<string, string>) => {
      const { json, headers: answered } = await send(path, { headers: { 'accept-encoding': 'gzip', ...headers } })
      return [json['now'], json['px'], answered.get('content-type')]
    }
    const first = await ask({ ...PAGE, cookie: one })
    expect(first).toEqual([expect.any(Number), 1000, 'application/json; charset=utf-8'])
    expect(await ask({ ...PAGE, cookie: other })).toEqual(first)
    const authorization = `Bearer ${gateway.key}`
    await vi.waitFor(async () => expect((await ask({ authorization }))[0]).not.toBe(first[0]))
  })

  it('is not begun with what is no key, and bodies are named by what they lack', async () => {
    expect(await begin({ key: 'rpa_wrong' })).toMatchObject({ status: 401, json: { detail: 'This is no API key of this Runyard.' } })
    for (const body of [{}, { key: 1 }, { key: gateway.key, code: 'x' }, []]) {
      expect(await begin(body)).toMatchObject({
        status: 422,
        json: { detail: expect.stringContaining('must be {"key": …} or {"code": …}') as string },
      })
    }
  })

  it('is not begun by another site, which could sign somebody in as another one', async () => {
    for (const headers of [{}, { 'x-runyard': '1' }, { 'sec-fetch-site': 'same-origin' }, { ...PAGE, 'sec-fetch-site': 'same-site' }]) {
      const { status, headers: answered } = await begin({ key: gateway.key }, headers)
      expect([status, answered.get('set-cookie')]).toEqual([403, null])
    }
  })

  it('ends when its user signs out', async () => {
    const cookie = await signIn()
    const out = (headers: Record<string, string>) => send('/runyard/v1/session', { method: 'DELETE', headers: { ...headers, cookie } })
    expect((await out({})).status).toBe(403)
    const answer = await out(PAGE)
    expect([answer.status, answer.headers.get('set-cookie')]).toEqual([204, expect.stringMatching(/=; Max-Age=0; Path=\/; /u)])
    expect(await send(CURRENT, { headers: { ...PAGE, cookie } })).toMatchObject({
      status: 401,
      json: { detail: 'The session has ended: sign in again.' },
    })
    expect((await out(PAGE)).status).toBe(204)
  })

  it('ends with its key, and with it what it has open', async () => {
    const { key, plain } = await gateway.store.keys.create({ name: 'short', ownerId: 'owner' })
    const cookie = await signIn(plain)
    const headers = { ...PAGE, cookie }
    const live = await fetch(`${gateway.publicUrl}/runyard/v1/live?topics=pool`, { headers })
    expect(live.status).toBe(200)
    const read = live.text().then(
      () => 'ended',
      () => 'cut',
    )
    await gateway.store.keys.revoke(key.id)
    expect(await read).toBe('cut')
    await vi.waitFor(async () => expect((await send(CURRENT, { headers })).status).toBe(401))
  })
})

describe('a cookie counts', () => {
  /** `own`: of the page itself, without TLS. */
  const own = () => ({ origin: gateway.publicUrl, 'x-runyard': '1' })
  const elsewhere = { origin: 'http://127.0.0.1:1', 'x-runyard': '1' }
  const { 'x-runyard': _header, ...bare } = PAGE

  it.each([
    ['GET', 'a read of the page', bare, 200],
    ['GET', 'a read without TLS, where browsers name no origin', {}, 200],
    ['GET', 'a read of another site', { 'sec-fetch-site': 'cross-site' }, 403],
    ['GET', 'a read of another port of this host', { 'sec-fetch-site': 'same-site', 'x-runyard': '1' }, 403],
    ['GET', 'an address that was typed', { 'sec-fetch-site': 'none' }, 403],
    ['GET', 'a read of another origin', elsewhere, 403],
    ['POST', 'a change of the page', PAGE, 201],
    ['POST', 'a change without the header', bare, 403],
    ['POST', 'a change of another origin', elsewhere, 403],
    ['POST', 'a change that names no origin', { 'x-runyard': '1' }, 403],
  ])('with %s for %s: %j → %i', async (method, _what, headers, status) => {
    const cookie = await signIn()
    const path = method === 'GET' ? CURRENT : '/runyard/v1/session/codes'
    expect((await send(path, { method, headers: { ...headers, cookie } })).status).toBe(status)
  })

  it('with a change of the page without TLS, by its origin', async () => {
    const cookie = await signIn()
    expect((await send('/runyard/v1/session/codes', { method: 'POST', headers: { ...own(), cookie } })).status).toBe(201)
  })

  it('on the job plane with the header alone, and neither for metrics nor for what workers serve', async () => {
    const cookie = await signIn()
    const { id } = await gateway.addEndpoint()
    const jobId = await gateway.submit(id)
    const status = async (path: string, headers: Record<string, string>) => (await send(path, { headers: { ...headers, cookie } })).status
    expect(await status(`/v2/${id}/status/${jobId}`, PAGE)).toBe(200)
    for (const path of [`/v2/${id}/status/${jobId}`, `/v2/${id}/stream/${jobId}`, `/v1/${id}/health`])
      expect(await status(path, bare)).toBe(403)
    const run = { method: 'POST', body: { input: 1 } }
    expect((await send(`/v2/${id}/run`, { ...run, headers: { ...PAGE, cookie } })).status).toBe(200)
    expect((await send(`/v2/${id}/run`, { ...run, headers: { ...bare, cookie } })).status).toBe(403)
    expect(await status(`/lb/${id}/x`, PAGE)).toBe(401)
    expect(await status('/metrics', { ...PAGE, 'x-forwarded-for': '1.2.3.4' })).toBe(401)
    expect((await fetch(`${gateway.workerPlaneUrl}/v2/${id}/health`, { headers: { ...PAGE, cookie } })).status).toBe(401)
  })

  it('not against a key: the key wins', async () => {
    const cookie = await signIn()
    expect((await send(CURRENT, { headers: { ...PAGE, cookie, authorization: 'Bearer rpa_wrong' } })).status).toBe(401)
    expect((await gateway.call(CURRENT, { headers: { cookie, 'sec-fetch-site': 'cross-site' } })).status).toBe(200)
  })

  it('not under a foreign Host (DNS rebinding), but under loopback names and those of listen.names; nor does it begin there', async () => {
    const cookie = await signIn()
    const as = async (host: string) =>
      (await gateway.apps.publicApp.inject({ url: CURRENT, headers: { ...PAGE, cookie, host } })).statusCode
    expect(await as('evil.test:8080')).toBe(403)
    expect(await as('yard.example')).toBe(200)
    expect(await as('localhost:8080')).toBe(200)
    expect(await as('[::1]:8080')).toBe(200)
    const code = { url: '/runyard/v1/session', method: 'POST', payload: { key: gateway.key } } as const
    const begun = await gateway.apps.publicApp.inject({ ...code, headers: { ...PAGE, host: 'evil.test:8080' } })
    expect([begun.statusCode, begun.headers['set-cookie']]).toEqual([403, undefined])
    expect(await begin({ key: gateway.key }, { ...PAGE, 'x-forwarded-host': 'evil.test' })).toMatchObject({ status: 204 })
  })
})

it('paces those who guess', async () => {
  const tries = await Promise.all(Array.from({ length: 40 }, () => begin({ code: 'AAAA-AAAA-AAAA' })))
  const refused = tries.filter(({ status }) => status === 429)
  expect(refused.length).toBeGreaterThan(0)
  expect(refused[0]?.headers.get('retry-after')).toBeDefined()
})
