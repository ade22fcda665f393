// What keys do, as data: each moves the view, the lane or the time that is described. Pure; the component only carries it out.
import type { TimelineLane } from '@runyard/schema/api'
import { SPAN_WORDS, type Span } from '../app/range.ts'
import { segmentsOf, workersOf } from './describe.ts'
import type { Layout } from './layout.ts'
import type { Picture } from './picture.ts'
import { panView, placeOf, showTime, timeAt, zoomView, type View } from './view.ts'

/** What the page does, not the picture. */
export type PageCommand = { readonly kind: 'now' | 'group' | 'table' } | { readonly kind: 'span'; readonly span: Span }
export type FocusCommand = { readonly kind: 'pan' | 'zoom' | 'lane' | 'worker'; readonly by: number } | { readonly kind: 'failure' }
export type Command = FocusCommand | PageCommand | { readonly kind: 'open' }

const PAGE_KINDS: ReadonlySet<Command['kind']> = new Set(['now', 'group', 'table', 'span'] satisfies PageCommand['kind'][])
export const isOfPage = (command: Command): command is PageCommand => PAGE_KINDS.has(command.kind)

const KEYS: Readonly<Record<string, Command>> = {
  ArrowLeft: { kind: 'pan', by: -0.125 },
  ArrowRight: { kind: 'pan', by: 0.125 },
  ArrowUp: { kind: 'lane', by: -1 },
  ArrowDown: { kind: 'lane', by: 1 },
  '+': { kind: 'zoom', by: 0.5 },
  '=': { kind: 'zoom', by: 0.5 },
  '-': { kind: 'zoom', by: 2 },
  '[': { kind: 'worker', by: -1 },
  ']': { kind: 'worker', by: 1 },
  f: { kind: 'failure' },
  n: { kind: 'now' },
  // `g` goes to other pages.
  b: { kind: 'group' },
  t: { kind: 'table' },
  Enter: { kind: 'open' },
  ...Object.fromEntries(SPAN_WORDS.map((span, index) => [`${index + 1}`, { kind: 'span', span } as const])),
}

/** Undefined: the key is not ours. */
export const commandOf = (key: string): Command | undefined => KEYS[key]

export const KEY_HELP: readonly (readonly [keys: string, does: string])[] = [
  ['← →', 'earlier, later'],
  ['+ −', 'nearer, farther'],
  ['↑ ↓', 'card above, below'],
  ['[ ]', 'previous, next worker'],
  ['f', 'next failure'],
  ['Enter', 'details'],
  ['n', 'now, live again'],
  ['1 … 6', '15 minutes to 7 days'],
  ['b', 'by host, type, endpoint'],
  ['t', 'table'],
]

/** Where a person is. */
export interface Focus {
  readonly view: View
  /** Place in the layout's rows. */
  readonly row: number
  /** The time that is described. */
  readonly at: number
}

export interface Surroundings {
  readonly picture: Picture
  readonly layout: Layout
  readonly now: number
}

export function moveFocus(focus: Focus, command: FocusCommand, around: Surroundings): Focus {
  const { view, at } = focus
  const { now } = around
  if (command.kind === 'pan') {
    const moved = panView(view, command.by, now)
    return { ...focus, view: moved, at: timeAt(moved, placeOf(view, at)) }
  }
  if (command.kind === 'zoom') {
    return { ...focus, view: zoomView(view, { factor: command.by, place: Math.min(1, Math.max(0, placeOf(view, at))) }, now) }
  }
  if (command.kind === 'lane') return { ...focus, row: Math.min(around.layout.rows.length - 1, Math.max(0, focus.row + command.by)) }
  if (command.kind === 'worker') return goTo(focus, nextWorker(focus, command.by, around), now)
  return nextFailure(focus, around)
}

function goTo(focus: Focus, at: number | undefined, now: number): Focus {
  return at === undefined ? focus : { ...focus, at, view: showTime(focus.view, at, now) }
}

const laneOf = ({ picture, layout }: Surroundings, row: number) => picture.lanes[layout.rows[row]?.lane ?? -1]

/** Where there are too many workers to be listed, the next bar. */
function nextWorker({ row, at }: Focus, by: number, around: Surroundings): number | undefined {
  const lane = laneOf(around, row)
  if (lane === undefined) return undefined
  const bars =
    lane.lane.workers === undefined
      ? segmentsOf(around.picture, lane).filter(({ phase }) => phase !== 'free')
      : workersOf(lane).map(({ span }) => span)
  const starts = bars.map(({ from }) => Math.max(around.picture.from, from) + 1)
  return by > 0 ? starts.find((start) => start > at) : starts.findLast((start) => start < at - 1)
}

/** Also on the lanes below, then from the first on. */
function nextFailure(focus: Focus, around: Surroundings): Focus {
  const { picture, layout, now } = around
  const failures = layout.rows.flatMap((_, row) => failureTimes(laneOf(around, row)?.lane, picture).map((at) => ({ row, at })))
  const next = failures.find(({ row, at }) => row > focus.row || (row === focus.row && at > focus.at + 1)) ?? failures[0]
  return next === undefined ? focus : goTo({ ...focus, row: next.row }, next.at, now)
}

/** The middle of each job that failed, which is in the stretch that counts it; where jobs are not listed, of each column with a failure. */
function failureTimes(lane: Pick<TimelineLane, 'jobs' | 'failed'> | undefined, { from, columnMs }: Picture): readonly number[] {
  const jobs = lane?.jobs?.filter(({ status }) => status === 'FAILED').map((job) => (job.from + job.to) / 2)
  return jobs?.toSorted((a, b) => a - b) ?? (lane?.failed ?? []).map((column) => from + (column + 0.5) * columnMs)
}
