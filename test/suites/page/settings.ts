// Keys, hosts, configuration and the first run on the page: what somebody does there is compared with what the API says.
import type { KeyListView, PoolView, SettingListView } from '@runyard/schema/api'
import { beforeAll, describe, expect, test } from 'vitest'
import { createApi } from '../../harness/api.ts'
import type { OpenedPage, PageSite } from '../../harness/page.ts'
import { openTestStore } from '../../harness/store.ts'
import { ECHO, sourceCall } from '../calls.ts'

interface As {
  readonly key: string
  /** Complaints that belong to the scenario. */
  readonly expected?: readonly RegExp[]
}

/** Signs in as another owner's key, or with other scopes. */
export async function openAs(site: PageSite, path: string, { key, expected = [] }: As): Promise<OpenedPage> {
  const opened = await site.open(`/sign-in#c=${await site.makeCode(key)}`, { as: 'anonymous', expected })
  await opened.page.getByRole('link', { name: 'Yard', exact: true }).waitFor()
  await opened.page.goto(`${site.stack.url}${path}`)
  return opened
}

/** Of an owner who has nothing else. */
export async function newOwnersKey(
  { stack }: PageSite,
  ownerId: string,
  scopes: readonly ('admin' | 'view' | 'metrics')[],
): Promise<string> {
  await using store = await openTestStore(stack.redis.url)
  const { plain } = await store.keys.create({ name: `${ownerId}’s key`, ownerId, scopes: [...scopes] })
  return plain
}

