// What each card did, drawn for a width (ADR 80). Near: the workers and their jobs as they were. Far: per pixel the phase that took most of it, because
// a browser must not get more than it can draw; a failed job marks its pixel, however short it was.
import { JobStatus, type WorkerLife } from '@runyard/schema'
import type { ReadingColumns } from './card-samples.ts'
import { gridOf, sumJobs, type JobSums } from './job-sums.ts'
import { columnJobAt, type ColumnJob, type JobColumns } from './job-columns.ts'
import { createPhasePainter, createReadingMeans, createScale, type PhaseSpan, type Scale, type Span } from './lane-columns.ts'

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
  readonly bars: readonly { readonly worker: TimelineWorker; readonly phases: readonly PhaseSpan[] }[]
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
export type Lanes = ReturnType<typeof createLanes>

export function createLanes(input: TimelineInput) {
  const { cards, range, px } = input
  const { scale, sheets, sheetsOf, placeOf, placesOf } = createSheets(input)
  const rough = createScale(range, Math.ceil(px / readingPxOf(input)))
  const means = createReadingMeans(rough, cards)
  const painter = createPhasePainter(scale)
  const each = createEach(input, placesOf)
  const grid = gridOf(range, px)
  const first = Math.round((range.from - grid.offset) / grid.columnMs)
  return {
    /** Returns how many of them ran in the range on a card that is drawn. */
    addJobs(jobs: JobColumns): number {
      const { startedAt, endedAt, statuses } = jobs
      const sums = sumJobs(jobs, grid, range)
      if (sums !== undefined) return addSums(sums, { scale, first, onWorker: (worker) => sheetsOf(jobs.texts[worker]) })
      let count = 0
      each(jobs, (index, places) => {
        count += 1
        const ended = endedAt[index] ?? 0
        const span = { from: startedAt[index] ?? 0, to: ended === Infinity ? input.now : ended }
        for (const place of places) sheets[place]?.addJob(span, statuses[index] === FAILED)
      })
      return count
    },
    addReadings(columns: ReadingColumns) {
      means.add(
        columns,
        columns.uuids.map((uuid) => placeOf.get(uuid) ?? -1),
      )
    },
    /** Of the card at this place. */
    draw(place: number): Lane {
      const [card, sheet] = [cards[place], sheets[place]]
      if (card === undefined || sheet === undefined) throw new Error(`there is no card ${place}`)
      return { uuid: card.uuid, ...sheet.draw(painter), ...means.draw(place) }
    },
    /** The jobs of each card, by its place. */
    list(blocks: readonly JobColumns[]): readonly (readonly ColumnJob[])[] {
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

type Sheet = ReturnType<typeof createSheet>

interface SumPlaces {
  readonly scale: Scale
  /** Of the columns of the grid the first one of the range. */
  readonly first: number
  /** By the place of a worker in the texts of the block. */
  readonly onWorker: (worker: number) => readonly Sheet[]
}

/** The same as adding its jobs one by one, for a block that lies within the range. */
function addSums({ workers, columns, ms, failures }: JobSums, { scale: { columnMs }, first, onWorker }: SumPlaces): number {
  let [count, begin] = [0, 0]
  for (const { worker, jobs, end } of workers) {
    const own = onWorker(worker)
    for (const { busy } of own) {
      for (let index = begin; index < end; index += 1) {
        const column = (columns[index] ?? 0) - first
        busy[column] = Math.min(columnMs, (busy[column] ?? 0) + (ms[index] ?? 0))
      }
    }
    if (own.length > 0) count += jobs
    begin = end
  }
  for (const [worker, column] of failures) for (const sheet of onWorker(worker)) sheet.addFailure(column - first)
  return count
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

/** The columns of each card, and the places of the cards that a worker has, where one is drawn. */
function createSheets(input: TimelineInput) {
  const scale = createScale(input.range, input.px)
  const workersOn = input.cards.map((): TimelineWorker[] => [])
  const placeOf = new Map(input.cards.map(({ uuid }, place) => [uuid, place]))
  const placesOf = new Map<string, number[]>()
  for (const worker of input.workers) {
    for (const { uuid } of worker.gpus) {
      const place = placeOf.get(uuid)
      if (place === undefined) continue
      workersOn[place]?.push(worker)
      const places = placesOf.get(worker.id)
      if (places === undefined) placesOf.set(worker.id, [place])
      else places.push(place)
    }
  }
  const sheets = input.cards.map((card, place) => createSheet(scale, input, { card, workers: workersOn[place] ?? [] }))
  const sheetsOf = (worker = '') => (placesOf.get(worker) ?? []).flatMap((place) => sheets[place] ?? [])
  return { scale, sheets, sheetsOf, placeOf, placesOf }
}

interface OnCard {
  readonly card: LaneCard
  readonly workers: readonly TimelineWorker[]
}

/** The columns of one card: the jobs that are added, under its workers and absences. */
function createSheet(scale: Scale, input: TimelineInput, { card, workers }: OnCard) {
  const busy = new Float64Array(scale.px)
  const failed = new Set<number>()
  return {
    /** How long each column has jobs. */
    busy,
    addJob(span: Span, hasFailed: boolean): void {
      scale.spend(busy, span)
      if (hasFailed) for (const column of scale.columnOf(span.to)) failed.add(column)
    },
    /** The grid is rounded: what lies at an edge may be just outside. */
    addFailure: (column: number) => failed.add(Math.max(0, Math.min(scale.px - 1, column))),
    draw(painter: ReturnType<typeof createPhasePainter>): Pick<Lane, 'bars' | 'phases' | 'failed'> {
      const bars = workers.map((worker) => ({ worker, phases: phasesOf(worker, input) }))
      const spans = [...bars.flatMap(({ phases }) => phases), ...absencesOf(card, input)]
      return { bars, phases: painter.draw(spans, busy), failed: [...failed].toSorted((a, b) => a - b) }
    },
  }
}

function absencesOf({ uuid, hostId }: LaneCard, { absences }: TimelineInput): readonly PhaseSpan[] {
  return absences.flatMap((absence): readonly PhaseSpan[] => {
    const { from, to } = absence
    if (absence.uuid === uuid) return [{ phase: 'quarantined', from, to }]
    return absence.hostId === hostId ? [{ phase: 'unknown', from, to }] : []
  })
}

/** From its placement to its end; what is warm is idle until jobs are drawn over it. */
function phasesOf(
  { createdAt, imageReadyAt = createdAt, readyAt, drainingSince, goneAt }: TimelineWorker,
  { now, range }: TimelineInput,
): readonly PhaseSpan[] {
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
