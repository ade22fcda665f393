// Signing in and out in a browser (ADR 89), and what other pages cannot do with its session.
import { describe, expect, test } from 'vitest'
import type { PageSite } from '../../harness/page.ts'

export function signInScenarios(site: () => PageSite): void {
  describe('signing in', () => {
    test('by a one-time code: it leaves the address, works once, and begins a session', async () => {
      const code = await site().makeCode()
      await using opened = await site().open(`/?range=6h#c=${code}`, { as: 'nobody' })
      await opened.page.getByRole('heading', { level: 1 }).first().waitFor()
      await expect.poll(() => opened.page.url()).not.toContain(code)
      const cookies = await opened.context.cookies()
      expect(cookies).toMatchObject([{ httpOnly: true, sameSite: 'Strict', path: '/' }])
      expect(await opened.page.evaluate('document.cookie')).toBe('')
      await using again = await site().open(`/#c=${code}`, { as: 'nobody', expected: [/status of 401/u] })
      await again.page.getByText(/This code is unknown, was used/u).waitFor()
    })

    test('by a key, on the way to a page; a wrong one is told', async () => {
      const { stack } = site()
      await using opened = await site().open('/sign-in', { as: 'nobody', expected: [/status of 401/u] })
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
  })
}
