// A page that is open while 500 events of jobs happen in a second: how soon a change is seen, how soon it answers its user, and what it holds after a while.
import type { Page } from 'playwright-core'
import type { Stack } from '../../harness/stack.ts'
import { waitFor } from '../../harness/wait.ts'
import { NO_OP_BODY } from '../jobs.ts'
import { percentile } from '../load.ts'
import type { Measured } from '../table.ts'
import { EVENTS_PER_S, withJobEvents } from './load.ts'
import type { PageBench } from './world.ts'

const QUIET = 'bench-quiet'
const LOAD = `${EVENTS_PER_S} job events/s`
const CHANGES = 60
const SETTLE_MS = 5000
const HOUR_MS = 3_600_000

export async function measureLive(bench: PageBench): Promise<readonly Measured[]> {
  const { stack, openPage, times } = bench
  const endpointId = await stack.api.saveEndpoint({ name: QUIET })
  const rows = await withJobEvents(stack, async () => {
    await using opened = await openPage('/', SHOW_CHANGES)
    await waitFor('the page to follow the endpoint', () => opened.page.evaluate<boolean>(`globalThis.follow(${JSON.stringify(QUIET)})`))
    await opened.page.waitForTimeout(SETTLE_MS)
    const begun = { at: Date.now(), ...(await weigh(opened.page)) }
    const delays = await measureChanges(stack, { endpointId, page: opened.page, count: times(CHANGES) })
    const interactions = await measureInteractions(bench)
    await opened.page.waitForTimeout(Math.max(0, begun.at + bench.openMs - Date.now()))
    const ended = await weigh(opened.page)
    const openMs = Date.now() - begun.at
    const path = `a page open for ${Math.round(openMs / 1000)} s at ${LOAD}`
    const [delay, inp] = [percentile(delays, 0.95), percentile(interactions, 0.98)]
    const perHour = ((ended.heap - begun.heap) * HOUR_MS) / openMs
    const measured: readonly Measured[] = [
      { path: `a change in Redis until it is painted, ${LOAD}, p95`, ours: delay, unit: 'ms', budget: { of: 'ours', most: 300 } },
      { path: `the same, p50`, ours: percentile(delays, 0.5), unit: 'ms' },
      { path: `typing and clicking in the list of jobs (INP), ${LOAD}`, ours: inp, unit: 'ms', budget: { of: 'ours', most: 100 } },
      { path: `${path}: heap`, ours: ended.heap, unit: 'bytes', budget: { of: 'ours', most: 120e6 } },
      { path: `${path}: growth of the heap in an hour at that pace`, ours: perHour, unit: 'bytes' },
      { path: `${path}: nodes`, ours: ended.nodes, unit: 'count', budget: { of: 'ours', most: 2500 } },
      { path: `${path}: nodes more than at the beginning`, ours: ended.nodes - begun.nodes, unit: 'count' },
    ]
    return measured
  })
  await stack.api.deleteEndpoint(endpointId)
  return rows
}

interface Changes {
  readonly endpointId: string
  readonly page: Page
  readonly count: number
}

/** From when a job was accepted, until the length of its queue was painted. */
async function measureChanges({ url, key }: Stack, { endpointId, page, count }: Changes): Promise<readonly number[]> {
  const delays: number[] = []
  for (let turn = 0; turn < count; turn += 1) {
    // So that changes do not fall in step with the pace of the stream.
    await page.waitForTimeout(100 + ((turn * 37) % 300))
    const seen = page.evaluate<number>('globalThis.nextChange()')
    const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' }
    await fetch(`${url}/v2/${endpointId}/run`, { method: 'POST', headers, body: NO_OP_BODY })
    const changedAt = Date.now()
    delays.push(Math.max(0, (await seen) - changedAt))
  }
  return delays
}

/** Runs in the page. `nextChange` resolves with the time at which another text of the row was painted. */
const SHOW_CHANGES = `(() => {
  const waiting = []
  let text
  globalThis.follow = (name) => {
    const read = () => [...document.querySelectorAll('tr')].find((row) => row.textContent.startsWith(name))?.cells[2]?.textContent
    text = read()
    if (!text) return false
    new MutationObserver(() => {
      const now = read()
      if (now === text) return
      text = now
      requestAnimationFrame(() => setTimeout(() => { for (const report of waiting.splice(0)) report(Date.now()) }))
    }).observe(document.body, { subtree: true, childList: true, characterData: true })
    return true
  }
  globalThis.nextChange = () => new Promise((resolve) => waiting.push(resolve))
})()`

/** How long each typed letter and each click took until it was painted, ms. */
async function measureInteractions({ openPage, times }: PageBench): Promise<readonly number[]> {
  await using opened = await openPage('/jobs?range=24h', NOTE_INTERACTIONS)
  const { page } = opened
  await page.getByRole('row').nth(5).waitFor()
  const field = page.getByRole('search').getByRole('searchbox')
  for (let turn = 0; turn < times(20); turn += 1) {
    await field.pressSequentially('a')
    await page
      .getByRole('checkbox')
      .nth(turn % 8)
      .click({ force: true })
    await page.waitForTimeout(100)
  }
  await page.waitForTimeout(500)
  return await page.evaluate<readonly number[]>('globalThis.interactions()')
}

/** Runs in the page. An interaction without an entry took less than 16 ms. */
const NOTE_INTERACTIONS = `(() => {
  const longest = new Map()
  new PerformanceObserver((list) => {
    for (const { interactionId, duration } of list.getEntries()) {
      if (interactionId > 0) longest.set(interactionId, Math.max(duration, longest.get(interactionId) ?? 0))
    }
  }).observe({ type: 'event', durationThreshold: 16, buffered: true })
  globalThis.interactions = () => [...longest.values(), 16]
})()`

/** Of the page, after its garbage was collected. */
async function weigh(page: Page): Promise<{ readonly heap: number; readonly nodes: number }> {
  const session = await page.context().newCDPSession(page)
  await session.send('Performance.enable')
  await session.send('HeapProfiler.collectGarbage')
  const { metrics } = await session.send('Performance.getMetrics')
  await session.detach()
  const of = (name: string): number => metrics.find((metric) => metric.name === name)?.value ?? Number.NaN
  return { heap: of('JSHeapUsedSize'), nodes: of('Nodes') }
}
