// What each card does and did, as a person sees it and as somebody reads it who sees no picture; each compared with the API.
import type { TimelineView } from '@runyard/schema/api'
import type { Page } from 'playwright-core'
import { beforeAll, describe, expect, test } from 'vitest'
import type { PageSite } from '../../harness/page.ts'
import { waitFor } from '../../harness/wait.ts'
import { NAP, sourceCall } from '../calls.ts'
import { isLive } from './faults.ts'

type Lane = TimelineView['lanes'][number]
type Job = NonNullable<Lane['jobs']>[number]

/** A card that ran a job for two seconds and then one that took longer than it may. */
interface Ran {
  readonly lane: Lane
  readonly done: Job
  readonly failed: Job
  /** Search parameters of a range around both. */
  readonly range: string
}

export function gpuScenarios(site: () => PageSite): void {
  describe('the picture of the cards', () => {
    let ran: Ran
    beforeAll(async () => {
      ran = await runTwoJobs(site())
    })

    test('has the colour of a busy card where a job ran, and trouble where one failed', async () => {
      // Chromium advises those who read pixels. The page does not read them.
      await using opened = await site().open(`/gpus?${ran.range}`, { expected: [/willReadFrequently/u] })
      const { page } = opened
      await cellOf(page, ran.lane).waitFor({ state: 'attached' })
      const { from, to } = ran.done
      const colourAt = (at: number, y: number) => readPixel(page, { uuid: ran.lane.uuid, place: placeIn(ran.range, at), y })
      await expect.poll(() => colourAt((from + to) / 2, 20)).toEqual(await readToken(page, '--state-busy'))
      await expect.poll(() => colourAt(ran.failed.to, 1)).toEqual(await readToken(page, '--state-trouble'))
      expect(await colourAt(from - 20_000, 20)).not.toEqual(await readToken(page, '--state-busy'))
    })

    test('is read and moved by keys alone: the next failure, its details, nearer, now', async () => {
      await using opened = await site().open(`/gpus?${ran.range}`)
      const { page } = opened
      await cellOf(page, ran.lane).waitFor({ state: 'attached' })
      await waitFor('Tab to come to the cells', async () => {
        await page.keyboard.press('Tab')
        return (await focused(page)).role === 'gridcell'
      })
      await page.keyboard.press('Home')
      await page.keyboard.press('f')
      await expect.poll(async () => (await focused(page)).label).toMatch(/endpoint painted.*1 failed/u)
      await page.keyboard.press('Enter')
      const panel = page.getByRole('complementary')
      await panel.getByText('executionTimeout exceeded').waitFor()
      await panel.getByText('✕ FAILED').waitFor()
      expect(new URL(page.url()).searchParams.get('gpu')).toBe(ran.lane.uuid)
      await page.keyboard.press('Escape')
      await panel.waitFor({ state: 'detached' })
      const before = lengthOf(page)
      await page.keyboard.press('+')
      await expect.poll(() => lengthOf(page)).toBeLessThan(before)
      await page.keyboard.press('n')
      await expect.poll(() => new URL(page.url()).searchParams.has('from')).toBe(false)
      await page.keyboard.press('t')
      await page.getByRole('table', { name: 'Cards' }).waitFor()
    })

    test('moves under the pointer: a drag pans, a selection with shift becomes the range, a click shows the worker', async () => {
      await using opened = await site().open(`/gpus?${ran.range}`)
      const { page } = opened
      const cell = cellOf(page, ran.lane)
      await cell.waitFor({ state: 'attached' })
      const box = (await cell.boundingBox()) ?? { x: 0, y: 0, width: 0, height: 0 }
      const drag = async (from: number, to: number): Promise<void> => {
        await page.mouse.move(box.x + from * box.width, box.y + 10)
        await page.mouse.down()
        await page.mouse.move(box.x + to * box.width, box.y + 10, { steps: 4 })
        await page.mouse.up()
      }
      const start = fromOf(page)
      await drag(0.3, 0.6)
      await expect.poll(() => fromOf(page)).toBeLessThan(start)
      const before = lengthOf(page)
      await page.keyboard.down('Shift')
      await drag(0.2, 0.7)
      await page.keyboard.up('Shift')
      await expect.poll(() => lengthOf(page) / before).toBeCloseTo(0.5, 1)
      await page.goto(`${site().stack.url}/gpus?${ran.range}`)
      await cell.waitFor({ state: 'attached' })
      const again = (await cell.boundingBox()) ?? box
      await page.mouse.click(again.x + placeIn(ran.range, (ran.done.from + ran.done.to) / 2) * again.width, again.y + 10)
      await page.getByRole('complementary').getByRole('link', { name: 'painted' }).waitFor()
    })

    test('is asked for once when the Yard is opened, at the width that it has there', async () => {
      await using opened = await site().open('/start', { aheadMs: 0 })
      const { page } = opened
      const asked: URL[] = []
      page.on('request', (request) => asked.push(new URL(request.url())))
      await page.getByRole('link', { name: 'Yard', exact: true }).click()
      await page.getByRole('heading', { name: 'GPUs' }).waitFor()
      await isLive(opened)
      // Longer than a change of the pool waits for the next picture.
      await page.clock.fastForward('00:05')
      await page.evaluate('fetch("healthz").then((answer) => answer.text())')
      const pictures = asked.filter(({ pathname }) => pathname.endsWith('/timeline'))
      // The range may have moved on meanwhile.
      expect(new Set(pictures.map(({ search }) => search)).size).toBe(pictures.length)
      expect(new Set(pictures.map(({ searchParams }) => searchParams.get('px'))).size).toBe(1)
    })

    test('is a table, too, which says what the API says', async () => {
      const { stack } = site()
      await using opened = await site().open('/usage')
      const { page } = opened
      const answer = page.waitForResponse(/\/runyard\/v1\/timeline/u)
      await page.goto(`${stack.url}/gpus?${ran.range}&view=table`)
      const view = (await (await answer).json()) as TimelineView
      const lane = view.lanes.find(({ uuid }) => uuid === ran.lane.uuid)
      const row = page
        .getByRole('table', { name: 'Cards' })
        .getByRole('row')
        .filter({ hasText: nameOf(ran.lane) })
      const cells = await row.getByRole('cell').allTextContents()
      expect(cells[2]).toBe(`${Math.round(100 * shareOf(view, lane, 'b', ran.range))} %`)
      expect(cells[9]).toBe(`${lane?.jobs?.length}`)
      expect(cells[10]).toBe(`${lane?.failed.length}`)
      expect(await opened.findBarriers()).toEqual([])
    })

    test('is shared as a link, PNG and CSV, in the times that somebody has chosen', async () => {
      await using opened = await site().open('/usage')
      const { page, context } = opened
      await (await context.newCDPSession(page)).send('Emulation.setTimezoneOverride', { timezoneId: 'Asia/Tokyo' })
      await page.goto(`${site().stack.url}/gpus?${ran.range}`)
      const grid = page.getByRole('grid', { name: /^GPUs, / })
      await expect.poll(() => grid.getAttribute('aria-label')).toMatch(/GMT\+9$/u)
      await page.getByRole('button', { name: 'Times, theme and session' }).click()
      await page.getByLabel('Times', { exact: true }).selectOption('UTC')
      await page.keyboard.press('Escape')
      await expect.poll(() => grid.getAttribute('aria-label')).toMatch(/ UTC$/u)
      await context.grantPermissions(['clipboard-read', 'clipboard-write'])
      await page.getByRole('button', { name: 'Copy link' }).click()
      await page.getByText('✓ Copied').waitFor()
      const link = new URL(await page.evaluate<string>('navigator.clipboard.readText()'))
      expect([link.pathname, link.search]).toEqual(['/gpus', `?${ran.range}`])
      const [png, csv] = [await saveBy(page, 'PNG'), await saveBy(page, 'CSV')]
      expect([png.name, png.bytes.subarray(1, 4).toString()]).toEqual([expect.stringMatching(/^gpus-.*\.png$/u), 'PNG'])
      expect([csv.name, csv.bytes.toString()]).toEqual([expect.stringMatching(/^gpus-.*\.csv$/u), expect.stringContaining(ran.lane.uuid)])
    })

    test('is seen by everybody: cards, one card, its host, in both themes at each width', async () => {
      const { lane, done, range } = ran
      await using opened = await site().open(`/gpus?${range}&gpu=${lane.uuid}&at=${Math.round((done.from + done.to) / 2)}`)
      await opened.page.getByRole('complementary').getByRole('heading', { name: 'Its last lines' }).waitFor()
      expect(await opened.look('gpus')).toEqual([])
      await opened.page.goto(`${site().stack.url}/gpus/${lane.uuid}?${range}`)
      await opened.page.getByRole('heading', { name: 'Workers that had it' }).waitFor()
      expect(await opened.look('card')).toEqual([])
      await opened.page.goto(`${site().stack.url}/hosts/${lane.hostId}`)
      await opened.page.getByRole('table', { name: 'Cards' }).waitFor()
      expect(await opened.look('host')).toEqual([])
    })
  })
}

