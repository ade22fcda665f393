// The demand for workers of an endpoint. The queue is one source; the open requests of a load-balanced endpoint are another. Scaling uses only
// their sum.

export interface Demand {
  readonly waiting: number
  /** Without `lowPriority` jobs, which never start a worker (management §6.2). */
  readonly waitingNormal: number
  readonly oldestWaitingAt: number | undefined
}

export interface DemandSource extends Demand {
  readonly kind: 'queue' | 'requests'
}

export function demandFrom(sources: readonly DemandSource[]): Demand {
  const times = sources.flatMap(({ oldestWaitingAt }) => oldestWaitingAt ?? [])
  return {
    waiting: sources.reduce((sum, { waiting }) => sum + waiting, 0),
    waitingNormal: sources.reduce((sum, { waitingNormal }) => sum + waitingNormal, 0),
    oldestWaitingAt: times.length === 0 ? undefined : Math.min(...times),
  }
}
