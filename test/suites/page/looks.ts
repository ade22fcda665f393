// Every page of the table of routes, full and empty, in both themes and at three widths: no barrier (WCAG 2.2 AA), nothing wider than the window, no complaint.
import type { JobSearchView, PoolView, WorkerLifeListView } from '@runyard/schema/api'
import type { Page } from 'playwright-core'
import { beforeAll, describe, expect, test } from 'vitest'
import { THEMES, WIDTHS, type OpenedPage, type PageSite } from '../../harness/page.ts'
import { waitFor } from '../../harness/wait.ts'
import { ECHO, sourceCall } from '../calls.ts'
import { newOwnersKey, openAs } from './settings.ts'

const PLACES = ['/', '/start', '/jobs', '/gpus', '/usage', '/failures', '/endpoints', '/logs'] as const
const SETTINGS = ['keys', 'webhooks', 'registries', 'secrets', 'volumes', 'hosts', 'config', 'about'].map((part) => `/settings/${part}`)
const TABS = ['', '/requests', '/workers', '/logs', '/metrics', '/releases', '/batches', '/settings', '/preview']

const IS_WIDE = 'document.documentElement.scrollWidth > document.documentElement.clientWidth'
/** The configuration is the operator’s. */
const NOT_THEIRS = /status of 403 .*\/runyard\/v1\/config/u
const EVERY_LOOK = THEMES.flatMap((theme) => WIDTHS.map((width) => ({ theme, width })))
/** An empty page has less that could go wrong. */
export const EXTREMES: typeof EVERY_LOOK = [
  { theme: 'light', width: 1440 },
  { theme: 'dark', width: 360 },
]

export function lookScenarios(of: () => PageSite): void {
  describe('every page', () => {
    const site = (): PageSite => of()
    let names: { readonly endpoint: string; readonly job: string; readonly worker: string; readonly card: string; readonly host: string }
    let stranger: string

    beforeAll(async () => {
      const { api } = site().stack
      const get = async <T>(path: string): Promise<T> => (await api.get(`/runyard/v1/${path}`)).json as unknown as T
      stranger = await newOwnersKey(site(), 'newcomer', ['admin'])
      const endpoint = await api.saveEndpoint({ name: 'looked-at', idleTimeout: 600, gpuIds: 'ADA_24' })
      const job = await api.run(endpoint, sourceCall('echo', ECHO))
      await api.settled(endpoint, job)
      await api.post('/v2/registries', { name: 'ghcr', username: 'bot', password: 'secret' })
      await api.post('/v2/network-volumes', { name: 'models', size: 100 })
      await api.request('/runyard/v1/secrets/HF_TOKEN', {
        method: 'PUT',
        body: '{"value":"x","description":"models of the hub"}',
        headers: { 'content-type': 'application/json' },
      })
      await waitFor('the job to be listed', async () => (await get<JobSearchView>(`jobs?endpoint=${endpoint}`)).jobs.length === 1)
      const [life] = (await get<WorkerLifeListView>(`workers?endpoint=${endpoint}`)).workers
      const [host] = (await get<PoolView>('pool')).hosts
      names = { endpoint, job, worker: life?.id ?? '', card: host?.gpus[0]?.uuid ?? '', host: host?.id ?? '' }
    })

    /** Each combination without loading the page again. */
    async function barriersOn(paths: readonly string[], looks: typeof EVERY_LOOK, key?: string): Promise<readonly string[]> {
      await using opened = key === undefined ? await site().open('/') : await openAs(site(), '/', { key, expected: [NOT_THEIRS] })
      const found: string[] = []
      for (const path of paths) {
        await opened.page.goto(`${site().stack.url}${path}`)
        await opened.page.getByRole('heading', { level: 1 }).first().waitFor()
        await untilFilled(opened.page)
        found.push(...(await barriersIn(opened, looks)).map((barrier) => `${path} ${barrier}`))
      }
      return found
    }

    test('is free of barriers where there is much', async () => {
      const { endpoint, job, worker, card, host } = names
      const things = [`/jobs/${job}`, `/workers/${worker}`, `/gpus/${card}`, `/hosts/${host}`]
      expect(
        await barriersOn([...PLACES, ...SETTINGS, ...TABS.map((tab) => `/endpoints/${endpoint}${tab}`), ...things], EVERY_LOOK),
      ).toEqual([])
    })

    test('is free of barriers where there is nothing', async () => {
      expect(await barriersOn([...PLACES, ...SETTINGS], EXTREMES, stranger)).toEqual([])
    })
  })
}

/** Of the page as it is now. */
export async function barriersIn(opened: OpenedPage, looks: typeof EVERY_LOOK): Promise<readonly string[]> {
  const found: string[] = []
  for (const { theme, width } of looks) {
    await opened.show({ theme, width })
    const isWide = await opened.page.evaluate<boolean>(IS_WIDE)
    const barriers = [...(isWide ? ['it is wider than the window'] : []), ...(await opened.findBarriers())]
    found.push(...barriers.map((barrier) => `${theme} ${width}: ${barrier}`))
  }
  return found
}

/** Until what is there does not change from one look to the next. */
async function untilFilled(page: Page): Promise<void> {
  let before = ''
  const isSame = async (): Promise<boolean> => {
    const now = await page.getByRole('main').innerText()
    const same = now === before
    before = now
    return same
  }
  await expect.poll(isSame, { interval: 150 }).toBe(true)
}
