// What a card did in a view, as sums: for the table, and for one sentence.
import { countJobs, failedOf, segmentsOf, workersOf } from './describe.ts'
import { NOT_KNOWN, PHASES, type LanePicture, type Phase, type Picture } from './picture.ts'
import { lengthOf, type View } from './view.ts'

export interface Shares {
  /** Of the known part of the view, 0 to 1. */
  readonly phases: Readonly<Record<Phase, number>>
  /** Jobs; where they are too many to be listed, columns with a failure. */
  readonly failed: number
  /** Undefined: too many to be listed. */
  readonly workers: number | undefined
  readonly jobs: number | undefined
  /** Means, 0 to 1; undefined: not known. */
  readonly load: number | undefined
  readonly memory: number | undefined
  readonly power: number | undefined
}

export function sharesOf(picture: Picture, lane: LanePicture, view: View): Shares {
  const seen = { from: Math.max(view.from, picture.from), to: Math.min(view.to, picture.to, picture.now) }
  const length = Math.max(1, lengthOf(seen))
  const spent = Object.fromEntries(PHASES.map((phase) => [phase, 0])) as Record<Phase, number>
  for (const { phase, from, to } of segmentsOf(picture, lane)) {
    spent[phase] += Math.max(0, Math.min(to, seen.to) - Math.max(from, seen.from)) / length
  }
  const meets = ({ from, to }: View): boolean => from < seen.to && to > seen.from
  const isIn = (at: number): boolean => at >= seen.from && at < seen.to
  const failures = lane.lane.failed.map((column) => picture.from + (column + 0.5) * picture.columnMs)
  const jobs = lane.lane.jobs?.filter(meets)
  const mean = (values: Float32Array): number | undefined => meanOf(values, picture, seen)
  return {
    phases: spent,
    failed: failedOf(jobs?.filter(({ to }) => isIn(to))) ?? failures.filter(isIn).length,
    workers: lane.lane.workers && workersOf(lane).filter(({ span }) => meets(span)).length,
    jobs: jobs && countJobs(jobs),
    load: mean(lane.load),
    memory: mean(lane.memory),
    power: mean(lane.power),
  }
}

function meanOf(values: Float32Array, { from, readingMs }: Picture, seen: View): number | undefined {
  const [first, end] = [Math.max(0, Math.floor((seen.from - from) / readingMs)), Math.ceil((seen.to - from) / readingMs)]
  const known = values.subarray(first, end).filter((value) => value !== NOT_KNOWN)
  return known.length === 0 ? undefined : known.reduce((sum, value) => sum + value, 0) / known.length
}
