// What all parts of `pnpm bench page` share: a stack whose history has a day of 64 cards, and one browser.
import type { Browser, Page } from 'playwright-core'
import { openBrowser } from '../../harness/browser.ts'
import { startStack, type Stack } from '../../harness/stack.ts'
import { openTestStore } from '../../harness/store.ts'
import { waitFor } from '../../harness/wait.ts'
import { fillDay, type Day } from './day.ts'

export const VIEWPORT = { width: 1440, height: 900 }
const HISTORY_BYTES = 256 * 1024 * 1024

export interface OpenedPage extends AsyncDisposable {
  readonly page: Page
}

export interface PageBench {
  readonly stack: Stack
  readonly browser: Browser
  /** How many jobs have ended in it. */
  readonly endedJobs: number
  /** When the day of the history ends, epoch ms. */
  readonly until: number
  readonly times: (full: number) => number
  /** How long a page stays open under load. */
  readonly openMs: number
  readonly say: (line: string) => void
  /** What a browser that is signed in sends. */
  readonly cookie: string
  /** Opens an address, signed in, with an empty cache of its own. `script` runs before those of the page. */
  readonly openPage: (path: string, script?: string) => Promise<OpenedPage>
}

export type WorldOptions = Pick<PageBench, 'times' | 'openMs' | 'say'> & Pick<Day, 'jobs' | 'pauseMs'>

export async function openWorld(options: WorldOptions): Promise<PageBench & AsyncDisposable> {
  await using scope = new AsyncDisposableStack()
  const until = Date.now()
  let count = 0
  const prepare = async ({ redisUrl }: { readonly redisUrl: string }): Promise<void> => {
    await using store = await openTestStore(redisUrl, { history: { bytes: HISTORY_BYTES, days: 7 } })
    count = await fillDay(store, { ...options, hosts: 8, cardsPerHost: 8, until })
  }
  const settings = { RUNYARD_HISTORY_BYTES: `${HISTORY_BYTES}`, RUNYARD_LOG_LEVEL: 'info' }
  const stack = scope.adopt(await startStack({ host: 'process', prepare, settings }), (started) => started.stop())
  options.say(`64 cards × 24 h with ${count.toLocaleString('en')} jobs`)
  const browser = await openBrowser(scope)
  const cookies = await signIn(stack, browser)
  const owned = scope.move()
  return {
    ...options,
    stack,
    browser,
    until,
    endedJobs: count,
    cookie: cookies.cookies.map(({ name, value }) => `${name}=${value}`).join('; '),
    async openPage(path, script) {
      const context = await browser.newContext({ viewport: VIEWPORT, storageState: cookies })
      if (script !== undefined) await context.addInitScript({ content: script })
      const page = await context.newPage()
      await page.goto(`${stack.url}${path}`)
      return { page, [Symbol.asyncDispose]: () => context.close() }
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

async function signIn({ url, api }: Stack, browser: Browser) {
  const context = await browser.newContext()
  const page = await context.newPage()
  const { json } = await api.request('/runyard/v1/session/codes', { method: 'POST' })
  await page.goto(`${url}/#c=${String(json['code'])}`)
  await waitFor('the session to begin', async () => (await context.cookies()).length > 0)
  const state = await context.storageState()
  await context.close()
  return state
}
