// Frames of a page while something moves: how long each took, and what the main thread did in it, by the browser's own trace.
import type { Page } from 'playwright-core'

export interface Frames {
  /** From one frame to the next, ms. */
  readonly intervals: readonly number[]
  /** Processor time of the main thread in each, ms. */
  readonly work: readonly number[]
}

/** Frames while `act` lasts, by the browser's own trace. */
export async function measureFrames(page: Page, act: () => Promise<void>): Promise<Frames> {
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
  /** Of processor time, which other load on the machine changes little. */
  readonly tdur?: number
}

function framesIn(events: readonly TraceEvent[]): Frames {
  const marks = events.filter(({ name }) => name === 'bench-frame').toSorted((a, b) => a.ts - b.ts)
  const [{ pid, tid } = { pid: 0, tid: 0 }] = marks
  const tasks = events.filter((event) => event.pid === pid && event.tid === tid && event.ph === 'X' && event.name.endsWith('RunTask'))
  const spans = marks.slice(1).map(({ ts }, index) => ({ from: marks[index]?.ts ?? 0, to: ts }))
  return {
    intervals: spans.map(({ from, to }) => (to - from) / 1000),
    work: spans.map(({ from, to }) =>
      tasks.filter(({ ts }) => ts >= from && ts < to).reduce((sum, { dur = 0, tdur = dur }) => sum + tdur / 1000, 0),
    ),
  }
}
