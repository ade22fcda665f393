// What the page says when something is away, and that it is right again afterwards without a reload.
import type { Page } from 'playwright-core'
import { describe, expect, test } from 'vitest'
import type { OpenedPage, PageSite } from '../../harness/page.ts'
import { findNoTitle, pagesOf, pictureOf, untilFilled } from './looks.ts'

/** Chromium's own words for requests without an answer. */
const AWAY = [/net::ERR_/u, /status of 50\d/u, /Failed to fetch/u]

/** Run in the page, as if its tab were put behind another one, and back. */
const [HIDE, SHOW] = ['hidden', 'visible'].map(
  (state) => `Object.defineProperty(document, 'visibilityState', { configurable: true, get: () => '${state}' })
  document.dispatchEvent(new Event('visibilitychange'))`,
) as [string, string]

/** Pages that show nothing that is read from Redis, or say it in words of their own. */
const SILENT = /^\/(?:start|endpoints\/new|settings\/(?:about|config))$/u

export const isLive = (opened: OpenedPage) => opened.page.getByRole('status').filter({ hasText: '● live' }).waitFor()
export const isNotLive = (opened: OpenedPage) => opened.page.getByRole('status').filter({ hasText: 'not live' }).waitFor()

export function faultScenarios(site: () => PageSite): void {
  describe('when something is away', () => {
    const rowsOf = async ({ page }: OpenedPage, name: string) => page.getByRole('row').filter({ hasText: name }).count()

    test('a network that changes: files that did not come are asked for again, styles too', async () => {
      await using opened = await site().open('/', { expected: AWAY })
      const { page } = opened
      await isLive(opened)
      const asked = await breakFirstRequests(page)
      await page.getByRole('link', { name: 'GPUs' }).click()
      await page.getByRole('heading', { level: 1, name: 'GPUs' }).waitFor()
      await page.keyboard.press('?')
      await page.getByRole('dialog').waitFor()
      for (const ending of ['.js', '.css']) expect([...asked].filter((url) => url.endsWith(ending)).length).toBeGreaterThan(1)
      expect(
        await page.evaluate(`[...document.querySelectorAll('link[rel=stylesheet]')].filter(({ sheet }) => sheet === null).length`),
      ).toBe(0)
    })

    test('a page whose files do not come says so, and appears at another try', async () => {
      await using opened = await site().open('/', { expected: [...AWAY, /dynamically imported module/u] })
      const { page } = opened
      await isLive(opened)
      await page.route('**/assets/usage-page-*.js', (route) => route.abort('internetdisconnected'))
      await page.getByRole('link', { name: 'Usage' }).click()
      await page.getByRole('alert').filter({ hasText: 'dynamically imported module' }).waitFor()
      await page.unroute('**/assets/usage-page-*.js')
      await page.getByRole('button', { name: 'Try again' }).click()
      await page.getByRole('heading', { level: 1, name: 'Usage' }).waitFor()
      expect(await page.getByRole('alert').count()).toBe(0)
    })

    test('a stream whose request gets no answer is asked for again', async () => {
      await using opened = await site().open('/start', { expected: AWAY, aheadMs: 0 })
      const { page } = opened
      const asked: string[] = []
      await page.route('**/runyard/v1/live*', (route) => void asked.push(route.request().url()), { times: 1 })
      await page.getByRole('link', { name: 'Yard', exact: true }).click()
      await expect.poll(() => asked.length).toBe(1)
      await page.clock.fastForward('00:20')
      await isLive(opened)
    })

    test('a gateway that is killed: the page says that it is not live, and goes on when the gateway is back', async () => {
      const { stack } = site()
      await stack.api.saveEndpoint({ name: 'stays' })
      await using opened = await site().open('/', { expected: AWAY })
      await isLive(opened)
      await expect.poll(() => rowsOf(opened, 'stays')).toBe(1)
      await using jobs = await site().open('/jobs', { expected: AWAY })
      await isLive(jobs)
      await stack.gateway.kill()
      await isNotLive(opened)
      await isNotLive(jobs)
      expect([await opened.look(), await jobs.look()]).toEqual([[], []])
      // What was known stays to be read.
      expect(await rowsOf(opened, 'stays')).toBe(1)
      await stack.gateway.start()
      await isLive(opened)
      await stack.api.saveEndpoint({ name: 'afterwards' })
      await expect.poll(() => rowsOf(opened, 'afterwards')).toBe(1)
      expect(await rowsOf(opened, 'stays')).toBe(1)
    })

    /** The ids of the list of jobs, as they are seen. */
    const listedIds = ({ page }: OpenedPage) =>
      page.locator('[role=row] a[data-job]').evaluateAll((links) => links.map((link) => link.getAttribute('title')))

    test('a page that was hidden for five minutes, its stream cut: each job is listed once, and what came meanwhile, too', async () => {
      const { stack } = site()
      const endpointId = await stack.api.saveEndpoint({ name: 'hidden', workersMax: 0 })
      const submit = () => stack.api.run(endpointId, { prompt: 'x' })
      const before = [await submit(), await submit()]
      await using opened = await site().open('/jobs?endpoint=hidden', { expected: AWAY, aheadMs: 0 })
      const { page } = opened
      await isLive(opened)
      await expect.poll(() => listedIds(opened)).toEqual(before.toReversed())
      await page.evaluate(HIDE)
      await page.clock.fastForward('05:00')
      await page.getByRole('status').filter({ hasText: '■ paused' }).waitFor()
      const third = await submit()
      await page.evaluate(SHOW)
      await isLive(opened)
      await expect.poll(() => listedIds(opened)).toEqual([...before, third].toReversed())
      await stack.api.deleteEndpoint(endpointId)
    })

    test('a browser whose clock is two hours ahead: ranges end at the gateway’s now, and ages are counted from there', async () => {
      const { stack } = site()
      const endpointId = await stack.api.saveEndpoint({ name: 'ahead', workersMax: 0 })
      const id = await stack.api.run(endpointId, { prompt: 'x' })
      await stack.api.request(`/v2/${endpointId}/cancel/${id}`, { method: 'POST' })
      await using opened = await site().open('/jobs?endpoint=ahead', { aheadMs: 2 * 3_600_000 })
      await expect.poll(() => listedIds(opened)).toEqual([id])
      const row = opened.page.getByRole('row').filter({ hasText: 'CANCELLED' })
      await expect.poll(() => row.textContent()).toMatch(/\d s ago/u)
      await stack.api.deleteEndpoint(endpointId)
    })

    test('a Redis that hangs: the page says that it is away, and goes on when it answers again', async () => {
      const { stack } = site()
      const endpointId = await stack.api.saveEndpoint({ name: 'hanging', workersMax: 0 })
      await using opened = await site().open('/jobs?endpoint=hanging', { expected: AWAY })
      await isLive(opened)
      process.kill(stack.redis.pid, 'SIGSTOP')
      try {
        await opened.page.getByRole('status').filter({ hasText: 'Redis is away' }).waitFor()
      } finally {
        process.kill(stack.redis.pid, 'SIGCONT')
      }
      await isLive(opened)
      const id = await stack.api.run(endpointId, { prompt: 'x' })
      await expect.poll(() => listedIds(opened)).toEqual([id])
      await stack.api.deleteEndpoint(endpointId)
    })

    test('a Redis that is away: the page says so in the gateway’s sentence, and is right again afterwards', async () => {
      const { stack } = site()
      const endpoint = await stack.api.saveEndpoint({ name: 'looked-at-meanwhile', workersMax: 0 })
      await using scope = new AsyncDisposableStack()
      const open = async (path: string) => scope.use(await site().open(path, { expected: AWAY }))
      const opened = await open('/')
      const tabs = [opened, await open('/jobs'), await open('/'), await open('/jobs')]
      for (const tab of tabs) await isLive(tab)
      await stack.redis.kill()
      for (const { page } of tabs) await page.getByRole('alert').filter({ hasText: /Redis/u }).first().waitFor()
      await opened.page.getByRole('status').filter({ hasText: 'Redis is away' }).waitFor()
      expect(await opened.page.getByText('Nothing needs you').count()).toBe(0)
      // A page that is opened now says so, too, and appears once Redis is back.
      const late = await open('/usage')
      await late.page.getByRole('alert').filter({ hasText: /Redis/u }).waitFor()
      const pages = [...pagesOf(endpoint), ...['jobs', 'workers', 'gpus', 'hosts'].map((kind) => `/${kind}/one`)]
      // They wait for the same tries, so several go at a time.
      const found = await Promise.all(
        tabs.map((tab, at) =>
          barriersOf(
            tab,
            pages.filter((_, index) => index % tabs.length === at),
          ),
        ),
      )
      expect(found.flat()).toEqual([])
      for (const tab of tabs) await goTo(tab, '/')
      await stack.redis.restart()
      await late.page.getByRole('heading', { level: 1, name: 'Usage' }).waitFor({ timeout: 60_000 })
      await expect.poll(() => opened.page.getByRole('alert').count(), { timeout: 60_000 }).toBe(0)
      await isLive(opened)
    })
  })
}

