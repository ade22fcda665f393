// `pnpm bench page [PART…]`: the budgets of the page (docs/benchmarks.md). A real gateway answers from a history of a day of 64 cards, and real Chromium with
// software rendering shows it. Each part stands by itself; a failed one becomes a row.
import { measureFirstVisit } from './page/first-visit.ts'
import { measureJobList } from './page/job-list.ts'
import { measureLive } from './page/live.ts'
import { measureOpenPages } from './page/open-pages.ts'
import { measureSearch } from './page/search.ts'
import { measureTimeline } from './page/timeline.ts'
import { openWorld, type PageBench } from './page/world.ts'
import { failedRow, toRow, type Measured, type Row } from './table.ts'

type Measure = (bench: PageBench) => Promise<readonly Measured[]>

/** In this order: load comes last. */
const PARTS: Readonly<Record<string, Measure>> = {
  visit: measureFirstVisit,
  timeline: measureTimeline,
  list: measureJobList,
  open: measureOpenPages,
  live: measureLive,
}
/** `search`: about a million, with hardly a pause. */
const DAYS = { usual: { jobs: 200_000 }, search: { jobs: 890_000, pauseMs: 12_000 } }
const SHORT_MS = 30_000
const HOUR_MS = 3_600_000

export interface PageOptions {
  /** All, if none is named. */
  readonly parts: readonly string[]
  readonly times: (full: number) => number
  /** Keeps the page open under load for an hour. */
  readonly isHour: boolean
  readonly say: (line: string) => void
}

/** @throws on an unknown part */
export async function measurePage({ parts, times, isHour, say }: PageOptions): Promise<readonly Row[]> {
  const known = [...Object.keys(PARTS), 'search']
  const unknown = parts.find((part) => !known.includes(part))
  if (unknown !== undefined) throw new Error(`there is no part "${unknown}" of the page; there are ${known.join(', ')}`)
  const isAsked = (part: string): boolean => parts.length === 0 || parts.includes(part)
  const options = { times, say, openMs: isHour ? HOUR_MS : times(SHORT_MS) }
  const rows: Row[] = []
  const asked = Object.entries(PARTS).filter(([part]) => isAsked(part))
  if (asked.length > 0) {
    await using world = await openWorld({ ...options, ...DAYS.usual })
    for (const [part, measure] of asked) rows.push(...(await measurePart(part, measure, world)))
  }
  if (isAsked('search')) {
    await using world = await openWorld({ ...options, ...DAYS.search })
    rows.push(...(await measurePart('search', measureSearch, world)))
  }
  return rows
}

async function measurePart(part: string, measure: Measure, bench: PageBench): Promise<readonly Row[]> {
  bench.say(part)
  return measure(bench).then(
    (measured) => measured.map((one) => toRow(one)),
    (error: unknown) => [failedRow(part, error)],
  )
}
