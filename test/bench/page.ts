// `pnpm bench page`: the picture of the cards with 64 cards × 24 h, against the budgets of docs/benchmarks.md. A real gateway answers from a store that was
// filled with that day, and real Chromium (software rendering) draws it while a pointer pans and the wheel zooms.
import { openStore } from '@runyard/store'
import type { Browser, Page } from 'playwright-core'
import { openBrowser } from '../harness/browser.ts'
import { startStack, type Stack } from '../harness/stack.ts'
import { waitFor } from '../harness/wait.ts'
import { processorMs } from './processor-ms.ts'
import { fillDay } from './page-day.ts'
import type { Measured } from './table.ts'

const DAY_MS = 24 * 3_600_000
const MINUTE_MS = 60_000
const WARM_UP = 5
const CARDS = '64 cards × 24 h'
const VIEWPORT = { width: 1440, height: 900 }
const RETENTION = { asyncMs: 60_000, syncMs: 60_000 }
const HISTORY_BYTES = 256 * 1024 * 1024

export async function measurePage(times: (full: number) => number, say: (line: string) => void): Promise<readonly Measured[]> {
  await using scope = new AsyncDisposableStack()
  const until = Date.now()
  let jobs = 0
  const prepare = async ({ redisUrl }: { readonly redisUrl: string }): Promise<void> => {
    await using store = await openStore({ redisUrl, leaseMs: 40_000, retention: RETENTION, history: { bytes: HISTORY_BYTES, days: 7 } })
    jobs = await fillDay(store, { hosts: 8, cardsPerHost: 8, jobs: 200_000, until })
  }
  const settings = { RUNYARD_HISTORY_BYTES: `${HISTORY_BYTES}`, RUNYARD_LOG_LEVEL: 'info' }
  const stack = scope.adopt(await startStack({ host: 'process', prepare, settings }), (started) => started.stop())
  say(`${CARDS} with ${jobs.toLocaleString('en')} jobs`)
  const answers = await measureAnswers(stack, until, times(40))
  const page = await openGpus(stack, await openBrowser(scope))
  say('panning and zooming')
  const [width, height] = [VIEWPORT.width, VIEWPORT.height]
  const pan = await measureFrames(page, async () => {
    await page.mouse.move(width / 2, height / 2)
    await page.mouse.down()
    for (let step = 0; step < times(240); step += 1) await page.mouse.move(width / 2 + 8 * (step % 60), height / 2)
    await page.mouse.up()
  })
  const zoom = await measureFrames(page, async () => {
    await page.keyboard.down('Control')
    for (let step = 0; step < times(120); step += 1) await page.mouse.wheel(0, step % 40 < 20 ? -40 : 40)
    await page.keyboard.up('Control')
  })
  return [...answers, ...framesOf('pan', pan), ...framesOf('zoom', zoom)]
}

/** The first one, and then those of other ranges, as somebody moves through the day. */
async function measureAnswers({ url, key, gateway }: Stack, until: number, count: number): Promise<readonly Measured[]> {
  const answer = async (back: number): Promise<{ readonly ms: number; readonly bytes: number }> => {
    const path = `${url}/runyard/v1/timeline?from=${until - DAY_MS - back}&to=${until - back}&px=${VIEWPORT.width}`
    const beganAt = performance.now()
    const got = await fetch(path, { headers: { authorization: `Bearer ${key}`, 'accept-encoding': 'gzip' } })
    await got.arrayBuffer()
    return { ms: performance.now() - beganAt, bytes: Number(got.headers.get('content-length')) }
  }
  const first = await answer(0)
  // Not counted, while the code is compiled.
  for (let turn = 1; turn < WARM_UP; turn += 1) await answer(turn * MINUTE_MS)
  const spent: number[] = []
  const before = await processorMs(gateway.pid())
  for (let turn = 1; turn <= count; turn += 1) spent.push((await answer(turn * MINUTE_MS)).ms)
  const each = ((await processorMs(gateway.pid())) - before) / count
  return [
    { path: `answer of the timeline, ${CARDS}, gzip`, ours: first.bytes, unit: 'bytes', budget: { of: 'ours', most: 60 * 1024 } },
    { path: 'the first one of a gateway', ours: first.ms, unit: 'ms' },
    { path: 'those of other ranges, p95', ours: quantile(spent, 0.95), unit: 'ms', budget: { of: 'ours', most: 50 } },
    { path: 'processor time of one of them', ours: each, unit: 'ms' },
  ]
}

