import type { SeriesView } from '@runyard/schema/api'

export interface ThrottledReason {
  readonly reason: string
  /** As a sentence; the word where this release knows none. */
  readonly message: string
  readonly ms: number
}

/** How long wanted workers had no place, by reason, longest first; to the step of the numbers. */
export function throttledReasons({ points, stepMs }: Pick<SeriesView, 'points' | 'stepMs'>): readonly ThrottledReason[] {
  const throttled = points.filter((point) => point.throttled > 0)
  return [...Map.groupBy(throttled, ({ reason = 'unknown' }) => reason)]
    .map(([reason, all]) => ({ reason, message: all[0]?.message ?? reason, ms: all.length * stepMs }))
    .toSorted((a, b) => b.ms - a.ms)
}