/** The first request of each file gets no answer. Returns the files that were asked for. */
async function breakFirstRequests(page: Page): Promise<ReadonlySet<string>> {
  const asked = new Set<string>()
  await page.route('**/assets/**', async (route) => {
    const url = route.request().url()
    if (asked.has(url)) return await route.continue()
    asked.add(url)
    await route.abort('internetdisconnected')
  })
  return asked
}

/** Without a reload: while Redis is away, the gateway could not tell who is signed in. */
async function goTo({ page }: OpenedPage, path: string): Promise<void> {
  await page.evaluate(`history.pushState({}, '', ${JSON.stringify(path)})`)
  await untilFilled(page)
}

async function barriersOf(opened: OpenedPage, paths: readonly string[]): Promise<readonly string[]> {
  const found: string[] = []
  for (const path of paths) {
    await goTo(opened, path)
    // After the page's own tries. What shows nothing of Redis has nothing to say.
    const alert = opened.page.getByRole('alert').first()
    if (!SILENT.test(path)) await alert.waitFor().catch(() => found.push(`${path} does not say that something is away`))
    const barriers = [...(await findNoTitle(opened.page)), ...(await opened.look(pictureOf(path, 'away')))]
    found.push(...barriers.map((barrier) => `${path} ${barrier}`))
  }
  return found
}
