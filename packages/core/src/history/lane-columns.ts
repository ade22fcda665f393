// The pixels of one lane of the timeline (ADR 80): how long each of them has of each phase, and the means of readings.
import { packedAt, READING_KINDS, type ReadingColumns, type ReadingKind } from './card-samples.ts'

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
  /** The first column of a span, and the first one after it; no columns where it lies outside. */
  begin(span: Span): number
  end(span: Span): number
  /** Adds how long each column has of the span, which is no longer than the column. Some hundred thousand calls for a wide picture. */
  spend(spent: Float64Array, span: Span): void
}

export function createScale({ from, to }: Span, px: number): Scale {
  const columnMs = (to - from) / px
  const begin = (span: Span): number => Math.floor((Math.max(from, span.from) - from) / columnMs)
  const end = (span: Span): number => Math.min(px, Math.ceil((Math.min(to, span.to) - from) / columnMs))
  return {
    from,
    to,
    px,
    columnMs,
    columnOf: (at) => (at < from || at >= to ? [] : [Math.min(px - 1, Math.floor((at - from) / columnMs))]),
    begin,
    end,
    spend(spent, span) {
      const [first, last] = [Math.max(from, span.from), Math.min(to, span.to)]
      if (first >= last) return
      const after = end(span)
      for (let column = begin(span); column < after; column += 1) {
        const left = from + column * columnMs
        const ms = Math.min(last, left + columnMs) - Math.max(first, left)
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
const BUSY = codeOf('busy')

export type PhaseSpan = Span & { readonly phase: LanePhase }

/** Draws one lane after the other in the same memory: lanes of their own would be megabytes for each picture. */
export function createPhasePainter(scale: Scale) {
  const { px, columnMs } = scale
  /** Of the phase that is being entered; else zeros. */
  const own = new Float64Array(px)
  const contest = createContest(px)

  function enter(phase: LanePhase, spans: readonly PhaseSpan[], busy: Float64Array): void {
    const code = codeOf(phase)
    for (const span of spans) if (span.phase === phase) scale.spend(own, span)
    for (const span of spans) {
      if (span.phase !== phase) continue
      for (let column = scale.begin(span), end = scale.end(span); column < end; column += 1) {
        const ms = own[column] ?? 0
        // What is warm is idle where it has no job. A column of two spans is entered once.
        contest.enter(column, phase === 'idle' && ms > 0 ? ms - (busy[column] ?? 0) : ms, code)
        own[column] = 0
      }
    }
  }

  return {
    /** A letter per column, of the phase that took most of it. `busy`: how long each column has jobs. */
    draw(spans: readonly PhaseSpan[], busy: Float64Array): string {
      contest.begin()
      for (const phase of ORDER) {
        if (phase !== 'busy') enter(phase, spans, busy)
        else for (let column = 0; column < px; column += 1) contest.enter(column, busy[column] ?? 0, BUSY)
      }
      return contest.draw(columnMs)
    },
  }
}

function createContest(px: number) {
  const free = codeOf('free')
  const codes = new Uint8Array(px)
  const [most, used] = [new Float64Array(px), new Float64Array(px)]
  return {
    begin(): void {
      codes.fill(free)
      most.fill(0)
      used.fill(0)
    },
    enter(column: number, ms: number, code: number): void {
      if (ms <= 0) return
      used[column] = (used[column] ?? 0) + ms
      if (ms <= (most[column] ?? 0)) return
      most[column] = ms
      codes[column] = code
    },
    draw(columnMs: number): string {
      for (let column = 0; column < px; column += 1) {
        if (columnMs - (used[column] ?? 0) > (most[column] ?? 0)) codes[column] = free
      }
      return textOf(codes)
    },
  }
}

/** The means of the readings of all cards, by their places. `powerLimitW` absent: not known. */
export function createReadingMeans({ from, px, columnMs }: Scale, cards: readonly { readonly powerLimitW?: number | undefined }[]) {
  const size = px * cards.length
  const load = createMeans(READING_KINDS.load, size)
  const memory = createMeans(READING_KINDS.memory, size)
  const power = createMeans(READING_KINDS.power, size)
  const all = [load, memory, power]

  function addAt(columns: ReadingColumns, index: number, cells: Span): void {
    for (const means of all) means.add(packedAt(columns, means.kind, index), cells)
  }

  return {
    /** Adds each reading to the columns that it touches. `placeOn`: of the cards in `uuids`, -1 where one is not drawn. */
    add(columns: ReadingColumns, placeOn: readonly number[]): void {
      let [at, stepMs, begin, end] = [Number.NaN, Number.NaN, 0, 0]
      for (let index = 0; index < columns.count; index += 1) {
        // The readings of one time lie one after the other.
        if (columns.at[index] !== at || columns.stepMs[index] !== stepMs) {
          ;[at, stepMs] = [columns.at[index] ?? 0, columns.stepMs[index] ?? 0]
          begin = Math.max(0, Math.floor((at - from) / columnMs))
          // The first column that it does not touch.
          end = Math.min(px, Math.ceil((at + stepMs - from) / columnMs))
        }
        const first = (placeOn[columns.cards[index] ?? 0] ?? -1) * px
        if (begin < end && first >= 0) addAt(columns, index, { from: first + begin, to: first + end })
      }
    },
    draw(place: number): { readonly load: string; readonly memory: string; readonly power: string } {
      const cells = { from: place * px, to: (place + 1) * px }
      return { load: load.draw(cells, 1), memory: memory.draw(cells, 1), power: power.draw(cells, cards[place]?.powerLimitW) }
    },
  }
}

const DIGITS = Array.from({ length: 36 }, (_, value) => value.toString(36).charCodeAt(0))
const UNKNOWN = '-'.charCodeAt(0)

/** Sums of packed readings are whole, so their order does not matter. */
function createMeans(kind: ReadingKind, size: number) {
  const { nothing, divisor } = kind
  const [sums, counts] = [new Float64Array(size), new Uint32Array(size)]
  return {
    kind,
    add(value: number, { from, to }: Span): void {
      if (value === nothing) return
      for (let cell = from; cell < to; cell += 1) {
        sums[cell] = (sums[cell] ?? 0) + value
        counts[cell] = (counts[cell] ?? 0) + 1
      }
    },
    /** A digit per cell, of `most`; absent: not known. */
    draw({ from, to }: Span, most: number | undefined): string {
      const codes = new Uint8Array(to - from).fill(UNKNOWN)
      if (most === undefined) return textOf(codes)
      for (let cell = from; cell < to; cell += 1) {
        const count = counts[cell] ?? 0
        if (count > 0) codes[cell - from] = DIGITS[Math.round(Math.min(1, (sums[cell] ?? 0) / (count * divisor * most)) * 35)] ?? UNKNOWN
      }
      return textOf(codes)
    },
  }
}
