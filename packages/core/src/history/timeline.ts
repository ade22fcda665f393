// What each card did, drawn for a width (ADR 80). Near: the workers and their jobs as they were. Far: per pixel the phase that took most of it, because
// a browser must not get more than it can draw; a failed job marks its pixel, however short it was.
import type { WorkerLife } from '@runyard/schema'
import type { CardSample, CardSamples } from './card-samples.ts'
import type { PastJob } from './ended-jobs.ts'

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
/** An image that was ready sooner was there already. */
const PULL_MS = 1000
/** Digits of readings in an answer, about: noise does not compress. */
const MOST_DIGITS = 40_000

export interface Span {
  readonly from: number
  readonly to: number
}

export interface TimelineWorker
  extends
    Pick<WorkerLife, 'id' | 'endpointId' | 'hostId' | 'gpus' | 'createdAt'>,
    Partial<Pick<WorkerLife, 'imageReadyAt' | 'readyAt' | 'drainingSince' | 'goneAt'>> {}

/** `endedAt` absent: it still runs. */
export interface TimelineJob extends Pick<PastJob, 'id' | 'endpointId'> {
  readonly status: string
  readonly workerId: string
  readonly startedAt: number
  readonly endedAt?: number
}

export interface LaneCard {
  readonly uuid: string
  readonly hostId: string
  /** Absent: not known. */
  readonly powerLimitW?: number | undefined
}

export interface TimelineInput {
  readonly range: Span
  readonly px: number
  readonly now: number
  readonly cards: readonly LaneCard[]
  readonly workers: readonly TimelineWorker[]
  readonly jobs: readonly TimelineJob[]
  readonly samples: readonly CardSamples[]
  /** When a card or its host could not be used. */
  readonly absences: readonly (Span & { readonly uuid?: string | undefined; readonly hostId?: string | undefined })[]
}

export interface Lane {
  readonly uuid: string
  readonly bars: readonly { readonly worker: TimelineWorker; readonly phases: readonly (Span & { readonly phase: LanePhase })[] }[]
  readonly jobs: readonly TimelineJob[]
  /** A letter per pixel. */
  readonly phases: string
  /** Means over `readingPx` pixels, 0 to z (35 of 35); `-`: not known. */
  readonly load: string
  readonly memory: string
  /** Share of its limit. */
  readonly power: string
  /** Pixels with a failed job. */
  readonly failed: readonly number[]
}

/** How many pixels one digit of the readings covers: more than one where the picture is so large that its lanes cannot show them anyway. */
export function readingPxOf({ px, cards }: Pick<TimelineInput, 'px' | 'cards'>): number {
  return Math.max(1, Math.ceil((px * cards.length * 3) / MOST_DIGITS))
}

/** In the order of the cards. */
export function drawLanes(input: TimelineInput): readonly Lane[] {
  return input.cards.map(createLanes(input))
}

/** What draws one card after the other. */
export function createLanes(input: TimelineInput): (card: LaneCard) => Lane {
  const jobsOf = Map.groupBy(input.jobs, ({ workerId }) => workerId)
  const held = input.workers.flatMap((worker) => worker.gpus.map(({ uuid }) => ({ uuid, worker })))
  const workersOn = Map.groupBy(held, ({ uuid }) => uuid)
  return (card) => drawLane(input, card, { workers: (workersOn.get(card.uuid) ?? []).map(({ worker }) => worker), jobsOf })
}

interface OnCard {
  readonly workers: readonly TimelineWorker[]
  readonly jobsOf: ReadonlyMap<string, readonly TimelineJob[]>
}

function drawLane(input: TimelineInput, card: LaneCard, { workers, jobsOf }: OnCard): Lane {
  const scale = createScale(input.range, input.px)
  const jobs = workers.flatMap(({ id }) => jobsOf.get(id) ?? [])
  const columns = createColumns(scale)
  const bars = workers.map((worker) => ({ worker, phases: phasesOf(worker, input) }))
  for (const { phases } of bars) for (const { phase, ...span } of phases) columns.add(phase, span)
  for (const { startedAt, endedAt = input.now } of jobs) columns.addBusy({ from: startedAt, to: endedAt })
  for (const absence of input.absences) {
    if (absence.uuid === card.uuid) columns.add('quarantined', absence)
    else if (absence.hostId === card.hostId) columns.add('unknown', absence)
  }
  const failures = jobs.flatMap(({ status, endedAt }) => (status === 'FAILED' && endedAt !== undefined ? scale.columnOf(endedAt) : []))
  const failed = [...new Set(failures)].toSorted((a, b) => a - b)
  return { uuid: card.uuid, bars, jobs, phases: columns.draw(), ...drawSamples(input, card), failed }
}

