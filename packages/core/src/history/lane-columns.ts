// The pixels of one lane of the timeline (ADR 80): how long each of them has of each phase, and the means of readings.
import { loadAt, memoryAt, powerAt, type ReadingColumns } from './card-samples.ts'

export const LANE_PHASES = {
  free: '.',
  pulling: 'p',
  starting: 's',
  idle: 'i',
  busy: 'b',
  draining: 'd',
  quarantined: 'q',
  unknown: 'u',
} as const
export type LanePhase = keyof typeof LANE_PHASES
export interface Span {
  readonly from: number
  readonly to: number
}

export interface Scale extends Span {
  readonly px: number
  readonly columnMs: number
  /** Nothing where the time lies outside. */
  columnOf(at: number): readonly number[]
  /** Adds how long each column has of the span, which is no longer than the column. Some hundred thousand calls for a wide picture. */
  spend(spent: Float64Array, span: Span): void
}

export function createScale({ from, to }: Span, px: number): Scale {
  const columnMs = (to - from) / px
  return {
    from,
    to,
    px,
    columnMs,
    columnOf: (at) => (at < from || at >= to ? [] : [Math.min(px - 1, Math.floor((at - from) / columnMs))]),
    spend(spent, span) {
      const begin = Math.max(from, span.from)
      const end = Math.min(to, span.to)
      if (begin >= end) return
      const last = Math.min(px, Math.ceil((end - from) / columnMs)) - 1
      for (let column = Math.floor((begin - from) / columnMs); column <= last; column += 1) {
        const left = from + column * columnMs
        const ms = Math.min(end, left + columnMs) - Math.max(begin, left)
        spent[column] = Math.min(columnMs, (spent[column] ?? 0) + ms)
      }
    },
  }
}

/** Spread, they would be copied one by one. */
const textOf = (codes: Uint8Array): string => Reflect.apply(String.fromCharCode, undefined, codes) as string

/** What matters most wins a tie, and trouble wins over what else happened in its pixel. */
const ORDER = ['quarantined', 'unknown', 'busy', 'pulling', 'starting', 'draining', 'idle'] as const satisfies readonly LanePhase[]
const codeOf = (phase: LanePhase): number => LANE_PHASES[phase].charCodeAt(0)

export function createPhaseColumns(scale: Scale) {
  const { px, columnMs } = scale
  const busy = new Float64Array(px)
  /** Only of phases that there are. */
  const spent: Partial<Record<LanePhase, Float64Array>> = { busy }
  return {
    addBusy: (span: Span) => scale.spend(busy, span),
    /** `ms` of one column, which it has. */
    addBusyMs(column: number, ms: number): void {
      busy[column] = Math.min(columnMs, (busy[column] ?? 0) + ms)
    },
    add(phase: LanePhase, span: Span): void {
      if (phase !== 'free') scale.spend((spent[phase] ??= new Float64Array(px)), span)
    },
    /** A letter per column, of the phase that took most of it. */
    draw(): string {
      const contest = createContest(px)
      for (const phase of ORDER) {
        const own = spent[phase]
        if (own !== undefined) contest.enter(phase === 'idle' ? minus(own, busy) : own, codeOf(phase))
      }
      return contest.draw(columnMs)
    },
  }
}

/** What is warm is idle where it has no job. */
function minus(own: Float64Array, busy: Float64Array): Float64Array {
  const rest = new Float64Array(own)
  for (let column = 0; column < rest.length; column += 1) rest[column] = (own[column] ?? 0) - (busy[column] ?? 0)
  return rest
}

function createContest(px: number) {
  const free = codeOf('free')
  const codes = new Uint8Array(px).fill(free)
  const [most, used] = [new Float64Array(px), new Float64Array(px)]
  return {
    enter(own: Float64Array, code: number): void {
      for (let column = 0; column < px; column += 1) {
        const ms = own[column] ?? 0
        if (ms <= 0) continue
        used[column] = (used[column] ?? 0) + ms
        if (ms <= (most[column] ?? 0)) continue
        most[column] = ms
        codes[column] = code
      }
    },
    draw(columnMs: number): string {
      for (let column = 0; column < px; column += 1) {
        if (columnMs - (used[column] ?? 0) > (most[column] ?? 0)) codes[column] = free
      }
      return textOf(codes)
    },
  }
}

/** `powerLimitW` absent: not known. */
export function createReadingColumns(scale: Scale, powerLimitW: number | undefined) {
  const [load, memory, power] = [createMeans(scale.px), createMeans(scale.px), createMeans(scale.px)]
  const { from, px, columnMs } = scale
  return {
    add(columns: ReadingColumns, index: number): void {
      const at = columns.at[index] ?? 0
      const begin = Math.max(0, Math.floor((at - from) / columnMs))
      // The first column that it does not touch.
      const end = Math.min(px, Math.ceil((at + (columns.stepMs[index] ?? 0) - from) / columnMs))
      if (begin >= end) return
      const watts = powerAt(columns, index)
      load.add(begin, end, loadAt(columns, index))
      memory.add(begin, end, memoryAt(columns, index))
      power.add(begin, end, watts === null || powerLimitW === undefined ? null : watts / powerLimitW)
    },
    draw: () => ({ load: load.draw(), memory: memory.draw(), power: power.draw() }),
  }
}

const DIGITS = Array.from({ length: 36 }, (_, value) => value.toString(36).charCodeAt(0))
const UNKNOWN = '-'.charCodeAt(0)

function createMeans(px: number) {
  const [sums, counts] = [new Float64Array(px), new Float64Array(px)]
  return {
    add(begin: number, end: number, value: number | null): void {
      if (value === null) return
      for (let column = begin; column < end; column += 1) {
        sums[column] = (sums[column] ?? 0) + value
        counts[column] = (counts[column] ?? 0) + 1
      }
    },
    draw(): string {
      const codes = new Uint8Array(px).fill(UNKNOWN)
      for (let column = 0; column < px; column += 1) {
        const count = counts[column] ?? 0
        if (count > 0) codes[column] = DIGITS[Math.round(Math.min(1, (sums[column] ?? 0) / count) * 35)] ?? UNKNOWN
      }
      return textOf(codes)
    },
  }
}
