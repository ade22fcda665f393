// The strip above the lanes, on the same axis: how many jobs waited, how long the oldest did, when workers were throttled and why, what the scaler started
// and ended, and releases. So "why did everything wait at 14:05" is one look.
import type { ReleaseListView, SeriesView, TimelineView } from '@runyard/schema/api'
import { formatDuration } from '../ui/format.ts'
import type { Tick } from './axis.ts'
import { toCss, type Palette } from './palette.ts'
import { placeOf, type View } from './view.ts'

export type StripPoint = SeriesView['points'][number]

export interface Steps {
  readonly stepMs: number
  readonly points: readonly StripPoint[]
}

export interface Decision {
  readonly at: number
  readonly kind: 'start' | 'end' | 'release'
  /** Why, or which. */
  readonly word: string
}

export interface Throttled extends View {
  readonly reason: string
}

export interface StripScene extends Steps {
  readonly view: View
  readonly decisions: readonly Decision[]
  readonly ticks: readonly Tick[]
  readonly palette: Palette
}

/** What the strip draws with: the part of a 2D context that it needs. */
export type Pen = Pick<
  CanvasRenderingContext2D,
  | 'fillStyle'
  | 'strokeStyle'
  | 'lineWidth'
  | 'font'
  | 'textBaseline'
  | 'fillRect'
  | 'clearRect'
  | 'fillText'
  | 'beginPath'
  | 'moveTo'
  | 'lineTo'
  | 'fill'
  | 'stroke'
>

export const STRIP_PX = 84
const AXIS_PX = 18
const THROTTLE_PX = 14
const DECISION_PX = 9
const DECISION_ROOM_PX = 14
const REASON_PX = 70

/** Starts and ends of the workers that the answer lists, and releases. */
export function decisionsOf(timeline: TimelineView, releases: ReleaseListView['releases'] = []): readonly Decision[] {
  const seen = new Map<string, readonly Decision[]>()
  for (const { workers = [] } of timeline.lanes) {
    for (const { id, phases, startReason, endReason } of workers) {
      const [first, last] = [phases[0], phases.at(-1)]
      if (first === undefined || last === undefined) continue
      const end = endReason === undefined ? [] : [{ at: last.to, kind: 'end', word: endReason } as const]
      seen.set(id, [{ at: first.from, kind: 'start', word: startReason }, ...end])
    }
  }
  const flags = releases.map(
    ({ createdAt, version }) => ({ at: Date.parse(createdAt), kind: 'release', word: `version ${version}` }) as const,
  )
  return [...[...seen.values()].flat(), ...flags].toSorted((a, b) => a.at - b.at)
}

/** Steps next to each other with one reason are one stretch. */
export function throttledOf({ points, stepMs }: Steps): readonly Throttled[] {
  const stretches: { from: number; to: number; reason: string }[] = []
  for (const { at, throttled, reason = 'throttled' } of points) {
    if (throttled === 0) continue
    const last = stretches.at(-1)
    if (last?.to === at && last.reason === reason) last.to = at + stepMs
    else stretches.push({ from: at, to: at + stepMs, reason })
  }
  return stretches
}

/** `queue: at most 12 · oldest wait 84 s · throttled 2 times`. */
export function describeStrip({ points, stepMs }: Steps, view: View): readonly string[] {
  const seen = points.filter(({ at }) => at + stepMs > view.from && at < view.to)
  const stretches = throttledOf({ points: seen, stepMs })
  const reasons = [...new Set(stretches.map(({ reason }) => reason.replaceAll('_', ' ')))]
  return [
    `queue ≤ ${Math.max(0, ...seen.map(({ queue }) => queue))}`,
    `oldest ≤ ${formatDuration(1000 * Math.round(Math.max(0, ...seen.map(({ oldestS }) => oldestS))))}`,
    describeThrottled(reasons),
  ]
}

/** The table below the picture has all of them. */
function describeThrottled(reasons: readonly string[]): string {
  if (reasons.length === 0) return 'not throttled'
  return reasons.length === 1 ? `throttled: ${reasons[0]}` : `throttled, ${reasons.length} reasons`
}

export function paintStrip(pen: Pen, scene: StripScene, width: number): void {
  const { view, palette, ticks } = scene
  pen.clearRect(0, 0, width, STRIP_PX)
  pen.fillStyle = toCss(palette.grid)
  for (const { at } of ticks) pen.fillRect(Math.round(placeOf(view, at) * width), 0, 1, STRIP_PX - AXIS_PX)
  paintQueue(pen, scene, width)
  paintThrottled(pen, scene, width)
  paintDecisions(pen, scene, width)
  pen.fillStyle = toCss(palette.muted)
  pen.font = '11px system-ui, sans-serif'
  pen.textBaseline = 'middle'
  for (const { at, label } of ticks) {
    const x = Math.round(placeOf(view, at) * width)
    if (x < width - 30) pen.fillText(label, x + 3, STRIP_PX - AXIS_PX / 2)
  }
}