/** From its placement to its end; what is warm is idle until jobs are drawn over it. */
function phasesOf(
  { createdAt, imageReadyAt = createdAt, readyAt, drainingSince, goneAt }: TimelineWorker,
  { now, range }: TimelineInput,
): readonly (Span & { readonly phase: LanePhase })[] {
  const end = goneAt ?? now
  const drained = Math.min(end, drainingSince ?? end)
  const ready = Math.min(drained, readyAt ?? drained)
  const pulled = Math.min(ready, imageReadyAt - createdAt < PULL_MS ? createdAt : imageReadyAt)
  const phases = [
    { phase: 'pulling' as const, from: createdAt, to: pulled },
    { phase: 'starting' as const, from: pulled, to: ready },
    { phase: 'idle' as const, from: ready, to: drained },
    { phase: 'draining' as const, from: drained, to: end },
  ]
  return phases.filter(({ from, to }) => from < to && to > range.from && from < range.to)
}

interface Scale {
  readonly px: number
  readonly columnMs: number
  /** Nothing where the time lies outside. */
  columnOf(at: number): readonly number[]
  /** The first column that something touches that begins then, and the first that something no longer touches that ends then. */
  firstColumn(at: number): number
  endColumn(at: number): number
  /** Each column that the span touches, and for how long. */
  each(span: Span, take: (column: number, ms: number) => void): void
}

function createScale({ from, to }: Span, px: number): Scale {
  const columnMs = (to - from) / px
  return {
    px,
    columnMs,
    firstColumn: (at) => Math.max(0, Math.floor((at - from) / columnMs)),
    endColumn: (at) => Math.min(px, Math.ceil((at - from) / columnMs)),
    columnOf: (at) => (at < from || at >= to ? [] : [Math.min(px - 1, Math.floor((at - from) / columnMs))]),
    each(span, take) {
      const [begin, end] = [Math.max(from, span.from), Math.min(to, span.to)]
      if (begin >= end) return
      const last = Math.min(px, Math.ceil((end - from) / columnMs)) - 1
      for (let column = Math.floor((begin - from) / columnMs); column <= last; column += 1) {
        const left = from + column * columnMs
        take(column, Math.min(end, left + columnMs) - Math.max(begin, left))
      }
    },
  }
}

/** What matters most wins a tie, and trouble wins over what else happened in its pixel. */
const ORDER = ['quarantined', 'unknown', 'busy', 'pulling', 'starting', 'draining', 'idle'] as const satisfies readonly LanePhase[]

function createColumns(scale: Scale) {
  const { px, columnMs } = scale
  const spent = Object.fromEntries(ORDER.map((phase) => [phase, new Float64Array(px)])) as Record<(typeof ORDER)[number], Float64Array>
  const amount = (phase: (typeof ORDER)[number], column: number) => spent[phase][column] ?? 0
  const add = (phase: LanePhase, span: Span): void => {
    if (phase === 'free') return
    scale.each(span, (column, ms) => {
      spent[phase][column] = Math.min(columnMs, amount(phase, column) + ms)
    })
  }
  /** Some hundred thousand calls for a wide picture: no objects. */
  function dominant(column: number): LanePhase {
    let [best, most, used]: [LanePhase, number, number] = ['free', 0, 0]
    for (const phase of ORDER) {
      const ms = amount(phase, column) - (phase === 'idle' ? amount('busy', column) : 0)
      used += Math.max(0, ms)
      if (ms > most) [best, most] = [phase, ms]
    }
    return columnMs - used > most ? 'free' : best
  }
  return {
    add,
    addBusy: (span: Span) => add('busy', span),
    draw: () => Array.from({ length: px }, (_, column) => LANE_PHASES[dominant(column)]).join(''),
  }
}

function drawSamples(input: TimelineInput, { uuid, powerLimitW }: LaneCard): Pick<Lane, 'load' | 'memory' | 'power'> {
  const scale = createScale(input.range, Math.ceil(input.px / readingPxOf(input)))
  const [load, memory, power] = [createMeans(scale.px), createMeans(scale.px), createMeans(scale.px)]
  const take = ({ load: used, memory: held, powerW }: CardSample, from: number, end: number): void => {
    const share = powerW === null || powerLimitW === undefined ? null : powerW / powerLimitW
    for (let column = from; column < end; column += 1) {
      load.add(column, used)
      memory.add(column, held)
      power.add(column, share)
    }
  }
  for (const { at, stepMs, cards } of input.samples) {
    const readings = cards.get(uuid)
    for (let index = 0; index < (readings?.length ?? 0); index += 1) {
      const sample = readings?.[index]
      if (sample == null) continue
      const begin = at + index * stepMs
      take(sample, scale.firstColumn(begin), scale.endColumn(begin + stepMs))
    }
  }
  return { load: load.draw(), memory: memory.draw(), power: power.draw() }
}

function createMeans(px: number) {
  const [sums, counts] = [new Float64Array(px), new Float64Array(px)]
  return {
    add(column: number, value: number | null): void {
      if (value === null) return
      sums[column] = (sums[column] ?? 0) + value
      counts[column] = (counts[column] ?? 0) + 1
    },
    draw: () =>
      Array.from({ length: px }, (_, column) => {
        const count = counts[column] ?? 0
        return count === 0 ? '-' : Math.round(Math.min(1, (sums[column] ?? 0) / count) * 35).toString(36)
      }).join(''),
  }
}
