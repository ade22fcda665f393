// Signing in and out in a browser (ADR 89), and what other pages cannot do with its session.
import { describe, expect, test } from 'vitest'
import { signOut, visit, type PageSite } from '../../harness/page.ts'

/** As a program asks for a key of its own; returns the id of its request. */
export async function askForLogin({ stack: { api } }: PageSite): Promise<string> {
  const query = 'mutation createFlashAuthRequest { createFlashAuthRequest { id } }'
  const { json } = await api.request('/graphql', { method: 'POST', key: null, body: { query } })
  return (json as { readonly data: { readonly createFlashAuthRequest: { readonly id: string } } }).data.createFlashAuthRequest.id
}

export function signInScenarios(site: () => PageSite): void {
  describe('signing in', () => {
    test('by a one-time code: it leaves the address, works once, and begins a session', async () => {
      const code = await site().makeCode()
      await using opened = await site().open(`/?range=6h#c=${code}`, { as: 'anonymous' })
      await opened.page.getByRole('heading', { level: 1 }).first().waitFor()
      await expect.poll(() => opened.page.url()).not.toContain(code)
      await expect.poll(() => opened.context.cookies()).toMatchObject([{ httpOnly: true, sameSite: 'Strict', path: '/' }])
      expect(await opened.page.evaluate('document.cookie')).toBe('')
      await using again = await site().open(`/#c=${code}`, { as: 'anonymous', expected: [/status of 401/u] })
      await again.page.getByText(/This code is unknown, was used/u).waitFor()
    })

    test('by a one-time code whose first request the network lost: the next one uses it', async () => {
      await using opened = await site().open('/sign-in', { as: 'anonymous', aheadMs: 0, expected: [/net::ERR_/u] })
      const { page } = opened
      const lost = page.waitForEvent('requestfailed')
      await page.route('**/runyard/v1/session', (route) => route.abort('internetdisconnected'), { times: 1 })
      await page.goto(`${site().stack.url}/usage#c=${await site().makeCode()}`)
      await lost
      await page.clock.fastForward('00:06')
      await page.getByRole('heading', { level: 1, name: 'Usage' }).waitFor()
      expect(await opened.context.cookies()).toMatchObject([{ httpOnly: true }])
    })

    test('by a key, on the way to a page; a wrong one is refused in words', async () => {
      const { stack } = site()
      await using opened = await site().open('/sign-in', { as: 'anonymous', expected: [/status of 401/u] })
      const { page } = opened
      const field = page.getByLabel(/API key/u)
      await field.fill('rpa_wrong')
      await page.getByRole('button', { name: 'Sign in' }).click()
      await page.getByText(/no API key of this Runyard/u).waitFor()
      await field.fill(stack.key)
      await page.getByRole('button', { name: 'Sign in' }).click()
      await page.getByRole('link', { name: 'Yard', exact: true }).waitFor()
      const kept = await page.evaluate('JSON.stringify([{ ...localStorage }, { ...sessionStorage }, location.href])')
      expect(kept).not.toContain(stack.key)
    })

    test('leads back to the page that was asked for, and signing out ends the session', async () => {
      await using opened = await site().open('/usage?range=6h', { as: 'anonymous', expected: [/status of 401/u] })
      const { page, context } = opened
      await page.getByLabel(/API key/u).fill(site().stack.key)
      await page.getByRole('button', { name: 'Sign in' }).click()
      await page.getByRole('link', { name: 'Usage' }).first().waitFor()
      expect(page.url()).toMatch(/\/usage\?range=6h$/u)
      const cookies = await context.cookies()
      await signOut(page)
      await page.getByLabel(/API key/u).waitFor()
      await context.addCookies(cookies)
      await page.goto(`${site().stack.url}/usage`)
      await page.getByLabel(/API key/u).waitFor()
    })

    test('shuts no user out: no barrier in either theme, at any width', async () => {
      await using opened = await site().open('/sign-in', { as: 'anonymous', expected: [/status of 404/u] })
      await opened.page.getByLabel(/API key/u).waitFor()
      expect(await opened.look('sign-in')).toEqual([])
      const { url } = site().stack
      await visit(opened, `${url}/flash/login?request=${await askForLogin(site())}`)
      await opened.page.getByRole('heading', { name: 'Approve a login' }).waitFor()
      expect(await opened.look('approve')).toEqual([])
      expect(await opened.findLosses()).toEqual([])
      await visit(opened, `${url}/flash/login?request=none`)
      await opened.page.getByRole('heading', { name: 'No open login' }).waitFor()
      expect(await opened.findBarriers()).toEqual([])
    })

    test('with a key that is revoked meanwhile: the page asks for another one at once', async () => {
      const { stack } = site()
      const made = (await stack.api.post('/runyard/v1/keys', { name: 'short', scopes: ['view'] })).json
      const code = await site().makeCode(String(made['key']))
      await using opened = await site().open(`/#c=${code}`, { as: 'anonymous', expected: [/status of 401/u, /net::ERR_/u] })
      await opened.page.getByText('● live').waitFor()
      await stack.api.request(`/runyard/v1/keys/${String(made['id'])}`, { method: 'DELETE' })
      await opened.page.getByLabel(/API key/u).waitFor()
      expect(new URL(opened.page.url()).pathname).toBe('/sign-in')
    })
  })
}