async function openGpus({ url, api }: Stack, browser: Browser): Promise<Page> {
  const page = await browser.newPage({ viewport: VIEWPORT })
  const { json } = await api.request('/runyard/v1/session/codes', { method: 'POST' })
  await page.goto(`${url}/#c=${String(json['code'])}`)
  await page.getByRole('link', { name: 'GPUs' }).first().click()
  await page.goto(`${url}/gpus?range=24h`)
  await page.locator('canvas[data-part="lanes"]').waitFor()
  await waitFor('the lanes of all cards', async () => (await page.getByRole('gridcell').count()) === 64)
  return page
}

interface Frames {
  /** From one frame to the next, ms. */
  readonly intervals: readonly number[]
  /** What the main thread did in each, ms. */
  readonly work: readonly number[]
}

/** Frames while `act` lasts, by the browser's own trace. */
async function measureFrames(page: Page, act: () => Promise<void>): Promise<Frames> {
  const browser = page.context().browser()
  if (browser === null) throw new Error('the page has no browser')
  await browser.startTracing(page, { categories: ['toplevel', 'blink.user_timing'] })
  await page.evaluate(MARK_FRAMES)
  await act()
  await page.evaluate('globalThis.stopFrames()')
  const { traceEvents } = JSON.parse((await browser.stopTracing()).toString()) as { readonly traceEvents: readonly TraceEvent[] }
  return framesIn(traceEvents)
}

/** Runs in the page: a mark at the beginning of each frame. */
const MARK_FRAMES = `(() => {
  let isOver = false
  const next = () => { performance.mark('bench-frame'); if (!isOver) requestAnimationFrame(next) }
  requestAnimationFrame(next)
  globalThis.stopFrames = () => { isOver = true }
})()`

interface TraceEvent {
  readonly name: string
  readonly ph: string
  readonly tid: number
  readonly pid: number
  /** Microseconds. */
  readonly ts: number
  readonly dur?: number
}

function framesIn(events: readonly TraceEvent[]): Frames {
  const marks = events.filter(({ name }) => name === 'bench-frame').toSorted((a, b) => a.ts - b.ts)
  const [{ pid, tid } = { pid: 0, tid: 0 }] = marks
  const tasks = events.filter((event) => event.pid === pid && event.tid === tid && event.ph === 'X' && event.name.endsWith('RunTask'))
  const spans = marks.slice(1).map(({ ts }, index) => ({ from: marks[index]?.ts ?? 0, to: ts }))
  return {
    intervals: spans.map(({ from, to }) => (to - from) / 1000),
    work: spans.map(({ from, to }) => tasks.filter(({ ts }) => ts >= from && ts < to).reduce((sum, { dur = 0 }) => sum + dur / 1000, 0)),
  }
}

function framesOf(what: string, { intervals, work }: Frames): readonly Measured[] {
  return [
    { path: `${what}, ${CARDS}: frame, p50`, ours: quantile(intervals, 0.5), unit: 'ms' },
    { path: `${what}, ${CARDS}: frame, p95`, ours: quantile(intervals, 0.95), unit: 'ms', budget: { of: 'ours', most: 21 } },
    { path: `${what}, ${CARDS}: work of the page per frame, p50`, ours: quantile(work, 0.5), unit: 'ms' },
    {
      path: `${what}, ${CARDS}: work of the page per frame, p95`,
      ours: quantile(work, 0.95),
      unit: 'ms',
      budget: { of: 'ours', most: 11 },
    },
  ]
}

function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
}
