// The page in real Chromium on a real stack (process host, simulated cards), for all scenarios of `page.test.ts`: they share one stack and one browser. A page
// fails its test by any complaint in the console and by anything that its content security policy blocks.
import { mkdir, readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import type { Browser, BrowserContext, ConsoleMessage, Page } from 'playwright-core'
import { openBrowser } from './browser.ts'
import { untilStill, findCutText, findLostMarks, findMotions, findOverflow, findUnseenFocus, readTones, setSpacing } from './page-checks.ts'
import { startStack, type Stack, type StackOptions } from './stack.ts'
import { waitFor } from './wait.ts'

export const CARDS = 'NVIDIA GeForce RTX 4090:2,NVIDIA L4:1'
export const WIDTHS = [1440, 768, 360] as const
export const THEMES = ['light', 'dark'] as const
export type Theme = (typeof THEMES)[number]

const HEIGHT = 900
const REPORTS = join(import.meta.dirname, '..', '..', '.runyard', 'reports', 'page')

/** What axe looks for: all that WCAG 2.2 AA asks, or the rules whose answer changes with the width. Besides, what colours decide. */
const RULES = {
  all: { type: 'tag', values: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'] },
  width: { type: 'rule', values: ['target-size', 'scrollable-region-focusable'] },
  theme: { type: 'rule', values: [] },
} as const
/** Half of axe's time. They run wherever a text has colours, a size or a background that they have not judged anywhere yet. */
const TONE_RULES = ['color-contrast', 'link-in-text-block'] as const
/** Every theme at every width. The parts of a page are the same everywhere but on a phone, where tables become cards. */
const LOOKS = [
  { theme: 'light', width: 1440, rules: 'all' },
  { theme: 'light', width: 768, rules: 'width' },
  { theme: 'light', width: 360, rules: 'all' },
  { theme: 'dark', width: 360, rules: 'theme' },
  { theme: 'dark', width: 768, rules: 'theme' },
  { theme: 'dark', width: 1440, rules: 'theme' },
] as const
/** A phone, and a window of 1280 pixels at 400 % (WCAG 1.4.10). */
const NARROWEST = 320

export interface PageSite extends AsyncDisposable {
  readonly stack: Stack
  readonly browser: Browser
  /** Opens an address of the page in a browser of its own, signed in unless the options say otherwise. */
  open(path: string, options?: OpenOptions): Promise<OpenedPage>
  /** A one-time code of the stack's key, or of another one. */
  makeCode(key?: string): Promise<string>
}

export interface OpenOptions {
  /** Default: as the stack's key. `anonymous`: with no session. */
  readonly as?: 'anonymous'
  readonly theme?: Theme
  readonly width?: number
  /** Where the page is; default: at the stack's own address. */
  readonly base?: string
  /** How far the clock of the browser is ahead of this machine's, ms; it can then be moved. */
  readonly aheadMs?: number
  /** Complaints that belong to the scenario. */
  readonly expected?: readonly RegExp[]
}

export interface OpenedPage extends AsyncDisposable {
  readonly page: Page
  readonly context: BrowserContext
  /** What the console has said and the policy has blocked, but for what was expected. */
  readonly complaints: readonly string[]
  /** How often Chromium broke off requests because the network of this machine changed: containers of other tests come and go. No complaint. */
  readonly networkChanges: () => number
  show(look: { readonly theme?: Theme; readonly width?: number }): Promise<void>
  /** What axe finds (WCAG 2.2 AA) and what is wider than the window, one line each; none is good. */
  findBarriers(rules?: keyof typeof RULES): Promise<readonly string[]>
  /** What axe does not look for: text that is cut with wide spacing or on a narrow screen, focus that is not seen, marks that are
   * nothing but a colour, things that move. */
  findLosses(): Promise<readonly string[]>
  /** `.runyard/reports/page/NAME-THEME-WIDTH.png` */
  shoot(name: string): Promise<void>
  /** Barriers in each theme at each width, without loading the page again; with a name, also a screenshot of each. */
  look(name?: string): Promise<readonly string[]>
}

const NETWORK_CHANGED = 'net::ERR_NETWORK_CHANGED'

/** What Chromium itself writes about the answer to a page without a session. */
const NO_SESSION = /status of 401 .*\/keys\/current/u

export async function openPageSite(options: Partial<StackOptions> = {}): Promise<PageSite> {
  await using scope = new AsyncDisposableStack()
  const stack = scope.adopt(await startStack({ host: 'process', simulatedGpus: CARDS, ...options }), (started) => started.stop())
  const browser = await openBrowser(scope)
  const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
  const judged = new Set<string>()

  const makeCode: PageSite['makeCode'] = async (key) => {
    const { json } = await stack.api.request('/runyard/v1/session/codes', { method: 'POST', ...(key === undefined ? {} : { key }) })
    return String(json['code'])
  }
  const contexts = createContexts(browser, stack.url, makeCode)
  const owned = scope.move()
  return {
    stack,
    browser,
    makeCode,
    async open(path, { as, theme = 'light', width = WIDTHS[0], base = stack.url, aheadMs, expected = [] } = {}) {
      const isUsual = as === undefined && aheadMs === undefined && base === stack.url
      const context = isUsual ? await contexts.take() : await contexts.make(as)
      const complaints = as === 'anonymous' ? [NO_SESSION, ...expected] : expected
      const leave = (page: Page) => (isUsual ? contexts.giveBack(page) : context.close())
      const opened = await openPage(context, { axe, judged, leave, expected: complaints, theme, width })
      await moveClock(context, aheadMs)
      await visit(opened, `${base}${path}`)
      return opened
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

/** A new context costs as much processor time as a visit of a page. So where a page is opened as usual it gets one that was used before, emptied. */
function createContexts(browser: Browser, origin: string, makeCode: PageSite['makeCode']) {
  const free: BrowserContext[] = []
  let signedIn: Awaited<ReturnType<BrowserContext['storageState']>> | undefined
  const signIn = async () => {
    const context = await browser.newContext()
    const page = await context.newPage()
    await page.goto(`${origin}/#c=${await makeCode()}`)
    await waitFor('the session to begin', async () => (await context.cookies()).length > 0)
    const state = await context.storageState()
    await context.close()
    return state
  }
  const make = async (as: OpenOptions['as']): Promise<BrowserContext> => {
    const state = as === 'anonymous' ? undefined : (signedIn ??= await signIn())
    const context = await browser.newContext({
      ...(state === undefined ? {} : { storageState: state }),
      viewport: { width: WIDTHS[0], height: HEIGHT },
      reducedMotion: 'reduce',
      ignoreHTTPSErrors: true,
    })
    await context.addInitScript({ content: REPORT_VIOLATIONS })
    return context
  }
  return {
    make,
    take: async (): Promise<BrowserContext> => free.pop() ?? (await make(undefined)),
    async giveBack(page: Page): Promise<void> {
      const context = page.context()
      const session = await context.newCDPSession(page)
      await page.goto('about:blank')
      await session.send('Storage.clearDataForOrigin', { origin, storageTypes: 'local_storage' })
      await page.close()
      await context.clearPermissions()
      free.push(context)
    },
  }
}

/** Once more where the network changed meanwhile. */
export async function visit({ page, networkChanges }: Pick<OpenedPage, 'page' | 'networkChanges'>, url: string): Promise<void> {
  for (;;) {
    const changes = networkChanges()
    const failure = await page.goto(url).then(
      () => undefined,
      (error: unknown) => error,
    )
    const isCutOff = String(failure).includes(NETWORK_CHANGED)
    if (failure !== undefined && !isCutOff) throw failure
    if (!isCutOff && networkChanges() === changes) return
  }
}

async function moveClock(context: BrowserContext, aheadMs: number | undefined): Promise<void> {
  if (aheadMs !== undefined) await context.clock.install({ time: Date.now() + aheadMs })
}

/** As a person does it. */
export async function signOut(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Times, theme and session' }).click()
  await page.getByRole('button', { name: 'Sign out' }).click()
}

interface Opening {
  readonly leave: (page: Page) => Promise<void>
  readonly axe: string
  /** The tones of texts that axe has found good on any page (`readTones`). */
  readonly judged: Set<string>
  readonly expected: readonly RegExp[]
  readonly theme: Theme
  readonly width: number
}

async function openPage(context: BrowserContext, opening: Opening): Promise<OpenedPage> {
  const complaints: string[] = []
  let networkChanges = 0
  const complain = (text: string): void => {
    if (text.includes(NETWORK_CHANGED)) networkChanges += 1
    else if (!opening.expected.some((pattern) => pattern.test(text))) complaints.push(text)
  }
  const page = await context.newPage()
  await page.emulateMedia({ colorScheme: opening.theme })
  await page.setViewportSize({ width: opening.width, height: HEIGHT })
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) complain(textOf(message))
  })
  page.on('pageerror', (error) => complain(error.stack ?? error.message))
  let { theme, width } = opening

  const show: OpenedPage['show'] = async (look) => {
    theme = look.theme ?? theme
    width = look.width ?? width
    await page.emulateMedia({ colorScheme: theme })
    await page.setViewportSize({ width, height: HEIGHT })
    await page.evaluate(untilStill)
  }
  const findBarriers: OpenedPage['findBarriers'] = async (rules = 'all') => {
    if (!(await page.evaluate(() => 'axe' in globalThis))) await page.evaluate(`${opening.axe};globalThis.readTones = ${readTones}`)
    const isNew = (await page.evaluate<readonly string[]>('readTones()')).some((tone) => !opening.judged.has(tone))
    const { barriers, tones } = await page.evaluate(runAxe, axeOptions(rules, isNew))
    for (const tone of tones) opening.judged.add(tone)
    return [...(await page.evaluate(findOverflow)), ...barriers]
  }
  const at = async <T>(wide: number, check: () => T): Promise<readonly T[]> => {
    await show({ width: wide })
    return [await page.evaluate(check)]
  }
  const findLosses = async (): Promise<readonly string[]> => {
    // What a script focuses shows it only after a key.
    await page.keyboard.press('Tab')
    const unseen = [...(await at(WIDTHS[0], findUnseenFocus)), ...(await at(WIDTHS[2], findUnseenFocus))]
    const plain = [...(await at(NARROWEST, findOverflow)), ...(await at(NARROWEST, findCutText))]
    await page.evaluate(setSpacing, true)
    await page.evaluate(untilStill)
    const spaced = [...(await at(NARROWEST, findOverflow)), ...(await at(NARROWEST, findCutText)), ...(await at(WIDTHS[0], findCutText))]
    await page.evaluate(setSpacing, false)
    return [...unseen, ...plain, ...spaced, await page.evaluate(findMotions), await page.evaluate(findLostMarks)].flat()
  }
  const shoot = async (name: string): Promise<void> => {
    await mkdir(REPORTS, { recursive: true })
    await page.screenshot({ path: join(REPORTS, `${name}-${theme}-${width}.png`), fullPage: true })
  }
  return {
    page,
    context,
    complaints,
    networkChanges: () => networkChanges,
    show,
    findBarriers,
    findLosses,
    shoot,
    async look(name) {
      const found: string[] = []
      for (const { rules, ...one } of LOOKS) {
        await show(one)
        if (name !== undefined) await shoot(name)
        // What is half under the header that stays is no small target: it scrolls.
        await page.evaluate('scrollTo(0, 0)')
        found.push(...(await findBarriers(rules)).map((barrier) => `${one.theme} ${one.width}: ${barrier}`))
      }
      return found
    },
    async [Symbol.asyncDispose]() {
      await opening.leave(page)
      if (complaints.length > 0) throw new Error(`the page complained:\n${complaints.join('\n')}`)
    },
  }
}

function textOf(message: ConsoleMessage): string {
  return `${message.type()}: ${message.text()} ${message.location().url}`
}

/** Runs in the page. */
const REPORT_VIOLATIONS = `document.addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI, sample }) => {
  console.error('the policy blocked ' + violatedDirective + ' ' + blockedURI + ' ' + sample)
})`

function axeOptions(rules: keyof typeof RULES, isNew: boolean): AxeOptions {
  const { type, values } = RULES[rules]
  const resultTypes = isNew ? (['violations', 'passes', 'incomplete'] as const) : (['violations'] as const)
  if (type === 'rule') return { resultTypes, runOnly: { type, values: [...values, ...(isNew ? TONE_RULES : [])] } }
  return { resultTypes, runOnly: { type, values }, rules: Object.fromEntries(TONE_RULES.map((name) => [name, { enabled: isNew }])) }
}

interface AxeOptions {
  readonly runOnly: { readonly type: string; readonly values: readonly string[] }
  readonly rules?: Readonly<Record<string, { readonly enabled: boolean }>>
  /** All elements of a passed rule are in the answer that is named here, else one. */
  readonly resultTypes: readonly (keyof AxeResults)[]
}

interface AxeRule {
  readonly id: string
  readonly help: string
  readonly nodes: readonly { readonly html: string; readonly failureSummary?: string; readonly element?: unknown }[]
}

interface AxeResults {
  readonly violations: readonly AxeRule[]
  readonly passes: readonly AxeRule[]
  readonly incomplete: readonly AxeRule[]
}

/** Runs in the page. */
async function runAxe(options: AxeOptions): Promise<{ readonly barriers: string[]; readonly tones: string[] }> {
  if (options.runOnly.values.length === 0) return { barriers: [], tones: [] }
  const { axe, readTones: tonesOf } = globalThis as unknown as {
    axe: { run(options: object): Promise<AxeResults> }
    readTones: (elements: readonly unknown[]) => string[]
  }
  const { violations, passes, incomplete } = await axe.run({ ...options, elementRef: true, selectors: false, preload: false })
  const tonesIn = (rules: readonly AxeRule[]): readonly string[] =>
    tonesOf(rules.filter(({ id }) => id === 'color-contrast').flatMap(({ nodes }) => nodes.map(({ element }) => element)))
  // Text that another element covers is judged nowhere.
  const tones = [...tonesIn(passes), ...tonesIn(incomplete).filter((tone) => tone.includes(' | below '))]
  const barriers = violations.flatMap(({ id, help, nodes }) =>
    nodes.map(({ html, failureSummary = '' }) => `${id}: ${help}: ${html} (${failureSummary.replaceAll(/\s+/gu, ' ')})`),
  )
  return { barriers, tones }
}
