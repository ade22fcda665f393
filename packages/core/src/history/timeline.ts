// What each card did, drawn for a width (ADR 80). Near: the workers and their jobs as they were. Far: per pixel the phase that took most of it, because
// a browser must not get more than it can draw; a failed job marks its pixel, however short it was.
import { JobStatus, type WorkerLife } from '@runyard/schema'
import type { ReadingColumns } from './card-samples.ts'
import { gridOf, sumJobs, type JobSums } from './job-sums.ts'
import { columnJobAt, type ColumnJob, type JobColumns } from './job-columns.ts'
import { createPhaseColumns, createReadingColumns, createScale, type LanePhase, type Scale, type Span } from './lane-columns.ts'

/** An image that was ready sooner was there already. */
const PULL_MS = 1000
/** Digits of readings in an answer, about: noise does not compress. */
const MOST_DIGITS = 40_000

export interface TimelineWorker
  extends
    Pick<WorkerLife, 'id' | 'endpointId' | 'hostId' | 'gpus' | 'createdAt'>,
    Partial<Pick<WorkerLife, 'imageReadyAt' | 'readyAt' | 'drainingSince' | 'goneAt'>> {}

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
  /** When a card or its host could not be used. */
  readonly absences: readonly (Span & { readonly uuid?: string | undefined; readonly hostId?: string | undefined })[]
}

