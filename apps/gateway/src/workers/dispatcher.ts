// Hands waiting jobs to waiting workers: one lane per endpoint, opened when its first worker asks.
import { RunyardError } from '@runyard/schema'
import type { Logger } from '@runyard/kit'
import type { Store, TakenJob } from '@runyard/store'
import type { EndpointCache } from '../parts/endpoint-cache.ts'
import { Lane, type TakeRequest } from './take-queue.ts'
import type { WorkerState } from './worker-session.ts'

export interface Dispatcher extends Disposable {
  /** Resolves with jobs, or with none after the hold. @throws RunyardError('store_unavailable') */
  take(request: TakeRequest): Promise<readonly TakenJob[]>
  /** The same without the hold. */
  takeNow(request: TakeRequest): Promise<readonly TakenJob[]>
  /** Returns undelivered jobs to the front of the queue. */
  giveBack(state: WorkerState, jobs: readonly TakenJob[]): Promise<void>
  wake(endpointId: string): void
  wakeAll(): void
}

export interface DispatcherDeps {
  readonly store: Pick<Store, 'jobs'>
  readonly endpoints: Pick<EndpointCache, 'get'>
  readonly log: Logger
  readonly onHanded: (state: WorkerState, job: TakenJob) => void
}

export function createDispatcher({ store, endpoints, log, onHanded }: DispatcherDeps): Dispatcher {
  const lanes = new Map<string, Lane>()
  let closed = false

  async function takeJob(state: WorkerState): Promise<TakenJob | undefined | null> {
    const job = await store.jobs.take(state.endpointId, state.workerId)
    if (job !== undefined && job !== null) onHanded(state, job)
    return job
  }

  async function giveBack(state: WorkerState, jobs: readonly TakenJob[]): Promise<void> {
    for (const job of jobs) {
      state.handed.delete(job.id)
      await store.jobs.giveBack(state.endpointId, job.id, state.workerId)
      log.warn({ endpointId: state.endpointId, jobId: job.id, workerId: state.workerId }, 'a job went back: its poll had gone')
    }
  }

  function laneOf(endpointId: string): Lane {
    const known = lanes.get(endpointId)
    if (known !== undefined) return known
    const lane = new Lane({ takeJob, giveBack, checkVersion: (state) => markOutdated(endpoints, state) })
    lanes.set(endpointId, lane)
    return lane
  }

  return {
    giveBack,
    take: (request) => (closed ? Promise.resolve([]) : laneOf(request.state.endpointId).take(request)),
    takeNow: (request) => (closed ? Promise.resolve([]) : laneOf(request.state.endpointId).takeNow(request)),
    wake(endpointId) {
      lanes.get(endpointId)?.wake()
    },
    wakeAll() {
      for (const lane of lanes.values()) for (let wakes = lane.parkedCount; wakes >= 0; wakes -= 1) lane.wake()
    },
    [Symbol.dispose]() {
      closed = true
      for (const lane of lanes.values()) lane.release()
    },
  }
}

/** A job that was submitted after an update runs on the new version: the scaler's own mark comes a tick later. */
async function markOutdated(endpoints: Pick<EndpointCache, 'get'>, state: WorkerState): Promise<void> {
  const endpoint = await endpoints.get(state.endpointId)
  const { record } = state
  if (endpoint === undefined || record === undefined || record.endpointVersion >= endpoint.version) return
  state.record = { ...record, outdatedSince: record.outdatedSince ?? Date.now() }
}

/** Redis is away or refuses writes: a condition that passes. */
export function isStoreAway(error: unknown): boolean {
  return error instanceof RunyardError && error.code === 'store_unavailable'
}
