// The picture of the cards: its answer, and frames while a pointer pans and the wheel zooms.
import { Agent, get, type RequestOptions } from 'node:http'
import type { Page } from 'playwright-core'
import type { Stack } from '../../harness/stack.ts'
import { waitFor } from '../../harness/wait.ts'
import { percentile } from '../load.ts'
import { processorMs } from '../processor-ms.ts'
import type { Measured } from '../table.ts'
import { measureFrames, type Frames } from './frames.ts'
import { VIEWPORT, type PageBench } from './world.ts'

const CARDS = '64 cards × 24 h'
const MINUTE_MS = 60_000
const DAY_MS = 24 * 60 * MINUTE_MS
const WARM_UP = 5

export async function measureTimeline({ stack, openPage, until, times }: PageBench): Promise<readonly Measured[]> {
  const answers = await measureAnswers(stack, until, times(40))
  await using opened = await openPage('/gpus?range=24h')
  const { page } = opened
  await page.locator('canvas[data-part="lanes"]').waitFor()
  await waitFor('the lanes of all cards', async () => (await page.getByRole('gridcell').count()) === 64)
  const pan = await measureFrames(page, () => panOver(page, times(240)))
  const zoom = await measureFrames(page, () => zoomOver(page, times(120)))
  return [...answers, ...framesOf('pan', pan), ...framesOf('zoom', zoom)]
}

async function panOver(page: Page, steps: number): Promise<void> {
  const [x, y] = [VIEWPORT.width / 2, VIEWPORT.height / 2]
  await page.mouse.move(x, y)
  await page.mouse.down()
  for (let step = 0; step < steps; step += 1) await page.mouse.move(x + 8 * (step % 60), y)
  await page.mouse.up()
}

async function zoomOver(page: Page, steps: number): Promise<void> {
  await page.keyboard.down('Control')
  for (let step = 0; step < steps; step += 1) await page.mouse.wheel(0, step % 40 < 20 ? -40 : 40)
  await page.keyboard.up('Control')
}

interface Answer {
  readonly ms: number
  readonly bytes: number
}

/** Neither decompressed nor kept: what this process would collect counts for the gateway otherwise. */
async function fetchAnswer(url: string, options: RequestOptions): Promise<Answer> {
  const beganAt = performance.now()
  const { promise, resolve, reject } = Promise.withResolvers<Answer>()
  const request = get(url, options, (response) => {
    let bytes = 0
    response.on('data', (part: Buffer) => (bytes += part.length))
    response.once('end', () => resolve({ ms: performance.now() - beganAt, bytes }))
  })
  request.once('error', reject)
  return await promise
}

/** The first one, and then those of other ranges, as somebody moves through the day. */
async function measureAnswers({ url, key, gateway }: Stack, until: number, count: number): Promise<readonly Measured[]> {
  const headers = { authorization: `Bearer ${key}`, 'accept-encoding': 'gzip' }
  const agent = new Agent({ keepAlive: true })
  const answer = (back: number): Promise<Answer> => {
    const path = `${url}/runyard/v1/timeline?from=${until - DAY_MS - back}&to=${until - back}&px=${VIEWPORT.width}`
    return fetchAnswer(path, { headers, agent })
  }
  const first = await answer(0)
  // Not counted, while the code is compiled.
  for (let turn = 1; turn < WARM_UP; turn += 1) await answer(turn * MINUTE_MS)
  const spent: number[] = []
  const before = await processorMs(gateway.pid())
  for (let turn = 1; turn <= count; turn += 1) spent.push((await answer(turn * MINUTE_MS)).ms)
  const each = ((await processorMs(gateway.pid())) - before) / count
  agent.destroy()
  return [
    { path: `answer of the timeline, ${CARDS}, gzip`, ours: first.bytes, unit: 'bytes', budget: { of: 'ours', most: 60 * 1024 } },
    { path: 'the first one of a gateway', ours: first.ms, unit: 'ms' },
    { path: 'those of other ranges, p95', ours: percentile(spent, 0.95), unit: 'ms', budget: { of: 'ours', most: 50 } },
    { path: 'processor time of one of them', ours: each, unit: 'ms' },
  ]
}

function framesOf(what: string, { intervals, work }: Frames): readonly Measured[] {
  return [
    { path: `${what}, ${CARDS}: frame, p50`, ours: percentile(intervals, 0.5), unit: 'ms' },
    { path: `${what}, ${CARDS}: frame, p95`, ours: percentile(intervals, 0.95), unit: 'ms', budget: { of: 'ours', most: 21 } },
    { path: `${what}, ${CARDS}: work of the page per frame, p50`, ours: percentile(work, 0.5), unit: 'ms' },
    {
      path: `${what}, ${CARDS}: work of the page per frame, p95`,
      ours: percentile(work, 0.95),
      unit: 'ms',
      budget: { of: 'ours', most: 11 },
    },
  ]
}