const CHART = { top: THROTTLE_PX + 2, bottom: STRIP_PX - AXIS_PX - DECISION_PX - 2 }

function paintQueue(pen: Pen, { view, points, stepMs, palette }: StripScene, width: number): void {
  const seen = points.filter(({ at }) => at + stepMs > view.from && at < view.to)
  const [mostQueued, oldest] = [Math.max(1, ...seen.map(({ queue }) => queue)), Math.max(1, ...seen.map(({ oldestS }) => oldestS))]
  const room = CHART.bottom - CHART.top
  pen.fillStyle = toCss(palette.hues[0] ?? palette.text, 0.45)
  for (const { at, queue } of seen) {
    const [from, to] = [placeOf(view, at) * width, placeOf(view, at + stepMs) * width]
    const height = queue === 0 ? 0 : Math.max(2, (queue / mostQueued) * room)
    pen.fillRect(from, CHART.bottom - height, to - from, height)
  }
  pen.strokeStyle = toCss(palette.text)
  pen.lineWidth = 1.25
  pen.beginPath()
  let before: number | undefined
  for (const { at, oldestS } of seen) {
    const x = placeOf(view, at + stepMs / 2) * width
    const y = CHART.bottom - (oldestS / oldest) * room
    // A minute in which nothing happened has no point, and nothing waited in it.
    if (before !== undefined && at - before > stepMs * 1.5) {
      pen.lineTo(placeOf(view, before + stepMs) * width, CHART.bottom)
      pen.lineTo(placeOf(view, at) * width, CHART.bottom)
    }
    if (before === undefined) pen.moveTo(x, y)
    else pen.lineTo(x, y)
    before = at
  }
  pen.stroke()
  pen.fillStyle = toCss(palette.grid)
  pen.fillRect(0, CHART.bottom, width, 1)
}

function paintThrottled(pen: Pen, { view, points, stepMs, palette }: StripScene, width: number): void {
  pen.font = '600 10px system-ui, sans-serif'
  pen.textBaseline = 'middle'
  for (const { from, to, reason } of throttledOf({ points, stepMs })) {
    const [left, right] = [Math.max(0, placeOf(view, from) * width), Math.min(width, placeOf(view, to) * width)]
    if (right <= left) continue
    pen.fillStyle = toCss(palette.trouble)
    pen.fillRect(left, 0, Math.max(2, right - left), THROTTLE_PX)
    if (right - left < REASON_PX) continue
    pen.fillStyle = toCss(palette.surface)
    pen.fillText(reason.replaceAll('_', ' ').slice(0, Math.floor((right - left) / 6)), left + 4, THROTTLE_PX / 2 + 0.5)
  }
}

/** Where they would cover each other, they are thin lines: starts in the upper half, ends in the lower. */
function paintDecisions(pen: Pen, { view, decisions, palette }: StripScene, width: number): void {
  const base = STRIP_PX - AXIS_PX
  const seen = decisions.map((decision) => ({ ...decision, x: placeOf(view, decision.at) * width })).filter(({ x }) => x >= 0 && x <= width)
  const isDense = seen.length > width / DECISION_ROOM_PX
  for (const { kind, x } of seen) {
    pen.fillStyle = toCss(kind === 'start' ? palette.busy : kind === 'end' ? palette.muted : (palette.hues[6] ?? palette.text))
    if (isDense && kind !== 'release') {
      pen.fillRect(Math.round(x), base - (kind === 'start' ? DECISION_PX : DECISION_PX / 2) + 1, 1, DECISION_PX / 2 - 1)
      continue
    }
    pen.beginPath()
    for (const [index, [dx, dy]] of SHAPES[kind].entries()) (index === 0 ? pen.moveTo : pen.lineTo).call(pen, x + dx, base + dy)
    pen.fill()
  }
}

/** A start points up, an end down, a release is a flag. */
const SHAPES: Readonly<Record<Decision['kind'], readonly (readonly [number, number])[]>> = {
  start: [
    [-4, -1],
    [4, -1],
    [0, -DECISION_PX + 1],
  ],
  end: [
    [-4, -DECISION_PX + 1],
    [4, -DECISION_PX + 1],
    [0, -1],
  ],
  release: [
    [0, 0],
    [0, -DECISION_PX * 2],
    [10, -DECISION_PX * 1.6],
    [1, -DECISION_PX * 1.2],
    [1, 0],
  ],
}
