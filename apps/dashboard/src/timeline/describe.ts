// What is at one place of a lane, as data and as words: for screen readers, for the hover, for the table.
import type { TimelineLane } from '@runyard/schema/api'
import { PHASES, PHASE_WORDS, type LanePicture, type Phase, type Picture } from './picture.ts'
import type { View } from './view.ts'

type Worker = NonNullable<TimelineLane['workers']>[number]

export interface Segment extends View {
  readonly phase: Phase
  /** Undefined: none, somebody else's, or too many to be listed. */
  readonly worker?: Worker | undefined
  /** That ran in it; undefined: too many to be listed. */
  readonly jobs?: number | undefined
  /** Jobs; where they are too many to be listed, columns with a failure. */
  readonly failed: number
  /** Why the card was out of use. */
  readonly cause?: string | undefined
}

export interface Workers {
  readonly worker: Worker
  readonly span: View
}

/** How a card is called: `gpu-box-1 · 3`. */
export function cardName({ host, index, uuid }: Pick<TimelineLane, 'host' | 'index' | 'uuid'>): string {
  return `${host} · ${index ?? uuid.slice(-6)}`
}

/** `RTX 4090`. */
export const shortType = (name: string): string => name.replace(/^NVIDIA (?:GeForce )?/u, '')

/** Runs of columns with one phase, until now. */
export function segmentsOf(picture: Picture, lane: LanePicture): readonly Segment[] {
  const spans: (View & { readonly phase: Phase })[] = []
  const known = Math.min(picture.to, picture.now)
  const end = Math.min(lane.phases.length, Math.ceil((known - picture.from) / picture.columnMs))
  for (let column = 0, begin = 0; column < end; column += 1) {
    if (column + 1 < end && lane.phases[column + 1] === lane.phases[begin]) continue
    const [from, to] = [picture.from + begin * picture.columnMs, Math.min(known, picture.from + (column + 1) * picture.columnMs)]
    spans.push({ phase: PHASES[lane.phases[begin] ?? 0] ?? 'free', from, to })
    begin = column + 1
  }
  return spans.map((span) => withDetails(picture, lane, span))
}

/** Undefined where nothing is known. */
export function segmentAt(picture: Picture, lane: LanePicture, at: number): Segment | undefined {
  const known = Math.min(picture.to, picture.now)
  if (at < picture.from || at > known) return undefined
  const last = Math.ceil((known - picture.from) / picture.columnMs) - 1
  const column = Math.min(last, Math.floor((at - picture.from) / picture.columnMs))
  const phase = lane.phases[column]
  let [first, end] = [column, column + 1]
  while (first > 0 && lane.phases[first - 1] === phase) first -= 1
  while (end <= last && lane.phases[end] === phase) end += 1
  const span = { from: picture.from + first * picture.columnMs, to: Math.min(known, picture.from + end * picture.columnMs) }
  return withDetails(picture, lane, { ...span, phase: PHASES[phase ?? 0] ?? 'free' })
}

type Run = NonNullable<TimelineLane['jobs']>[number]

/** A job that was retried ran several times. */
export const countJobs = (runs: readonly Run[]): number => new Set(runs.map(({ id }) => id)).size

/** Undefined where jobs are too many to be listed. */
export const failedOf = (runs: readonly Run[] | undefined): number | undefined =>
  runs && countJobs(runs.filter(({ status }) => status === 'FAILED'))

function withDetails(picture: Picture, { lane, absences, gaps }: LanePicture, span: View & { readonly phase: Phase }): Segment {
  const meets = ({ from, to }: View): boolean => from < span.to && to > span.from
  // Columns are wider than jobs: one belongs to the stretch that has its middle.
  const isIn = ({ from, to }: View): boolean => (from + to) / 2 >= span.from && (from + to) / 2 < span.to
  const causes = { quarantined: absences, unknown: gaps } as Partial<Record<Phase, typeof absences>>
  const cause = causes[span.phase]?.find(meets)?.cause
  const worker = span.phase === 'free' ? undefined : lane.workers?.find(({ phases }) => phases.some(meets))
  const columnOf = (at: number) => (at - picture.from) / picture.columnMs
  const [first, end] = [Math.round(columnOf(span.from)), Math.round(columnOf(span.to))]
  const jobs = lane.jobs?.filter(isIn)
  const failed = failedOf(jobs) ?? lane.failed.filter((column) => column >= first && column < end).length
  return { ...span, worker, jobs: jobs && countJobs(jobs), failed, cause }
}

/** `gpu-box-1 · 3, 14:02:00 to 14:05:10, busy, endpoint caption, 12 jobs, 1 failed`. */
export function describeSegment(lane: TimelineLane, segment: Segment | undefined, clock: (at: number) => string): string {
  if (segment === undefined) return `${cardName(lane)}, nothing is known of this time`
  const { from, to, phase, worker, jobs, failed, cause } = segment
  const words = [
    cardName(lane),
    `${clock(from)} to ${clock(to)}`,
    PHASE_WORDS[phase],
    worker && `endpoint ${worker.endpoint.name}`,
    jobs ? `${jobs} ${jobs === 1 ? 'job' : 'jobs'}` : undefined,
    failed > 0 ? `${failed} failed` : undefined,
    cause?.replaceAll('_', ' '),
  ]
  return words.filter((word) => word !== undefined).join(', ')
}

/** Each worker of a lane with its whole time, first come first. */
export function workersOf({ lane }: LanePicture): readonly Workers[] {
  const workers = (lane.workers ?? []).flatMap((worker) => {
    const [first, last] = [worker.phases[0], worker.phases.at(-1)]
    return first === undefined || last === undefined ? [] : [{ worker, span: { from: first.from, to: last.to } }]
  })
  return workers.toSorted((a, b) => a.span.from - b.span.from)
}
