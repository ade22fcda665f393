// The page below a path behind a real Caddy with TLS (ADR 88): links, files, session and stream.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startCaddy, type Caddy } from '../../harness/caddy.ts'
import { signOut, visit, type PageSite } from '../../harness/page.ts'
import { isLive, isNotLive } from './faults.ts'
import { untilFilled } from './looks.ts'
import { askForLogin } from './sign-in.ts'

const KINDS = ['/jobs', '/gpus', '/usage', '/failures', '/logs', '/start', '/settings/hosts'] as const

export function proxyScenarios(site: () => PageSite): void {
  describe('below a path behind Caddy with TLS', () => {
    let caddy: Caddy
    beforeAll(async () => {
      caddy = await startCaddy(site().stack.url)
    })
    afterAll(() => caddy?.[Symbol.asyncDispose]())

    test('pages of each kind are there, and ask for nothing above the path', async () => {
      await using opened = await site().open(`/#c=${await site().makeCode()}`, { as: 'anonymous', base: caddy.base })
      const { page } = opened
      await isLive(opened)
      const above: string[] = []
      page.on('request', (request) => {
        if (!new URL(request.url()).pathname.startsWith('/yard/')) above.push(request.url())
      })
      const endpoint = await site().stack.api.saveEndpoint({ name: 'behind', workersMax: 0 })
      for (const path of [
        ...KINDS,
        ...['', '/requests', '/metrics', '/settings', '/preview'].map((tab) => `/endpoints/${endpoint}${tab}`),
      ]) {
        await page.evaluate(`history.pushState({}, '', ${JSON.stringify(`/yard${path}`)})`)
        await untilFilled(page)
        const links = await page.locator('a[href^="/"]').evaluateAll((all) => all.map((link) => link.getAttribute('href')))
        above.push(...links.filter((link) => link?.startsWith('/yard') !== true).map((link) => `${path} links to ${link}`))
      }
      expect(above).toEqual([])
      await site().stack.api.deleteEndpoint(endpoint)
    })

    test('deep links, files, the session and the stream work, and a stream that is cut goes on', async () => {
      const code = await site().makeCode()
      const { base } = caddy
      await using opened = await site().open(`/settings/keys#c=${code}`, {
        as: 'anonymous',
        base,
        expected: [/net::ERR_/u, /status of (?:401|502)/u],
      })
      const { page, context } = opened
      await page.getByRole('heading', { name: /keys/iu }).first().waitFor()
      expect(new URL(page.url()).pathname).toBe('/yard/settings/keys')
      expect(await context.cookies()).toMatchObject([
        { name: expect.stringMatching(/^__Host-runyard-session-/u) as string, secure: true, httpOnly: true, sameSite: 'Strict', path: '/' },
      ])
      await page.reload()
      await page.getByRole('heading', { name: /keys/iu }).first().waitFor()
      await page.getByRole('link', { name: 'Yard', exact: true }).click()
      await isLive(opened)
      expect(new URL(page.url()).pathname).toBe('/yard/')
      await caddy.stop()
      await isNotLive(opened)
      await caddy.start()
      await isLive(opened)
      await visit(opened, `${base}/flash/login?request=${await askForLogin(site())}`)
      await page.getByLabel(/API key/u).fill(site().stack.key)
      await page.getByRole('button', { name: 'Deny' }).click()
      await page.getByRole('heading', { name: 'Denied' }).waitFor()
      await visit(opened, `${base}/`)
      await signOut(page)
      await page.getByLabel(/API key/u).waitFor()
      expect(new URL(page.url()).pathname).toBe('/yard/sign-in')
    })
  })
}
