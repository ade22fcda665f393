// Every page of the table of routes, full, empty and refused (Redis away: `faults.ts`), in both themes and at three widths: no barrier (WCAG 2.2 AA), nothing
// wider than the window, nothing lost, no complaint.
import type { JobSearchView, PoolView, WorkerLifeListView } from '@runyard/schema/api'
import type { Page } from 'playwright-core'
import { beforeAll, describe, expect, test } from 'vitest'
import { createApi, type EndpointRequest } from '../../harness/api.ts'
import { visit, type OpenedPage, type PageSite } from '../../harness/page.ts'
import { waitFor } from '../../harness/wait.ts'
import { ECHO, sourceCall } from '../calls.ts'
import { fillPictured, isPictured, PICTURED_ENDPOINT } from './picture-world.ts'
import { newOwnersKey } from './settings.ts'

const PLACES = ['/', '/start', '/jobs', '/gpus', '/usage', '/failures', '/endpoints', '/endpoints/new', '/logs'] as const
const SETTINGS = ['keys', 'webhooks', 'registries', 'secrets', 'volumes', 'hosts', 'config', 'about'].map((part) => `/settings/${part}`)
const TABS = ['', '/requests', '/workers', '/logs', '/metrics', '/releases', '/batches', '/settings', '/preview']

export const pagesOf = (endpoint: string): readonly string[] => [
  ...PLACES,
  ...SETTINGS,
  ...TABS.map((tab) => `/endpoints/${endpoint}${tab}`),
]

/** With `RUNYARD_PICTURES=1` every page is pictured in each theme at each width, for people to look at. */
export const pictureOf = (path: string, state: string): string | undefined =>
  isPictured ? `${state}${path.replaceAll(/[^\w-]/gu, '_')}` : undefined

/** What keys of little rights get, and addresses of what is not there. */
const REFUSED = /status of 40[34] /u

export function lookScenarios(of: () => PageSite): void {
  describe('every page', () => {
    const site = (): PageSite => of()
    let names: { readonly endpoint: string; readonly job: string; readonly worker: string; readonly card: string; readonly host: string }
    let stranger: string
    let emptyEndpoint: string

    beforeAll(async () => {
      const { api } = site().stack
      const get = <T>(path: string): Promise<T> => api.read(`/runyard/v1/${path}`)
      stranger = await newOwnersKey(site(), 'with-nothing-yet', ['admin'])
      emptyEndpoint = await createApi(site().stack.url, stranger).saveEndpoint({ name: 'empty', workersMax: 0 })
      const { endpoint, job } = isPictured
        ? { endpoint: PICTURED_ENDPOINT, job: await fillPictured(site().stack) }
        : await runOne({ name: 'looked-at', idleTimeout: 600, gpuIds: 'ADA_24' })
      await api.post('/v2/registries', { name: 'ghcr', username: 'bot', password: 'secret' })
      await api.post('/v2/network-volumes', { name: 'models', size: 100 })
      await api.request('/runyard/v1/secrets/HF_TOKEN', {
        method: 'PUT',
        body: '{"value":"x","description":"models of the hub"}',
        headers: { 'content-type': 'application/json' },
      })
      await waitFor('the job to be listed', async () =>
        (await get<JobSearchView>(`jobs?endpoint=${endpoint}`)).jobs.some(({ id }) => id === job),
      )
      const [life] = (await get<WorkerLifeListView>(`workers?endpoint=${endpoint}`)).workers
      const [host] = (await get<PoolView>('pool')).hosts
      names = { endpoint, job, worker: life?.id ?? '', card: host?.gpus[0]?.uuid ?? '', host: host?.id ?? '' }
    })

    async function runOne(wanted: EndpointRequest): Promise<{ readonly endpoint: string; readonly job: string }> {
      const { api } = site().stack
      const endpoint = await api.saveEndpoint(wanted)
      const job = await api.run(endpoint, sourceCall('echo', ECHO))
      await api.settled(endpoint, job)
      return { endpoint, job }
    }

    interface Visit {
      readonly as?: string
      /** Default: what differs between themes and widths. */
      readonly check?: (opened: OpenedPage, picture: string | undefined) => Promise<readonly string[]>
    }

    /** One load of each page. */
    async function barriersOn(
      paths: readonly string[],
      { as, check = (opened, picture) => opened.look(picture) }: Visit = {},
    ): Promise<readonly string[]> {
      await using opened = as === undefined ? await site().open('/', { expected: [REFUSED] }) : await openWith(as)
      const found: string[] = []
      for (const path of paths) {
        await visit(opened, `${site().stack.url}${path}`)
        await untilFilled(opened.page)
        const barriers = [
          ...(await findNoTitle(opened.page)),
          ...(await check(opened, pictureOf(path, as === undefined ? 'full' : 'other'))),
        ]
        found.push(...barriers.map((barrier) => `${path} ${barrier}`))
      }
      return found
    }

    /** A key that may not look signs in with itself: no other key may make a code for it. */
    async function openWith(key: string): Promise<OpenedPage> {
      const opened = await site().open('/sign-in', { as: 'anonymous', expected: [REFUSED] })
      await opened.page.getByLabel(/API key/u).fill(key)
      await opened.page.getByRole('button', { name: 'Sign in' }).click()
      await opened.page.getByRole('link', { name: 'Yard', exact: true }).waitFor()
      return opened
    }

    const things = (): readonly string[] => [
      `/jobs/${names.job}`,
      `/workers/${names.worker}`,
      `/gpus/${names.card}`,
      `/hosts/${names.host}`,
    ]

    test('is free of barriers where there is much, and loses nothing with wide spacing, a narrow window or forced colours', async () => {
      const check: Visit['check'] = async (opened, picture) => [...(await opened.look(picture)), ...(await opened.findLosses())]
      expect(await barriersOn([...pagesOf(names.endpoint), ...things()], { check })).toEqual([])
    })

    test('is free of barriers where there is nothing', async () => {
      expect(await barriersOn(pagesOf(emptyEndpoint), { as: stranger })).toEqual([])
    })

    test('is free of barriers where nothing may be read, or is not there', async () => {
      const blind = await newOwnersKey(site(), 'blind', ['metrics'])
      expect(await barriersOn([...PLACES, ...SETTINGS, '/endpoints/none', '/jobs/none', '/gpus/none'], { as: blind })).toEqual([])
      expect(await barriersOn(['/none', '/endpoints/none', '/jobs/none', '/workers/none', '/gpus/none', '/hosts/none'])).toEqual([])
    })
  })
}

/** Also where it has nothing to show, and only a fault to report. */
export async function findNoTitle(page: Page): Promise<readonly string[]> {
  const count = await page.getByRole('heading', { level: 1 }).count()
  return count === 1 ? [] : [`has ${count} titles`]
}

/** Until something is there, and does not change from one look to the next. */
export async function untilFilled(page: Page): Promise<void> {
  let before = ''
  const isSame = async (): Promise<boolean> => {
    const now = (await page.getByRole('main').innerText()).trim()
    const same = now !== '' && now === before
    before = now
    return same
  }
  await expect.poll(isSame, { interval: 150 }).toBe(true)
}
