// What a first visit transfers, and when the first paint and the first rows come. Median visits with an empty cache.
import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { median } from '../load.ts'
import type { Measured } from '../table.ts'
import type { PageBench } from './world.ts'

const DIST = join(import.meta.dirname, '..', '..', '..', 'apps', 'dashboard', 'dist')
const KB = 1000
const VISITS = 5
/** Until what the page loads by itself has come. */
const QUIET_MS = 1500

export async function measureFirstVisit({ openPage, times, say }: PageBench): Promise<readonly Measured[]> {
  const visits: Visit[] = []
  for (let visit = 0; visit < times(VISITS); visit += 1) {
    await using opened = await openPage('/jobs?range=24h', NOTE_ROWS)
    const { page } = opened
    await page.getByRole('row').nth(1).waitFor()
    await page.waitForTimeout(QUIET_MS)
    visits.push(await page.evaluate<Visit>(READ_VISIT))
  }
  await using yard = await openPage('/')
  await yard.page.waitForTimeout(QUIET_MS)
  const start = await yard.page.evaluate<Visit>(READ_VISIT)
  say(`the largest: ${start.largest.join(', ')}`)
  const of = (pick: (visit: Visit) => number): number => median(visits.map((visit) => pick(visit)))
  const all = await reachedFiles()
  const [scripts, styles] = await Promise.all(['.js', '.css'].map((ending) => gzipped(all.filter((name) => name.endsWith(ending)))))
  const bytes = (path: string, ours: number, most: number): Measured => ({
    path,
    ours,
    unit: 'bytes',
    budget: { of: 'ours', most: most * KB },
  })
  return [
    bytes('scripts at the start, compressed', start.scripts, 170),
    bytes('scripts of all pages, compressed', scripts ?? Number.NaN, 300),
    bytes('styles of all pages, compressed', styles ?? Number.NaN, 20),
    bytes('transferred on the first visit, answers of the API included', start.all, 220),
    { path: 'first contentful paint, p50', ours: of(({ paintMs }) => paintMs), unit: 'ms', budget: { of: 'ours', most: 250 } },
    { path: 'first rows of jobs painted, p50', ours: of(({ rowsMs }) => rowsMs), unit: 'ms', budget: { of: 'ours', most: 450 } },
  ]
}

interface Visit {
  readonly scripts: number
  readonly all: number
  readonly paintMs: number
  readonly rowsMs: number
  readonly largest: readonly string[]
}

/** Runs in the page: when a row of a grid was painted. */
const NOTE_ROWS = `(() => {
  const watch = new MutationObserver(() => {
    if (document.querySelector('[role=grid] [aria-rowindex="2"]') === null) return
    watch.disconnect()
    requestAnimationFrame(() => setTimeout(() => { globalThis.rowsMs = performance.now() }))
  })
  watch.observe(document, { childList: true, subtree: true })
})()`

/** Runs in the page. */
const READ_VISIT = `(() => {
  const entries = [...performance.getEntriesByType('resource'), ...performance.getEntriesByType('navigation')]
  const sum = (some) => some.reduce((total, { transferSize }) => total + transferSize, 0)
  return {
    all: sum(entries),
    scripts: entries.filter(({ name }) => name.endsWith('.js')).reduce((total, { encodedBodySize }) => total + encodedBodySize, 0),
    paintMs: performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? NaN,
    rowsMs: globalThis.rowsMs ?? NaN,
    largest: entries.toSorted((a, b) => b.transferSize - a.transferSize).slice(0, 12).map(({ name, transferSize }) => new URL(name).pathname + ' ' + transferSize),
  }
})()`

/** What the page may load; others may be left of an earlier build. */
async function reachedFiles(): Promise<readonly string[]> {
  const reached = new Set<string>()
  const visit = async (text: string): Promise<void> => {
    for (const [, name = ''] of text.matchAll(/\.\/(?:assets\/)?([\w-]+\.(?:js|css))/gu)) {
      if (reached.has(name)) continue
      reached.add(name)
      await visit(await readFile(join(DIST, 'assets', name), 'utf8'))
    }
  }
  await visit(await readFile(join(DIST, 'index.html'), 'utf8'))
  return [...reached]
}

async function gzipped(names: readonly string[]): Promise<number> {
  const sizes = await Promise.all(names.map(async (name) => (await stat(join(DIST, 'assets', `${name}.gz`))).size))
  return sizes.reduce((sum, size) => sum + size, 0)
}