export function settingScenarios(of: () => PageSite): void {
  describe('settings', () => {
    const site = (): PageSite => of()
    const get = <T>(path: string): Promise<T> => site().stack.api.read(`/runyard/v1/${path}`)
    const statusWith = async (key: string): Promise<number> => (await site().stack.api.request('/v2/serverless', { key })).status
    let viewer: string
    beforeAll(async () => {
      viewer = await newOwnersKey(site(), 'owner', ['view'])
    })

    test('a key is made, shown once, rotated and revoked', async () => {
      await using opened = await site().open('/settings/keys')
      const { page } = opened
      const shown = page.getByRole('region', { name: 'The new key' })
      const row = page.getByRole('row').filter({ hasText: 'for the night shift' })
      await page.getByRole('button', { name: 'Make a key' }).click()
      await page.getByLabel('Name').fill('for the night shift')
      await page.getByLabel('view', { exact: false }).first().check()
      await page.getByRole('button', { name: 'Make the key' }).click()
      const first = await shown.innerText()
      expect(await statusWith(first)).toBe(200)
      await page.getByRole('button', { name: 'I have it' }).click()
      await row.waitFor()
      expect(await page.content()).not.toContain(first)
      const made = (await get<KeyListView>('keys')).keys.find(({ name }) => name === 'for the night shift')
      expect(await row.innerText()).toContain(made?.scopes.join(', '))

      await row.getByRole('button', { name: 'Rotate' }).click()
      await page.getByRole('dialog').getByRole('button', { name: 'Rotate' }).click()
      await shown.waitFor()
      const second = await shown.innerText()
      expect([await statusWith(first), await statusWith(second)]).toEqual([401, 200])
      await page.getByRole('button', { name: 'I have it' }).click()

      await row.getByRole('button', { name: 'Revoke' }).click()
      await page.keyboard.press('Escape')
      expect(await statusWith(second)).toBe(200)
      await row.getByRole('button', { name: 'Revoke' }).click()
      await page.getByRole('dialog').getByRole('button', { name: 'Revoke' }).click()
      await row.waitFor({ state: 'detached' })
      expect(await statusWith(second)).toBe(401)
    })

    test('a page that a key may not use names the scope that it needs, and nothing is hidden', async () => {
      await using opened = await openAs(site(), '/settings/keys', { key: viewer })
      const { page } = opened
      await page.getByText('This needs an API key with the scope "admin"').first().waitFor()
      expect(await page.getByRole('button', { name: 'Make a key' }).isDisabled()).toBe(true)
      await page.goto(`${site().stack.url}/settings/secrets`)
      expect(await page.getByRole('button', { name: 'Set a secret' }).isDisabled()).toBe(true)
    })

    test('a host is cordoned with a reason, and gets workers again', async () => {
      await using opened = await site().open('/settings/hosts')
      const { page } = opened
      const cordonNow = async () => (await get<PoolView>('pool')).hosts[0]?.cordon?.reason
      await page.getByRole('button', { name: 'Cordon' }).first().click()
      await page.getByLabel('Why').fill('a fan fails')
      await page.getByRole('dialog').getByRole('button', { name: 'Cordon' }).click()
      await page.getByText('cordoned: a fan fails').waitFor()
      expect(await cordonNow()).toBe('a fan fails')
      await page.getByRole('button', { name: 'Uncordon' }).first().click()
      await page.getByText('cordoned: a fan fails').waitFor({ state: 'detached' })
      expect(await cordonNow()).toBeUndefined()
    })

    test('the configuration says where each value comes from, and that it is live though nothing of it changes', async () => {
      await using opened = await site().open('/settings/config?changed=true')
      const { page } = opened
      await page.getByText('● live').waitFor()
      const { settings } = await get<SettingListView>('config')
      const changed = settings.filter(({ from }) => from !== 'default')
      const rows = page.getByRole('row').filter({ has: page.getByRole('cell') })
      await expect.poll(() => rows.count()).toBe(changed.length)
      const row = page.getByRole('row').filter({ hasText: 'listen.port' })
      expect(await row.innerText()).toContain('RUNYARD_LISTEN_PORT')
      await page.getByLabel('Find').fill('simulated')
      await expect.poll(() => rows.count()).toBe(1)
    })

    test('deliveries of webhooks are shown for the endpoint in the address, and somebody with several must first choose; the list has no barriers', async () => {
      const key = await newOwnersKey(site(), 'with-webhooks', ['admin'])
      const api = createApi(site().stack.url, key)
      await api.saveEndpoint({ name: 'reports', workersMax: 0 })
      const second = await api.saveEndpoint({ name: 'thumbnails', workersMax: 0 })
      await using opened = await openAs(site(), '/settings/webhooks', { key })
      const { page } = opened
      await page.getByRole('link', { name: 'thumbnails' }).click()
      await page.getByText('No webhook of thumbnails was sent yet').waitFor()
      expect(page.url()).toContain(`endpoint=${second}`)
      const job = await api.run(second, { prompt: 'x' }, { webhook: 'https://hooks.invalid/runyard' })
      await api.request(`/v2/${second}/cancel/${job}`, { method: 'POST' })
      await page.reload()
      await page.getByRole('row').filter({ hasText: 'hooks.invalid' }).waitFor()
      expect(await opened.look('webhooks')).toEqual([])
    })

    test('the list of first steps ticks itself off by a real job', async () => {
      const key = await newOwnersKey(site(), 'newcomer', ['admin'])
      const api = createApi(site().stack.url, key)
      await using opened = await openAs(site(), '/start', { key })
      const { page } = opened
      const done = page.getByRole('list', { name: 'First steps' }).getByText('(done)')
      await page.getByText('2 × NVIDIA GeForce RTX 4090 (simulated)').waitFor()
      await expect.poll(() => done.count()).toBe(1)
      const endpoint = await api.saveEndpoint({ name: 'first' })
      await expect.poll(() => done.count()).toBe(2)
      const id = await api.run(endpoint, sourceCall('echo', ECHO))
      await expect.poll(() => done.count()).toBe(6)
      await page.getByRole('link', { name: 'See where the time went' }).click()
      await expect.poll(() => page.url()).toContain(`/jobs/${id}`)
    })
  })
}
