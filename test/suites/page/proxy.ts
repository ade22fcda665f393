// The page below a path behind a real Caddy with TLS (ADR 88): links, files, session and stream.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startCaddy, type Caddy } from '../../harness/caddy.ts'
import { signOut, type PageSite } from '../../harness/page.ts'
import { isLive, isNotLive } from './faults.ts'

export function proxyScenarios(site: () => PageSite): void {
  describe('below a path behind Caddy with TLS', () => {
    let caddy: Caddy
    beforeAll(async () => {
      caddy = await startCaddy(site().stack.url)
    })
    afterAll(() => caddy?.[Symbol.asyncDispose]())

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
      await signOut(page)
      await page.getByLabel(/API key/u).waitFor()
      expect(new URL(page.url()).pathname).toBe('/yard/sign-in')
    })
  })
}
