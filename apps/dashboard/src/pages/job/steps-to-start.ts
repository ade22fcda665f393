// How far a waiting job has come, by the reason that the gateway gives.
import type { ExplainView } from '@runyard/schema/api'

export type StepState = 'done' | 'stopped' | 'going' | 'later'

export interface StepsToStart {
  readonly wanted: StepState
  readonly place: StepState
  readonly start: StepState
  readonly take: StepState
}

const REST = { start: 'later', take: 'later' } as const
/** Every other reason says why a wanted worker has no place. */
const BY_REASON: Readonly<Record<string, StepsToStart>> = {
  paused: { wanted: 'stopped', place: 'later', ...REST },
  low_priority: { wanted: 'stopped', place: 'later', ...REST },
  no_worker_yet: { wanted: 'done', place: 'going', ...REST },
  worker_starting: { wanted: 'done', place: 'done', start: 'going', take: 'later' },
  about_to_start: { wanted: 'done', place: 'done', start: 'done', take: 'going' },
  jobs_ahead: { wanted: 'done', place: 'done', start: 'done', take: 'going' },
}

export function stepsTo(reason: string): StepsToStart {
  return BY_REASON[reason] ?? { wanted: 'done', place: 'stopped', ...REST }
}

/** `3 jobs wait, 1 of 0..2 workers is there`. */
export function describeDemand({ waiting, workers: { now, min, max, throttled } }: ExplainView): string {
  const jobs = waiting === 1 ? '1 job waits' : `${waiting} jobs wait`
  const missing = throttled === 0 ? '' : `, ${throttled} without a place`
  return `${jobs}, ${now} of ${min}..${max} workers ${now === 1 ? 'is' : 'are'} there${missing}`
}
