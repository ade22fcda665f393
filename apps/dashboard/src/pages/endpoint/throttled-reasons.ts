import type { SeriesView } from '@runyard/schema/api'

/** How long wanted workers had no place, by reason, longest first; to the step of the numbers. */
export function throttledReasons({ points, stepMs }: Pick<SeriesView, 'points' | 'stepMs'>): readonly { reason: string; ms: number }[] {
  const spans = new Map<string, number>()
  for (const { throttled, reason = 'unknown' } of points) {
    if (throttled > 0) spans.set(reason, (spans.get(reason) ?? 0) + stepMs)
  }
  return [...spans].map(([reason, ms]) => ({ reason, ms })).toSorted((a, b) => b.ms - a.ms)
}