async function runTwoJobs({ stack: { api } }: PageSite): Promise<Ran> {
  const endpoint = await api.saveEndpoint({ name: 'painted', gpuIds: 'ADA_24', workersMax: 1, idleTimeout: 600 })
  await api.settled(endpoint, await api.run(endpoint, sourceCall('nap', NAP, { seconds: 2 })))
  await api.settled(endpoint, await api.run(endpoint, sourceCall('nap', NAP, { seconds: 60 }), { policy: { executionTimeout: 5000 } }))
  return await waitFor('both jobs in the timeline', async () => {
    const now = Date.now()
    const { lanes } = await api.read<TimelineView>(`/runyard/v1/timeline?from=${now - 600_000}&to=${now}&px=2000&endpoint=${endpoint}`)
    const lane = lanes.find(({ jobs = [] }) => jobs.length > 0)
    const [done, failed] = ['COMPLETED', 'FAILED'].map((status) => lane?.jobs?.find((job) => job.status === status))
    if (lane === undefined || done === undefined || failed === undefined) return undefined
    return { lane, done, failed, range: `from=${done.from - 30_000}&to=${failed.to + 10_000}` }
  })
}

async function saveBy(page: Page, button: string): Promise<{ readonly name: string; readonly bytes: Buffer }> {
  const download = page.waitForEvent('download')
  await page.getByRole('button', { name: button, exact: true }).click()
  const saved = await download
  const chunks: Buffer[] = []
  for await (const chunk of await saved.createReadStream()) chunks.push(chunk as Buffer)
  return { name: saved.suggestedFilename(), bytes: Buffer.concat(chunks) }
}

