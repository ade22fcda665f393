// One worker as this gateway process sees it: its record as last read, the jobs handed to it here, its held polls and its stop orders.
// All of it is a cache or a conversation in flight; a restarted gateway loses nothing that leases and pings don't bring back.
import type { WorkerRecord } from '@runyard/schema'
import { createPolls, type Polls } from './polls.ts'

/** A job handed to the worker by this gateway and not yet ended. */
export interface HandedJob {
  readonly handedAt: number
  readonly submittedAt: number
  readonly startedAt: number
  readonly attempt: number
  /** Consecutive pings that did not name it. */
  missedPings: number
  renewedAt: number
}

export interface WorkerState {
  readonly endpointId: string
  readonly workerId: string
  readonly token: string
  record: WorkerRecord | undefined
  sdkVersion: string | undefined
  readonly handed: Map<string, HandedJob>
  /** Held requests that carry no job yet: takes and the stop channel. */
  readonly takes: Polls
  readonly stops: Polls
  /** Jobs to be stopped, not yet told. */
  readonly stopOrders: Set<string>
  /** The latest ids told or ended, so that none is told twice (worker-api §9). */
  readonly finished: Set<string>
  /** Pings that named a job which the worker no longer holds, by job. */
  readonly strayPings: Map<string, number>
  firstContact: Promise<void> | undefined
  seenAt: number
  seenWrittenAt: number
}

const FINISHED_REMEMBERED = 128

export function createWorkerState(who: { endpointId: string; workerId: string; token: string }): WorkerState {
  return {
    ...who,
    record: undefined,
    sdkVersion: undefined,
    handed: new Map(),
    takes: createPolls(),
    stops: createPolls(),
    stopOrders: new Set(),
    finished: new Set(),
    strayPings: new Map(),
    firstContact: undefined,
    seenAt: Date.now(),
    seenWrittenAt: 0,
  }
}

/** The worker needs to hear nothing more of this job. */
export function rememberFinished(state: WorkerState, jobId: string): void {
  state.handed.delete(jobId)
  state.stopOrders.delete(jobId)
  state.finished.add(jobId)
  const [oldest] = state.finished
  if (state.finished.size > FINISHED_REMEMBERED && oldest !== undefined) state.finished.delete(oldest)
}
