// Three of the five questions: is it healthy, why does this job wait, and what failed and why. What the page says is compared with what the API says.
import type { PastJob } from '@runyard/core'
import type {
  ExplainView,
  FailureListView,
  FoundJob,
  JobDetailView,
  JobSearchView,
  KeyListView,
  NoticeListView,
  PoolView,
} from '@runyard/schema/api'
import type { Page } from 'playwright-core'
import { beforeAll, describe, expect, test } from 'vitest'
import type { PageSite } from '../../harness/page.ts'
import { openTestStore } from '../../harness/store.ts'
import { waitFor } from '../../harness/wait.ts'
import { ECHO, NAP, sourceCall } from '../calls.ts'

const ERROR = 'executionTimeout exceeded'
const HTML = '<img src=x onerror="document.title = 1">'
/** Of the list, whatever its length. */
const MOST_NODES = 600

export function jobScenarios(of: () => PageSite): void {
  describe('jobs', () => {
    let waiting: string
    let failed: readonly string[]
    let echoed: string
    const site = (): PageSite => of()
    const get = <T>(path: string): Promise<T> => site().stack.api.read(`/runyard/v1/${path}`)
    const open = (path: string) => site().open(path)

    beforeAll(async () => {
      const { api } = site().stack
      const upscale = await api.saveEndpoint({ name: 'upscale', gpuIds: 'AMPERE_80' })
      const scan = await api.saveEndpoint({ name: 'scan', executionTimeoutMs: 5000, idleTimeout: 60, workersMax: 2 })
      waiting = await api.run(upscale, { prompt: 'a red barn' })
      failed = await Promise.all([1, 2].map(async () => api.run(scan, sourceCall('nap', NAP, { seconds: 600 }))))
      // Without a limit, so that it completes on a busy machine, too.
      const plain = await api.saveEndpoint({ name: 'plain', idleTimeout: 60 })
      echoed = await api.run(plain, sourceCall('echo', ECHO, { value: HTML }))
      await api.settled(plain, echoed)
      for (const id of failed) await api.settled(scan, id)
      await waitFor('both failures to be listed', async () => (await get<FailureListView>('failures?endpoint=scan')).total === 2)
    })

    test('the list of jobs is asked for while the code of its page still comes', async () => {
      await using opened = await open('/start')
      const { page } = opened
      // The page before it asks for the latest job alone.
      const isList = (url: URL) => url.pathname === '/runyard/v1/jobs' && url.searchParams.get('limit') === '100'
      const asked = page.waitForRequest((request) => isList(new URL(request.url())))
      await page.route('**/assets/jobs-page-*.js', async (route) => {
        await asked
        await route.continue()
      })
      await page.goto(`${site().stack.url}/jobs`)
      await page.getByRole('row').nth(1).waitFor()
      expect((await asked).method()).toBe('GET')
    })

    test('the Yard says whether it is healthy: what needs a person, cards in use, and each endpoint as it is', async () => {
      await using opened = await open('/')
      const { page } = opened
      const { hosts } = await get<PoolView>('pool')
      const { notices } = await get<NoticeListView>('notices')
      const { message } = await get<ExplainView>(`explain/${waiting}`)
      const needs = page.getByRole('region', { name: 'Needs you' }).getByRole('listitem')
      await needs
        .filter({ hasText: `1 job waits: ${message}` })
        .getByText('runyard explain upscale')
        .waitFor()
      for (const notice of notices) await needs.filter({ hasText: notice.message }).first().waitFor()
      const cards = hosts.flatMap(({ gpus }) => gpus)
      const inUse = cards.filter(({ holders }) => holders.length > 0).length
      await page
        .getByText(`${await needs.count()} thing`)
        .first()
        .waitFor()
      await page.getByText(`${inUse} of ${cards.length} cards in use on ${hosts.length} host`).waitFor()
      for (const { id, name } of await site().stack.api.endpoints()) {
        const { jobs, workers } = await site().stack.api.health(id)
        const row = page
          .getByRole('table', { name: 'Endpoints' })
          .getByRole('row')
          .filter({ has: page.getByRole('link', { name, exact: true }) })
        await expect
          .poll(async () => (await row.getByRole('cell').allInnerTexts()).slice(2, 4))
          .toEqual([`${jobs.inQueue}`, `${jobs.inProgress}`])
        expect(await row.innerText()).toContain(`${workers.running} busy, ${workers.idle} idle`)
      }
      await needs.getByRole('link', { name: 'jobs that wait at upscale' }).click()
      await page.getByRole('link', { name: waiting.slice(0, 8) }).waitFor()
    })

    test('a waiting job says why, and each host and card what it refused', async () => {
      await using opened = await open('/jobs?endpoint=upscale')
      const { page } = opened
      const listed = (await get<JobSearchView>('jobs?endpoint=upscale')).jobs[0]
      await page.getByRole('row').filter({ hasText: 'IN_QUEUE' }).getByText(String(listed?.message)).waitFor()
      await page.getByRole('link', { name: waiting.slice(0, 8) }).click()
      const ladder = page.getByRole('list', { name: 'What this job waits for' })
      const { message, reason, hosts, changes, workers } = await get<ExplainView>(`explain/${waiting}`)
      await ladder.getByText('No place for another worker (stops here)').waitFor()
      const text = await ladder.innerText()
      for (const word of [message, reason, `1 job waits, 0 of 0..${workers.max} workers`, ...changes]) expect(text).toContain(word)
      for (const { host, refusal, gpus } of hosts) {
        expect(text).toContain(host)
        expect(text).toContain(refusal?.message)
        for (const gpu of gpus) expect(text).toContain(gpu.refusal?.message)
      }
      const { keyId = '' } = await get<JobDetailView>(`jobs/${waiting}`)
      const { keys } = await get<KeyListView>('keys')
      expect(text).toContain(`by the key ${keys.find(({ id }) => id === keyId)?.name}`)
      expect(await opened.look('job-waiting')).toEqual([])
      expect(await ladder.getByRole('link', { name: 'Edit GPUs' }).first().getAttribute('href')).toContain('/settings')
    })

    test('a host that refuses a waiting job because it is cordoned is uncordoned there, after a question', async () => {
      const { api } = site().stack
      const [host] = (await get<ExplainView>(`explain/${waiting}`)).hosts
      const at = `/runyard/v1/hosts/${host?.hostId}/cordon`
      await api.request(at, { method: 'PUT', body: '{"reason":"new fans"}', headers: { 'content-type': 'application/json' } })
      await using opened = await open(`/jobs/${waiting}`)
      const { page } = opened
      await page.getByText('the host is cordoned (new fans)').waitFor()
      expect(await opened.findBarriers()).toEqual([])
      await page.getByRole('button', { name: `Uncordon the host ${host?.host}` }).click()
      await page
        .getByRole('dialog', { name: `Uncordon the host ${host?.host}?` })
        .getByRole('button', { name: 'Uncordon' })
        .click()
      await page.getByText('the host is cordoned').waitFor({ state: 'detached' })
      expect((await get<ExplainView>(`explain/${waiting}`)).hosts[0]?.refusal?.reason).not.toBe('cordoned')
    })

    test('failures are grouped by cause, and a group is retried after it was counted', async () => {
      await using opened = await open('/failures?endpoint=scan')
      const { page } = opened
      const [group] = (await get<FailureListView>('failures?endpoint=scan')).failures
      expect(group).toMatchObject({ error: ERROR, count: 2 })
      const shown = page.getByRole('listitem').filter({ has: page.getByRole('heading', { name: ERROR }) })
      await shown.getByText('2', { exact: true }).waitFor()
      expect(await opened.look('failures')).toEqual([])
      await shown.getByRole('link', { name: 'Its 2 jobs' }).click()
      for (const id of failed) await page.getByRole('link', { name: id.slice(0, 8) }).waitFor()
      await page.goBack()
      await shown.getByRole('button', { name: 'Retry the group…' }).click()
      const dialog = page.getByRole('dialog', { name: 'Retry jobs' })
      await dialog.getByText('2 jobs').first().waitFor()
      expect(await statusesOf(failed)).toEqual(['FAILED', 'FAILED'])
      await dialog.getByRole('button', { name: 'Retry 2 jobs' }).click()
      await dialog.getByText('2 jobs queued again.').waitFor()
      for (const id of failed) await site().stack.api.settled(String(group?.endpoint.id), id)
      await waitFor('both to have failed again', async () => {
        const { failures, total } = await get<FailureListView>('failures?endpoint=scan')
        return total === 2 && (failures[0]?.lastAt ?? 0) > Number(group?.lastAt)
      })
    })

    test('a failed job is found, read and retried by keys alone', async () => {
      await using opened = await open('/')
      const { page } = opened
      const press = async (...keys: readonly string[]): Promise<void> => {
        for (const key of keys) await page.keyboard.press(key)
      }
      await page.getByRole('heading', { name: 'Yard' }).waitFor()
      await press('g', 'j')
      await page.getByRole('heading', { name: 'Jobs' }).waitFor()
      await tabTo(page, 'Status')
      await page.keyboard.type('FAILED')
      await page.getByRole('button', { name: 'Drop status: FAILED' }).waitFor()
      await page.getByRole('link', { name: String(failed[1]).slice(0, 8) }).waitFor()
      await tabTo(page, 'Find')
      await press('j', 'x')
      await page.getByRole('group', { name: 'Selected jobs' }).getByText('1 selected').waitFor()
      await press('c')
      await page.getByText('Only jobs that wait or run can be cancelled.').waitFor()
      await press('x', 'Enter')
      await page.getByRole('region', { name: 'What went wrong' }).getByText(ERROR).waitFor()
      const id = await page.getByRole('heading', { level: 1 }).innerText()
      expect(failed).toContain(id)
      expect(await opened.look('job-failed')).toEqual([])
      await press('r')
      await page.getByRole('dialog', { name: 'Retry this job?' }).waitFor()
      await tabTo(page, 'Retry')
      await press('Enter')
      await page.getByRole('heading', { name: 'What went wrong' }).waitFor({ state: 'detached' })
      await site().stack.api.settled((await get<JobDetailView>(`jobs/${id}`)).endpoint.id, id)
      await page.getByRole('heading', { name: 'What went wrong' }).waitFor()
      expect((await get<JobDetailView>(`jobs/${id}`)).status).toBe('FAILED')
    })

    test('keys lead everywhere: ? lists them, ⌘K and Ctrl K find a thing by its name, g and a letter go to a page', async () => {
      await using opened = await open('/jobs')
      const { page } = opened
      const keys = page.getByRole('dialog', { name: 'Keys' })
      const find = page.getByRole('dialog', { name: 'Find' })
      await page.getByRole('heading', { level: 1, name: 'Jobs' }).waitFor()
      await page.keyboard.press('?')
      await keys.waitFor()
      const listed = await keys.getByText(/^g \w$/u).allInnerTexts()
      expect(listed.length).toBeGreaterThan(7)
      expect(await opened.findBarriers()).toEqual([])
      await page.keyboard.press('Escape')
      await keys.waitFor({ state: 'detached' })
      // A field has the letters, not this.
      await page.getByRole('searchbox').first().focus()
      await page.keyboard.press('Meta+k')
      await find.waitFor()
      await page.keyboard.press('Escape')
      await page.keyboard.press('Control+k')
      await page.keyboard.type('plain')
      await find.getByRole('option', { name: /endpoint.*plain/u }).waitFor()
      expect(await opened.findBarriers()).toEqual([])
      await page.keyboard.press('Enter')
      await page.getByRole('heading', { level: 1, name: 'plain' }).waitFor()
      const places = new Set<string>()
      for (const pressed of listed) {
        await page.keyboard.press('g')
        const before = page.url()
        await page.keyboard.press(pressed.slice(2))
        await page.waitForURL((url) => url.href !== before)
        places.add(new URL(page.url()).pathname)
      }
      expect(places.size).toBe(listed.length)
    })

    test('what a job carries is read on click and stays text', async () => {
      await using opened = await open(`/jobs/${echoed}`)
      const { page } = opened
      await page.getByRole('list', { name: 'Steps of this job' }).getByText('function', { exact: true }).waitFor()
      expect(await page.getByText('onerror').count()).toBe(0)
      await page.getByRole('button', { name: 'Show output' }).click()
      await page.getByRole('region', { name: 'Output' }).last().getByText(JSON.stringify(HTML).slice(1, -1)).waitFor()
      await page.getByRole('button', { name: 'As a tree' }).click()
      await page.getByText(JSON.stringify(HTML)).waitFor()
      expect(await page.locator('img').count()).toBe(0)
      await page.getByText('The input is not kept: it goes when a job is COMPLETED.').waitFor()
      expect(await page.getByRole('button', { name: 'Show input' }).count()).toBe(0)
      await page.getByRole('button', { name: 'Copy as…' }).click()
      await page.getByRole('region', { name: 'The call for curl' }).getByText('$RUNPOD_API_KEY').waitFor()
      expect(await page.content()).not.toContain(site().stack.key)
    })

    test('an input is changed and run again as a job of its own', async () => {
      await using opened = await open(`/jobs/${waiting}`)
      const { page } = opened
      await page.getByRole('button', { name: 'Edit and run again' }).click()
      const editor = page.getByRole('textbox', { name: 'Input, as JSON' })
      expect(JSON.parse(await editor.inputValue())).toEqual({ prompt: 'a red barn' })
      await editor.fill('{\n  prompt: 1\n}')
      await page.getByText('Line 2, column 3').waitFor()
      await editor.fill('{"prompt": "a blue barn"}')
      await page.getByRole('button', { name: 'Run', exact: true }).click()
      await page.getByRole('heading', { level: 1 }).filter({ hasNotText: waiting }).waitFor()
      const id = await page.getByRole('heading', { level: 1 }).innerText()
      expect((await get<{ text: string }>(`jobs/${id}/input`)).text).toBe('{"prompt":"a blue barn"}')
      await page.getByText('1 before it in its queue.').waitFor()
      await page.getByRole('button', { name: 'Cancel' }).click()
      await page.getByRole('button', { name: 'Cancel the job' }).click()
      await page.getByText('CANCELLED').first().waitFor()
      expect((await get<JobDetailView>(`jobs/${id}`)).status).toBe('CANCELLED')
    })

    test('filters that match nothing say which one to drop', async () => {
      await using opened = await open('/jobs?endpoint=upscale&status=COMPLETED')
      const { page } = opened
      await page.getByText('No job within the last hour matches').waitFor()
      const drop = page.getByRole('button', { name: 'Drop status: COMPLETED' })
      await expect.poll(() => drop.count()).toBe(2)
      await drop.last().click()
      await page.getByRole('link', { name: waiting.slice(0, 8) }).waitFor()
      expect(new URL(page.url()).search).toBe('?endpoint=upscale')
      // What comes while the list is open appears by itself, once.
      const { endpoint } = await get<JobDetailView>(`jobs/${waiting}`)
      const came = await site().stack.api.run(endpoint.id, {})
      const link = page.getByRole('link', { name: came.slice(0, 8) })
      await link.waitFor()
      await site().stack.api.post(`/v2/${endpoint.id}/cancel/${came}`, {})
      await page.getByRole('row').filter({ has: link, hasText: 'CANCELLED' }).waitFor()
      expect(await link.count()).toBe(1)
      await page.getByRole('searchbox', { name: 'Find jobs' }).fill(echoed)
      await page.keyboard.press('Enter')
      await page.getByRole('heading', { level: 1, name: echoed }).waitFor()
      await page.keyboard.press('?')
      await page.getByRole('dialog', { name: 'Keys' }).waitFor()
      expect(await opened.findBarriers()).toEqual([])
      await page.keyboard.press('Escape')
      await page.keyboard.press('/')
      await page.getByRole('combobox', { name: 'A page, an endpoint' }).fill('upsc')
      await page.getByRole('option', { name: 'upscale' }).first().waitFor()
      expect(await opened.findBarriers()).toEqual([])
      await page.keyboard.press('Enter')
      await page.getByRole('heading', { level: 1, name: 'upscale' }).waitFor()
    })

    test('ten thousand jobs are in sight one screen at a time, each once', async () => {
      const count = 10_000
      await fillHistory(count)
      await using opened = await open('/jobs?endpoint=upscale')
      const { page } = opened
      await page.getByRole('link', { name: waiting.slice(0, 8) }).waitFor()
      const seen = new Set<string>()
      await expect
        .poll(
          async () => {
            const { ids, nodes } = await page.evaluate<Sight>(SCROLL_ON)
            expect(nodes).toBeLessThanOrEqual(MOST_NODES)
            expect(new Set(ids).size).toBe(ids.length)
            for (const id of ids) seen.add(id)
            return seen.has('past-0')
          },
          { timeout: 60_000, interval: 20 },
        )
        .toBe(true)
      await page.evaluate('scrollTo(0, 0)')
      const again = await site().stack.api.run((await get<JobDetailView>(`jobs/${waiting}`)).endpoint.id, {})
      await page.getByRole('button', { name: 'There is news: show it' }).click()
      await page.getByRole('link', { name: again.slice(0, 8) }).waitFor()
      expect(await opened.look('jobs')).toEqual([])
    })

    async function statusesOf(ids: readonly string[]): Promise<readonly FoundJob['status'][]> {
      return Promise.all(ids.map(async (id) => (await get<JobDetailView>(`jobs/${id}`)).status))
    }

    async function fillHistory(count: number): Promise<void> {
      const { endpoint } = await get<JobDetailView>(`jobs/${waiting}`)
      await using store = await openTestStore(site().stack.redis.url, { history: { bytes: 64 * 1024 * 1024, days: 7 } })
      const now = Date.now()
      const ended = (index: number): PastJob => ({
        id: `past-${index}`,
        endpointId: endpoint.id,
        status: 'COMPLETED',
        cause: 'result',
        submittedAt: now - 60_000 - count + index,
        startedAt: now - 50_000 - count + index,
        endedAt: now - 40_000 - count + index,
        retries: 0,
        workerId: 'w1',
      })
      for (let from = 0; from < count; from += 500) {
        await store.history.addJobs(
          Array.from({ length: 500 }, (_, index) => ended(from + index)),
          {},
        )
      }
    }
  })
}

/** Presses Tab until the control with this name has the focus. */
async function tabTo(page: Page, name: string): Promise<void> {
  for (let presses = 0; presses < 60; presses += 1) {
    await page.keyboard.press('Tab')
    const focused = await page.evaluate<string>(FOCUSED)
    if (focused === name) return
  }
  throw new Error(`no control "${name}" was reached by Tab`)
}

interface Sight {
  readonly ids: readonly string[]
  readonly nodes: number
}

/** Both run in the page. */
const FOCUSED = `document.activeElement.getAttribute('aria-label') ?? document.activeElement.textContent`
const SCROLL_ON = `(() => {
  scrollBy(0, 4 * innerHeight)
  const ids = [...document.querySelectorAll('[role=row] a')].map((link) => link.title)
  return { ids, nodes: document.querySelectorAll('*').length }
})()`