const nameOf = ({ host, index }: Lane): string => `${host} · ${index}`
const cellOf = (page: Page, { uuid }: Lane) => page.locator(`#lane-${uuid.replaceAll(/[^\w-]/gu, String.raw`\$&`)}`)

const fromOf = (page: Page): number => Number(new URL(page.url()).searchParams.get('from'))
const lengthOf = (page: Page): number => Number(new URL(page.url()).searchParams.get('to')) - fromOf(page)

function placeIn(range: string, at: number): number {
  const search = new URLSearchParams(range)
  const [from, to] = [Number(search.get('from')), Number(search.get('to'))]
  return (at - from) / (to - from)
}

/** Share of the known columns of the range that have the letter. */
function shareOf({ from, to, now, px }: TimelineView, lane: Lane | undefined, letter: string, range: string): number {
  const search = new URLSearchParams(range)
  const seen = { from: Math.max(from, Number(search.get('from'))), to: Math.min(to, now, Number(search.get('to'))) }
  const columnMs = (to - from) / px
  const spent = Array.from(lane?.phases ?? '').reduce((sum, one, column) => {
    const [begin, end] = [Math.max(seen.from, from + column * columnMs), Math.min(seen.to, from + (column + 1) * columnMs)]
    return one === letter ? sum + Math.max(0, end - begin) : sum
  }, 0)
  return spent / (seen.to - seen.from)
}

async function focused(page: Page): Promise<{ readonly role: string | null; readonly label: string | null }> {
  const seen = page.locator(':focus')
  if ((await seen.count()) === 0) return { role: null, label: null }
  return { role: await seen.getAttribute('role'), label: await seen.getAttribute('aria-label') }
}

interface Spot {
  readonly uuid: string
  /** 0 to 1 within the range. */
  readonly place: number
  /** From the top of the lane. */
  readonly y: number
}

async function readPixel(page: Page, { uuid, place, y }: Spot): Promise<unknown> {
  return await page.evaluate(`(() => {
    const canvas = document.querySelector('canvas[data-part="lanes"]')
    const cell = document.getElementById(${JSON.stringify(`lane-${uuid}`)})
    const top = cell.getBoundingClientRect().top - canvas.getBoundingClientRect().top
    const { data } = canvas.getContext('2d').getImageData(Math.floor(${place} * canvas.width), Math.round(top + ${y}), 1, 1)
    return [...data].slice(0, 3)
  })()`)
}

async function readToken(page: Page, token: string): Promise<unknown> {
  return await page.evaluate(`(() => {
    const probe = document.createElement('span')
    probe.style.color = 'var(${token})'
    document.body.append(probe)
    const colour = getComputedStyle(probe).color
    probe.remove()
    return colour.match(/[0-9]+/g).map(Number)
  })()`)
}
