// What other settings would have done: the real `plan` over the jobs of an endpoint. It assumes that the pool has room for all workers, that every start
// takes as long, and that a job takes as long beside others. Of its own entry point, for the page's worker thread.
import type { EndpointSettings } from '@runyard/schema'
import { runTimeline } from './timeline.ts'
import { simulatedEndpoint } from './world.ts'

export type ScalingSettings = Pick<EndpointSettings, 'workersMin' | 'workersMax' | 'idleTimeoutMs' | 'scaling'>

export interface PreviewInput {
  readonly settings: ScalingSettings
  /** Ascending by `at`, ms after the beginning. */
  readonly jobs: readonly { readonly at: number; readonly runMs: number }[]
  /** Jobs that a worker has at a time, at most; default: 1. */
  readonly jobsAtOnce?: number | undefined
  /** From the start of a worker until it takes jobs. */
  readonly startMs: number
  readonly forMs: number
}

export interface Preview {
  /** Each change of the number of workers, those that start included; the first is at 0. */
  readonly workers: readonly { readonly at: number; readonly count: number }[]
  /** Of the jobs that started; null: none did. */
  readonly waitP50Ms: number | null
  readonly waitP95Ms: number | null
  readonly coldStarts: number
  /** Time of all workers together, and how much of it they had a job. Several jobs at a time count once. */
  readonly workerMs: number
  readonly workMs: number
  /** Jobs that no worker had taken at the end. */
  readonly notStarted: number
}

const ID = 'preview'

export function previewScaling({ settings, jobs, jobsAtOnce = 1, startMs, forMs }: PreviewInput): Preview {
  const endpoint = simulatedEndpoint(ID, settings)
  const actor = { endpoint, startMs, jobsAtOnce, jobsAt: jobs.map(({ at }) => at), jobMs: 0, runsMs: jobs.map(({ runMs }) => runMs) }
  const line = runTimeline([actor], { cards: settings.workersMax, forMs, skips: true })
  const waits = line.jobs
    .flatMap(({ submittedAt, startedAt }) => (startedAt === undefined ? [] : [startedAt - submittedAt]))
    .toSorted((a, b) => a - b)
  const spans = line.spans.map(({ startedAt, goneAt }) => ({ from: startedAt, to: Math.min(goneAt, forMs) }))
  return {
    workers: countOver(spans),
    waitP50Ms: quantile(waits, 0.5),
    waitP95Ms: quantile(waits, 0.95),
    coldStarts: spans.length,
    workerMs: spans.reduce((sum, { from, to }) => sum + to - from, 0),
    workMs: line.spans.reduce((sum, { workMs }) => sum + workMs, 0),
    notStarted: line.jobs.length - waits.length,
  }
}

function countOver(spans: readonly { readonly from: number; readonly to: number }[]): Preview['workers'] {
  const changes = spans
    .flatMap(({ from, to }) => [
      { at: from, by: 1 },
      { at: to, by: -1 },
    ])
    .toSorted((a, b) => a.at - b.at)
  const counts = new Map([[0, 0]])
  let count = 0
  for (const { at, by } of changes) {
    count += by
    counts.set(at, count)
  }
  return [...counts].map(([at, found]) => ({ at, count: found }))
}

function quantile(sorted: readonly number[], share: number): number | null {
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? null
}
