// What the jobs of a block give to each pixel of a grid, summed once: a block does not change, and the next picture mostly has the same grid. A picture of a
// day then adds some hundred sums of each block instead of a thousand jobs.
import { JobStatus } from '@runyard/schema'
import type { JobColumns } from './job-columns.ts'
import type { Span } from './lane-columns.ts'

/** Columns of one width, as far as time goes; the first one begins `offset` after the epoch. */
export interface Grid {
  readonly columnMs: number
  readonly offset: number
}

/** Of a range with so many columns. Whole milliseconds, so that ranges which are whole columns apart have the same grid although columns are fractions. */
export function gridOf({ from, to }: Span, px: number): Grid {
  const columnMs = (to - from) / px
  return { columnMs, offset: Math.round(from - Math.round(from / columnMs) * columnMs) }
}

export interface JobSums {
  readonly workers: readonly WorkerSums[]
  /** A column of the grid, and how long jobs of a worker ran in it; one worker after the other. */
  readonly columns: Int32Array
  readonly ms: Float64Array
  /** Worker and column of each failed job. */
  readonly failures: readonly (readonly [worker: number, column: number])[]
}

interface WorkerSums {
  /** By its place in the block's texts. */
  readonly worker: number
  readonly jobs: number
  /** Where its columns end; they begin where those of the worker before it do. */
  readonly end: number
}

/** Finer grids are those of short ranges, which have few blocks, and jobs would cover many of their columns. */
const FINEST_MS = 5000
/** Of a block: pages that look at different ranges. */
const MOST_GRIDS = 2
const FAILED = JobStatus.options.indexOf('FAILED')

interface Known {
  readonly span: Span
  summed: readonly { readonly grid: Grid; readonly sums: JobSums }[]
}

const blocks = new WeakMap<Float64Array, Known>()

/** Undefined: the grid is too fine, or jobs of the block are not within the range; one that still runs never is. */
export function sumJobs(jobs: JobColumns, grid: Grid, range: Span): JobSums | undefined {
  if (grid.columnMs < FINEST_MS) return undefined
  const known = blocks.get(jobs.startedAt) ?? { span: spanOf(jobs), summed: [] }
  blocks.set(jobs.startedAt, known)
  if (known.span.from < range.from || known.span.to >= range.to) return undefined
  const found = known.summed.find(({ grid: { columnMs, offset } }) => columnMs === grid.columnMs && offset === grid.offset)
  if (found !== undefined) return found.sums
  const sums = sumAll(jobs, grid)
  known.summed = [{ grid, sums }, ...known.summed].slice(0, MOST_GRIDS)
  return sums
}

/** Of the jobs that started. */
function spanOf({ startedAt, endedAt }: JobColumns): Span {
  let [from, to] = [Infinity, -Infinity]
  for (const [index, start] of startedAt.entries()) {
    if (Number.isNaN(start)) continue
    ;[from, to] = [Math.min(from, start), Math.max(to, endedAt[index] ?? 0)]
  }
  return { from, to }
}

function sumAll({ count, startedAt, endedAt, workers, statuses }: JobColumns, { columnMs, offset }: Grid): JobSums {
  const spent = createSpent({ columnMs, offset })
  const failures: [number, number][] = []
  for (let index = 0; index < count; index += 1) {
    const [start = Number.NaN, end = 0, worker = 0] = [startedAt[index], endedAt[index], workers[index]]
    if (Number.isNaN(start)) continue
    if (statuses[index] === FAILED) failures.push([worker, Math.floor((end - offset) / columnMs)])
    spent.add(worker, { from: start, to: end })
  }
  return { failures, ...spent.finish() }
}

interface Spent {
  jobs: number
  readonly ms: Map<number, number>
}

function createSpent({ columnMs, offset }: Grid) {
  const byWorker = new Map<number, Spent>()
  return {
    add(worker: number, { from, to }: Span): void {
      const own = byWorker.get(worker) ?? { jobs: 0, ms: new Map<number, number>() }
      byWorker.set(worker, own)
      own.jobs += 1
      const last = Math.floor((to - offset) / columnMs)
      for (let column = Math.floor((from - offset) / columnMs); column <= last; column += 1) {
        const left = offset + column * columnMs
        own.ms.set(column, (own.ms.get(column) ?? 0) + Math.min(to, left + columnMs) - Math.max(from, left))
      }
    },
    finish(): Pick<JobSums, 'workers' | 'columns' | 'ms'> {
      let end = 0
      const workers = [...byWorker].map(([worker, { jobs, ms }]) => ({ worker, jobs, end: (end += ms.size) }))
      const all = [...byWorker.values()]
      return {
        workers,
        columns: Int32Array.from(all.flatMap(({ ms }) => [...ms.keys()])),
        ms: Float64Array.from(all.flatMap(({ ms }) => [...ms.values()])),
      }
    },
  }
}
