// What the gateway serves to browsers (ADR 88): the page at its addresses, below any path, and nothing of it where the API is.
import { beforeAll, describe, expect, it } from 'vitest'
import { createTrust } from '../http/base-url.ts'
import type { TestGateway } from '../testing/gateway.ts'
import { useGateways } from '../testing/use-gateway.ts'
import { readPage } from './routes.ts'

const startGateway = useGateways()
let gateway: TestGateway
beforeAll(async () => {
  gateway = await startGateway({ listen: { basePath: '/below' } })
})

const ask = (path: string, headers: Record<string, string> = {}, init: RequestInit = {}) =>
  fetch(gateway.publicUrl + path, { redirect: 'manual', headers, ...init })
const HTML = { accept: 'text/html,application/xhtml+xml' }

describe('the page', () => {
  it.each(['/', '/sign-in', '/jobs', '/jobs/a-job', '/gpus/GPU-1/', '/endpoints', '/endpoints/e/logs', '/settings/keys?x=1', '//usage'])(
    'is at %s',
    async (path) => {
      const response = await ask(path)
      expect([response.status, response.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8'])
      expect(await response.text()).toContain('<div id="root">')
      expect(response.headers.get('cache-control')).toBe('no-store')
      expect(Object.fromEntries(response.headers)).toMatchObject({
        'content-security-policy': expect.stringMatching(
          /^default-src 'none'; script-src 'self'; style-src 'self'; .*base-uri 'none'; .*frame-ancestors 'none'; require-trusted-types-for 'script'; /u,
        ) as string,
        'cross-origin-opener-policy': 'same-origin',
        'referrer-policy': 'no-referrer',
        'x-content-type-options': 'nosniff',
      })
    },
  )

  it.each(['/v2/x/run/y', '/runyard/v1/nope', '/jobs/a/b/c/d', '/nope', '/assets/nope.js', '/v1', '/docs/nope'])(
    'is not at %s: a program gets a 404 in JSON',
    async (path) => {
      const response = await ask(path)
      expect([response.status, response.headers.get('content-type')]).toEqual([404, expect.stringMatching(/json/u)])
    },
  )

  it('says to a browser what no page is, and leaves the addresses of the API alone', async () => {
    const unknown = await ask('/nope', HTML)
    expect([unknown.status, unknown.headers.get('content-type')]).toEqual([404, 'text/html; charset=utf-8'])
    expect((await ask('/v2/nope', HTML)).headers.get('content-type')).toMatch(/json/u)
    expect((await ask('/jobs', HTML, { method: 'POST' })).status).toBe(404)
  })

  it('has files that browsers keep for good, compressed for those that take it', async () => {
    const [, script = ''] = /<script[^>]* src="([^"]+)"/u.exec(await (await ask('/')).text()) ?? []
    expect(script).toMatch(/^\/below\/assets\/index-[\w-]+\.js$/u)
    const sizes = await Promise.all(
      ['br', 'gzip', 'identity'].map(async (coding) => {
        const response = await ask(script, { 'accept-encoding': coding })
        expect([response.status, response.headers.get('content-encoding') ?? 'identity']).toEqual([200, coding])
        expect(response.headers.get('cache-control')).toBe('public, max-age=31536000, immutable')
        expect(response.headers.get('x-content-type-options')).toBe('nosniff')
        return Number(response.headers.get('content-length'))
      }),
    )
    expect(sizes).toEqual(sizes.toSorted((a, b) => a - b))
  })

  it('knows the path that it is served below: as the proxy says, else as configured', async () => {
    expect(await (await ask('/jobs/1', { 'x-forwarded-prefix': '/yard/' })).text()).toMatch(
      /name="runyard-base" content="\/yard\/"[^]*src="\/yard\/assets\//u,
    )
    for (const prefix of ['//evil.test', 'evil', '/a"b']) {
      const html = await (await ask('/', { 'x-forwarded-prefix': prefix })).text()
      expect(html).toContain('content="/"')
      expect(html).not.toContain('evil')
    }
    for (const path of ['/below', '/below/jobs', '/below/?x']) expect(await (await ask(path)).text()).toContain('content="/below/"')
    expect((await ask('/below/healthz')).status).toBe(200)
    expect((await ask('/belowhealthz')).status).toBe(404)
  })

  it('names the files of the page that is asked for, so that they come with those of the start', async () => {
    const namedFor = async (path: string) => [
      ...(await (await ask(path)).text()).matchAll(/href="(\/below\/assets\/([a-z-]+-page)-[^"]+)"/gu),
    ]
    const named = await namedFor('/jobs?range=24h')
    expect(new Set(named.map(([, , page]) => page))).toEqual(new Set(['jobs-page']))
    for (const [, file = ''] of named) expect((await ask(file)).status).toBe(200)
    expect(await namedFor('/jobs/1')).toEqual([])
  })

  it('takes its address only from trusted proxies', async () => {
    const { publicUrl } = await startGateway({ listen: { trustedProxies: ['10.0.0.0/8', 'fd00::/8'] } })
    const claims = { 'x-forwarded-prefix': '/yard', 'x-forwarded-host': 'evil.test', 'x-forwarded-proto': 'https' }
    expect(await (await fetch(publicUrl, { headers: claims })).text()).toContain('name="runyard-base" content="/"')
    const isTrusted = createTrust(['10.0.0.0/8', 'fd00::/8', '192.168.1.7'])
    const peers = ['10.1.2.3', '::ffff:10.1.2.3', 'fd12::1', '192.168.1.7', '192.168.1.8', '127.0.0.1', '::1', '']
    expect(peers.filter(isTrusted)).toEqual(['10.1.2.3', '::ffff:10.1.2.3', 'fd12::1', '192.168.1.7'])
  })

  it('is where links of Runpod’s tools lead', async () => {
    const leads = async (path: string) => (await ask(path)).headers.get('location')
    expect(await leads('/serverless/user/endpoint/abc')).toBe('/below/endpoints/abc')
    expect(await leads('/user/storage')).toBe('/below/settings/volumes')
  })

  it('says how to build it where it is not', async () => {
    await expect(readPage({ base: '/', path: '/' }, '/nowhere')).rejects.toThrow(/^The page is not built: `\.\/runyard exec/u)
  })
})
