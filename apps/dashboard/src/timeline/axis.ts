// Where the axis of time has its marks, at round times of the zone, so few that their words do not touch.
import type { Zone } from '../ui/format.ts'
import { lengthOf, type View } from './view.ts'

const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR
const STEPS = [
  ...[1, 2, 5, 10, 15, 30].map((n) => n * SECOND),
  ...[1, 2, 5, 10, 15, 30].map((n) => n * MINUTE),
  ...[1, 2, 3, 6, 12].map((n) => n * HOUR),
  ...[1, 2, 7].map((n) => n * DAY),
]
/** Room of a label. */
const LABEL_PX = 76

export interface Tick {
  readonly at: number
  /** `14:05`, `14:05:30`; a midnight says the day. */
  readonly label: string
}

export function ticksOf(view: View, width: number, zone: Zone): readonly Tick[] {
  const most = Math.max(1, Math.floor(width / LABEL_PX))
  const step = STEPS.find((ms) => lengthOf(view) / ms <= most) ?? 7 * DAY
  const shift = zone === 'utc' ? 0 : -new Date(view.to).getTimezoneOffset() * MINUTE
  const first = Math.ceil((view.from + shift) / step) * step
  const count = Math.max(0, Math.floor((view.to + shift - first) / step) + 1)
  return Array.from({ length: count }, (_, index) => first + index * step).map((shifted) => ({
    at: shifted - shift,
    label: labelOf(shifted, step),
  }))
}

function labelOf(shifted: number, step: number): string {
  const iso = new Date(shifted).toISOString()
  if (shifted % DAY === 0) return iso.slice(5, 10)
  return step < MINUTE ? iso.slice(11, 19) : iso.slice(11, 16)
}