export interface Lane {
  readonly uuid: string
  readonly bars: readonly { readonly worker: TimelineWorker; readonly phases: readonly (Span & { readonly phase: LanePhase })[] }[]
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

/** Lanes to which jobs and readings are added in pieces, since a day of a busy pool has hundreds of thousands. */
export interface Lanes {
  /** Returns how many of them ran in the range on a card that is drawn. */
  addJobs(jobs: JobColumns): number
  addReadings(readings: ReadingColumns): void
  /** Of the card at this place. */
  draw(place: number): Lane
  /** The jobs of each card, by its place. */
  list(jobs: readonly JobColumns[]): readonly (readonly ColumnJob[])[]
}

export function createLanes(input: TimelineInput): Lanes {
  const { cards } = input
  const sheets = createSheets(input)
  const rough = createScale(input.range, Math.ceil(input.px / readingPxOf(input)))
  const readings = cards.map(({ powerLimitW }) => createReadingColumns(rough, powerLimitW))
  const placeOf = new Map(cards.map(({ uuid }, place) => [uuid, place]))
  const placesOf = placesOfWorkers(input, placeOf)
  const each = createEach(input, placesOf)
  const grid = gridOf(input.range, input.px)
  const addSums = createAddSums(sheets, { placesOf, first: Math.round((input.range.from - grid.offset) / grid.columnMs) })
  return {
    addJobs(jobs) {
      const { startedAt, endedAt, statuses } = jobs
      const sums = sumJobs(jobs, grid, input.range)
      if (sums !== undefined) return addSums(jobs.texts, sums)
      let count = 0
      each(jobs, (index, places) => {
        count += 1
        const ended = endedAt[index] ?? 0
        const span = { from: startedAt[index] ?? 0, to: ended === Infinity ? input.now : ended }
        for (const place of places) sheets[place]?.addJob(span, statuses[index] === FAILED)
      })
      return count
    },
    addReadings(columns) {
      const onCard = columns.uuids.map((uuid) => readings[placeOf.get(uuid) ?? -1])
      for (let index = 0; index < columns.count; index += 1) onCard[columns.cards[index] ?? 0]?.add(columns, index)
    },
    draw(place) {
      const [sheet, means] = [sheets[place], readings[place]]
      if (sheet === undefined || means === undefined) throw new Error(`there is no card ${place}`)
      return { uuid: cards[place]?.uuid ?? '', ...sheet.draw(), ...means.draw() }
    },
    list(blocks) {
      const lists: ColumnJob[][] = cards.map(() => [])
      for (const jobs of blocks) {
        each(jobs, (index, places) => {
          for (const place of places) lists[place]?.push(columnJobAt(jobs, index))
        })
      }
      return lists
    },
  }
}

/** The places of the cards that a worker has, where one is drawn. */
function placesOfWorkers({ workers }: TimelineInput, placeOf: ReadonlyMap<string, number>): ReadonlyMap<string, readonly number[]> {
  const held = workers.map(({ id, gpus }) => [id, gpus.flatMap(({ uuid }) => placeOf.get(uuid) ?? [])] as const)
  return new Map(held.filter(([, places]) => places.length > 0))
}

interface SumPlaces {
  readonly placesOf: ReadonlyMap<string, readonly number[]>
  /** Of the columns of the grid the first one of the range. */
  readonly first: number
}

/** The same as adding its jobs one by one, for a block that lies within the range. */
function createAddSums(sheets: ReturnType<typeof createSheets>, { placesOf, first }: SumPlaces) {
  return (texts: readonly string[], { counts, workers, columns, ms, failures }: JobSums): number => {
    const onText = texts.map((text) => (placesOf.get(text) ?? []).flatMap((place) => sheets[place] ?? []))
    for (let index = 0; index < ms.length; index += 1) {
      for (const sheet of onText[workers[index] ?? 0] ?? []) sheet.addSum((columns[index] ?? 0) - first, ms[index] ?? 0)
    }
    for (const [worker, column] of failures) for (const sheet of onText[worker] ?? []) sheet.addFailure(column - first)
    return [...counts].reduce((sum, [worker, count]) => sum + (onText[worker]?.length === 0 ? 0 : count), 0)
  }
}

type Take = (index: number, places: readonly number[]) => void

/** Each job that ran in the range, with the places of the cards on which it did. */
function createEach({ range }: TimelineInput, placesOf: ReadonlyMap<string, readonly number[]>) {
  const { from, to } = range
  return ({ count, texts, startedAt, endedAt, workers }: JobColumns, take: Take): void => {
    const onText = texts.map((text) => placesOf.get(text))
    for (let index = 0; index < count; index += 1) {
      const places = onText[workers[index] ?? 0]
      // One that never started is in no range: NaN is less than nothing.
      if (places !== undefined && (startedAt[index] ?? 0) < to && (endedAt[index] ?? 0) >= from) take(index, places)
    }
  }
}

const FAILED = JobStatus.options.indexOf('FAILED')

function createSheets(input: TimelineInput) {
  const scale = createScale(input.range, input.px)
  const held = input.workers.flatMap((worker) => worker.gpus.map(({ uuid }) => ({ uuid, worker })))
  const workersOn = Map.groupBy(held, ({ uuid }) => uuid)
  return input.cards.map((card) => {
    const workers = (workersOn.get(card.uuid) ?? []).map(({ worker }) => worker)
    return createSheet(scale, input, { card, workers })
  })
}

interface OnCard {
  readonly card: LaneCard
  readonly workers: readonly TimelineWorker[]
}

/** The columns of one card: its workers and absences from the beginning, and the jobs that are added. */
function createSheet(scale: Scale, input: TimelineInput, { card, workers }: OnCard) {
  const columns = createPhaseColumns(scale)
  const failed = new Set<number>()
  const bars = workers.map((worker) => ({ worker, phases: phasesOf(worker, input) }))
  for (const { phases } of bars) for (const one of phases) columns.add(one.phase, one)
  for (const absence of input.absences) {
    if (absence.uuid === card.uuid) columns.add('quarantined', absence)
    else if (absence.hostId === card.hostId) columns.add('unknown', absence)
  }
  return {
    addJob(span: Span, hasFailed: boolean): void {
      columns.addBusy(span)
      if (hasFailed) for (const column of scale.columnOf(span.to)) failed.add(column)
    },
    addSum: (column: number, ms: number) => columns.addBusyMs(column, ms),
    /** The grid is rounded: what lies at an edge may be just outside. */
    addFailure: (column: number) => failed.add(Math.max(0, Math.min(scale.px - 1, column))),
    draw: () => ({ bars, phases: columns.draw(), failed: [...failed].toSorted((a, b) => a - b) }),
  }
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
