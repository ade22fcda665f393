// `/docs` in a real browser: the page that shows the OpenAPI document, as the built gateway serves it (ADR 47).
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openBrowser } from '../harness/browser.ts'
import { startStack, type Stack } from '../harness/stack.ts'
import { suiteThatNeeds } from '../harness/suite.ts'

interface OpenApi {
  readonly paths: Readonly<Record<string, Readonly<Record<string, unknown>>>>
}

await suiteThatNeeds(['redis', 'browser'], '/docs in a browser', () => {
  const scope = new AsyncDisposableStack()
  let stack: Stack
  let page: Page
  /** Errors and warnings of the page, among them what its content security policy blocks. */
  const complaints: string[] = []
  const requests: string[] = []

  beforeAll(async () => {
    stack = scope.adopt(await startStack({ host: 'process' }), (started) => started.stop())
    page = await (await openBrowser(scope)).newPage()
    page.on('console', (message) => complaints.push(`${message.type()}: ${message.text()}`))
    page.on('pageerror', (error) => complaints.push(error.message))
    page.on('request', (request) => requests.push(request.url()))
    await page.goto(`${stack.url}/docs`)
    await page.locator('.opblock-tag').first().waitFor()
  })
  afterAll(() => scope.disposeAsync())

  test('lists every operation of the document, without an error in the console', async () => {
    const { paths } = (await (await fetch(`${stack.url}/openapi.json`)).json()) as OpenApi
    const described = Object.entries(paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    )
    const shown: string[] = []
    // One tag after the other, as a reader does.
    for (const tag of await page.locator('.opblock-tag').all()) {
      await tag.click()
      shown.push(...(await operationsOf(page)))
      await tag.click()
    }
    expect(shown.toSorted()).toEqual(described.toSorted())
    expect(described.length).toBeGreaterThan(50)
    expect(complaints).toEqual([])
  })

  test('sends a request that the reader tries out, and shows its answer', async () => {
    const operation = page.locator('.opblock', { has: page.locator('[data-path="/healthz"]') })
    await page.locator('.opblock-tag').last().click()
    await operation.locator('.opblock-summary').click()
    await operation.getByRole('button', { name: 'Execute' }).click()
    await expect(operation.locator('.live-responses-table .response-col_status').last().innerText()).resolves.toMatch(/^200/u)
    expect(complaints).toEqual([])
  })

  test('loads nothing from another host, and its policy would not let it', async () => {
    const ours = (url: string): boolean => url.startsWith(`${stack.url}/`) || url.startsWith('data:')
    expect(requests.filter((url) => !ours(url))).toEqual([])
    expect(requests.length).toBeGreaterThan(3)
    const blocked = await page.evaluate(() => fetch('http://localhost:1/').catch((error: Error) => error.message))
    expect(blocked).toMatch(/Failed to fetch/u)
    expect(complaints.join('\n')).toMatch(/violates the following Content Security Policy directive: "connect-src 'self'"/u)
  })
})

/** Of the tags that are open. */
function operationsOf(page: Page): Promise<readonly string[]> {
  return page.locator('.opblock-summary').evaluateAll((rows) =>
    rows.map((row) => {
      const textOf = (selector: string): string => row.querySelector(selector)?.textContent ?? ''
      // The page lets long paths wrap at characters of no width.
      return `${textOf('.opblock-summary-method')} ${textOf('.opblock-summary-path').replaceAll('\u200B', '')}`
    }),
  )
}
