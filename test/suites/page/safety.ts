// What other pages and the outputs of jobs cannot do with the session of a browser (ADR 89).
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { OTHER_NAME } from '../../harness/browser.ts'
import type { PageSite } from '../../harness/page.ts'
import { ECHO, sourceCall } from '../calls.ts'

const SCRIPT = '<img src="/nothing" onerror="document.title = String(1 + 1)"><script>document.title = "2"</script>'

export function safetyScenarios(site: () => PageSite): void {
  describe('safety', () => {
    let other: Server
    beforeAll(async () => {
      other = createServer((_request, response) => response.writeHead(200, { 'content-type': 'text/html' }).end('<!doctype html>'))
      await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve))
    })
    afterAll(() => {
      other.closeAllConnections()
      other.close()
    })

    test('a page of another port of the same host, to which the browser sends the cookie, can neither read nor act', async () => {
      const { stack } = site()
      await using opened = await site().open('/', { expected: [/status of 40[13]/u, /CORS policy/u, /net::ERR_/u, /frame-ancestors/u] })
      const { page } = opened
      await page.goto(`http://127.0.0.1:${(other.address() as AddressInfo).port}/`)
      // 403 and not 401: the cookie came along, and did not count.
      const answered = page.waitForResponse((response) => response.url().endsWith('?from-elsewhere'))
      const attempts = await page.evaluate(attack, stack.url)
      expect((await answered).status()).toBe(403)
      expect(attempts).toEqual(['Failed to fetch', 'Failed to fetch', 'opaque', 'opaque', 'no frame'])
      expect((await stack.api.endpoints()).map(({ name }) => name)).not.toContain('planted')
      // The session is still what it was.
      await page.goto(stack.url)
      await page.getByRole('link', { name: 'Yard', exact: true }).waitFor()
    })

    test('a name of somebody else that leads to this gateway (DNS rebinding): its page can sign nobody in, and says why', async () => {
      const { stack } = site()
      await using opened = await site().open('/', { expected: [/status of 40[13]/u, /Cross-Origin-Opener-Policy/u] })
      const { page } = opened
      const { port } = new URL(stack.url)
      await page.goto(`http://${OTHER_NAME}:${port}/usage#c=${await site().makeCode()}`)
      await page.getByText(`Signing in at "${OTHER_NAME}" is refused`).waitFor()
      expect(await opened.context.cookies(`http://${OTHER_NAME}:${port}`)).toEqual([])
    })

    test('an output that is HTML stays text', async () => {
      const { stack } = site()
      const endpoint = await stack.api.saveEndpoint({ name: 'html' })
      const { id } = await stack.api.runsync(endpoint, sourceCall('echo', ECHO, { value: SCRIPT }))
      await using opened = await site().open(`/jobs/${id}`)
      const { page } = opened
      await page.getByRole('button', { name: 'Show output' }).click()
      await page.getByRole('region', { name: 'Output' }).filter({ hasText: 'onerror=' }).first().waitFor()
      expect(await page.locator('img[src="/nothing"]').count()).toBe(0)
      expect(await page.title()).toBe(`Job ${id.slice(0, 8)} · Runyard`)
    })
  })
}

/** Runs in the page. */
async function attack(url: string): Promise<string[]> {
  const wish: RequestInit = { credentials: 'include' }
  const create = { ...wish, method: 'POST', body: JSON.stringify({ name: 'planted', image: 'x', workers: { min: 0, max: 1 } }) }
  const outcomeOf = (answer: Promise<Response>): Promise<string> =>
    answer.then(({ type, status }) => (type === 'opaque' ? type : `${status}`)).catch((error: Error) => error.message)
  const frame = (): Promise<string> => {
    const { document } = globalThis as unknown as { document: { createElement(name: string): Frame; body: { append(frame: Frame): void } } }
    const made = document.createElement('iframe')
    made.src = url
    document.body.append(made)
    return new Promise((resolve) => made.addEventListener('load', () => resolve(made.contentDocument === null ? 'no frame' : 'a frame')))
  }
  return [
    await outcomeOf(fetch(`${url}/runyard/v1/keys`, wish)),
    await outcomeOf(fetch(`${url}/v2/serverless`, { ...create, headers: { 'x-runyard': '1' } })),
    await outcomeOf(fetch(`${url}/v2/serverless`, { ...create, mode: 'no-cors' })),
    await outcomeOf(fetch(`${url}/runyard/v1/keys/current?from-elsewhere`, { ...wish, mode: 'no-cors' })),
    await frame(),
  ]
}

interface Frame {
  src: string
  readonly contentDocument: unknown
  addEventListener(name: string, listener: () => void): void
}
