// The list of jobs with ten thousand rows, scrolled by a whole screen in each frame.
import { waitFor } from '../../harness/wait.ts'
import { percentile } from '../load.ts'
import type { Measured } from '../table.ts'
import { measureFrames } from './frames.ts'
import type { PageBench } from './world.ts'

const ROWS = 10_000
const STEP_PX = 900
const FRAMES = 240

export async function measureJobList({ openPage, times, say }: PageBench): Promise<readonly Measured[]> {
  await using opened = await openPage('/jobs?range=24h')
  const { page } = opened
  const shown = async (): Promise<number> => {
    const text =
      (await page
        .getByRole('status')
        .filter({ hasText: /^[\d,]+ (?:and more )?jobs?/u })
        .first()
        .textContent()) ?? ''
    return Number(/^[\d,]+/u.exec(text)?.[0].replaceAll(',', ''))
  }
  const rows = times(ROWS)
  await waitFor(
    'the rows to be read',
    async () => {
      await page.evaluate('scrollTo(0, document.documentElement.scrollHeight)')
      return (await shown()) >= rows
    },
    { intervalMs: 50, timeoutMs: 60_000 },
  )
  say(`${await shown()} rows`)
  await page.evaluate('scrollTo(0, 0)')
  await page.waitForTimeout(500)
  const { intervals, work } = await measureFrames(page, async () => {
    await page.evaluate(`(${SCROLL})(${STEP_PX}, ${Math.min(FRAMES, Math.floor(rows / 30))})`)
  })
  const nodes = await page.evaluate<number>('document.querySelectorAll("*").length')
  const path = `jobs list of ${rows.toLocaleString('en')} rows, ${STEP_PX} px a frame`
  return [
    { path: `${path}: frame, p95`, ours: percentile(intervals, 0.95), unit: 'ms', budget: { of: 'ours', most: 25 } },
    { path: `${path}: the longest frame`, ours: Math.max(...intervals), unit: 'ms', budget: { of: 'ours', most: 50 } },
    { path: `${path}: work of the page per frame, p50`, ours: percentile(work, 0.5), unit: 'ms' },
    { path: `${path}: work of the page per frame, p95`, ours: percentile(work, 0.95), unit: 'ms' },
    { path: `${path}: elements`, ours: nodes, unit: 'count' },
  ]
}

/** Runs in the page. */
const SCROLL = `(step, frames) => new Promise((resolve) => {
  const go = (left) => {
    scrollBy(0, step)
    if (left === 0) resolve()
    else requestAnimationFrame(() => go(left - 1))
  }
  go(frames)
})`
