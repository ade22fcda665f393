// When each worker had a job. Jobs of one worker may overlap; their time counts once.
import type { JobColumns } from './history/job-columns.ts'

interface Span {
  readonly from: number
  readonly to: number
}

export type WorkSpans = ReturnType<typeof createWorkSpans>

/** `now`: the end of jobs that still run, epoch ms. */
export function createWorkSpans(blocks: readonly JobColumns[], now: number) {
  const byWorker = collectSpans(blocks)
  const spans = new Map([...byWorker].map(([id, some]) => [id, merge(some)]))
  return {
    /** How long the worker had at least one job in the span. */
    workMs: (workerId: string, inside: Span): number =>
      (spans.get(workerId) ?? []).reduce(
        (sum, { from, to }) => sum + Math.max(0, Math.min(to, now, inside.to) - Math.max(from, inside.from)),
        0,
      ),
  }
}

function collectSpans(blocks: readonly JobColumns[]): ReadonlyMap<string, readonly Span[]> {
  const byWorker = new Map<string, Span[]>()
  for (const { count, texts, workers, startedAt, endedAt } of blocks) {
    const own = texts.map((worker) => {
      const spans = byWorker.get(worker) ?? []
      byWorker.set(worker, spans)
      return spans
    })
    for (let index = 0; index < count; index += 1) {
      const from = Number(startedAt[index])
      if (!Number.isNaN(from)) own[Number(workers[index])]?.push({ from, to: Number(endedAt[index]) })
    }
  }
  return byWorker
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
