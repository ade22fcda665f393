// One worker as this gateway process sees it: its record as last read, its held polls and its stop orders. All of it is a cache or a
// conversation in flight: the worker's requests may reach any gateway, so nothing here may be the only place that knows something.
import type { WorkerRecord } from '@runyard/schema'
import type { TakenJob } from '@runyard/store'
import { createPolls, type Polls } from './held-requests.ts'

/** What this gateway knows of a job that it handed out, which spares a read when the result comes here, too. */
export type HandedJob = Pick<TakenJob, 'submittedAt' | 'startedAt' | 'attempt'>

export interface WorkerState {
  readonly endpointId: string
  readonly workerId: string
  readonly token: string
  record: WorkerRecord | undefined
  /** It leaves and held no job when its polls were last answered. */
  isReleased: boolean
  /** Pending while a change of the record is being read. */
  refreshing: Promise<void> | undefined
  sdkVersion: string | undefined
  /** The latest ones. */
  readonly handed: Map<string, HandedJob>
  /** Held requests that carry no job yet: takes and the stop channel. */
  readonly takes: Polls
  readonly stops: Polls
  /** Jobs to be stopped, not yet told. */
  readonly stopOrders: Set<string>
  /** The latest ids told or ended, so that none is told twice (worker-api §9). */
  readonly finished: Set<string>
  /** Consecutive pings that did not name a job which the worker holds, by job. */
  missedPings: ReadonlyMap<string, number>
  /** Pings that named a job which the worker no longer holds, by job. */
  readonly strayPings: Map<string, number>
  /** With its own token. */
  hasPolled: boolean
  firstContact: Promise<void> | undefined
  /** Its first function is known to have begun. */
  hasEntered: boolean
  seenAt: number
}

/** Of each kind and worker: far more than a worker works on at a time. */
const REMEMBERED = 128

export function createWorkerState(who: { endpointId: string; workerId: string; token: string }): WorkerState {
  return {
    ...who,
    record: undefined,
    isReleased: false,
    refreshing: undefined,
    sdkVersion: undefined,
    handed: new Map(),
    takes: createPolls(),
    stops: createPolls(),
    stopOrders: new Set(),
    finished: new Set(),
    missedPings: new Map(),
    strayPings: new Map(),
    hasPolled: false,
    firstContact: undefined,
    hasEntered: false,
    seenAt: Date.now(),
  }
}

/** The worker needs to hear nothing more of this job. */
export function rememberFinished(state: WorkerState, jobId: string): void {
  state.handed.delete(jobId)
  state.stopOrders.delete(jobId)
  state.finished.add(jobId)
  forgetOldest(state.finished)
}

/** Handed out here, perhaps again: what was said about it before is void. */
export function rememberHanded(state: WorkerState, jobId: string, job: HandedJob): void {
  state.finished.delete(jobId)
  state.stopOrders.delete(jobId)
  state.handed.set(jobId, job)
  forgetOldest(state.handed)
}

export function rememberStopOrder(state: WorkerState, jobId: string): void {
  state.stopOrders.add(jobId)
  forgetOldest(state.stopOrders)
}

function forgetOldest(memory: Set<string> | Map<string, unknown>): void {
  const [oldest] = memory.keys()
  if (memory.size > REMEMBERED && oldest !== undefined) memory.delete(oldest)
}
