// When each worker had a job. Jobs of one worker may overlap; their time counts once.
import type { TimelineJob } from './history/timeline.ts'

interface Span {
  readonly from: number
  readonly to: number
}

export interface WorkSpans {
  /** How long the worker had at least one job in the span. */
  workMs(workerId: string, inside: Span): number
}

/** `now`: the end of jobs that still run, epoch ms. */
export function createWorkSpans(jobs: readonly Pick<TimelineJob, 'workerId' | 'startedAt' | 'endedAt'>[], now: number): WorkSpans {
  const byWorker = Map.groupBy(jobs, ({ workerId }) => workerId)
  const spans = new Map([...byWorker].map(([id, own]) => [id, merge(own.map(({ startedAt: from, endedAt: to = now }) => ({ from, to })))]))
  return {
    workMs: (workerId, inside) =>
      (spans.get(workerId) ?? []).reduce(
        (sum, { from, to }) => sum + Math.max(0, Math.min(to, inside.to) - Math.max(from, inside.from)),
        0,
      ),
  }
}

/** Spans without an overlap, in order. */
function merge(spans: readonly Span[]): readonly Span[] {
  const merged: { from: number; to: number }[] = []
  for (const { from, to } of spans.toSorted((a, b) => a.from - b.from)) {
    const last = merged.at(-1)
    if (last !== undefined && from <= last.to) last.to = Math.max(last.to, to)
    else merged.push({ from, to })
  }
  return merged
}
