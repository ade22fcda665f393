// The workers that talk to this gateway: who they are, whether they may have jobs, and when they have to be let go. A worker's token is
// good for its own endpoint and id alone. Facts come from the store and are read again when they change.
import { timingSafeEqual } from 'node:crypto'
import type { Logger } from '@runyard/kit'
import { RunyardError } from '@runyard/schema'
import type { Store } from '@runyard/store'
import { bearerOf } from '../authentication.ts'
import { isAssignable, isLeaving } from './assignable.ts'
import { createWorkerState, type WorkerState } from './state.ts'

/** After it is known that a worker leaves and holds no job, its polls are answered this much later (worker-api §11.3). */
const RELEASE_AFTER_MS = 300
const FORGET_UNSEEN_MS = 600_000
const SWEEP_EVERY_MS = 60_000

export interface WorkerAddress {
  readonly endpointId: string
  readonly workerId: string
}

export interface WorkerRegistry extends Disposable {
  /** The worker behind a request. @throws RunyardError('unauthorized') when the token is not this worker's. */
  enter(who: WorkerAddress, authorization: string | undefined): Promise<WorkerState>
  find(workerId: string): WorkerState | undefined
  /** Reads the worker's record again, if it talks to this gateway. */
  refresh(who: WorkerAddress): Promise<void>
  refreshAll(): Promise<void>
  /** Orders a job to be stopped; told to the worker once. */
  orderStop(who: WorkerAddress, jobId: string): void
  /** Answers the worker's polls soon if it leaves and holds no job. */
  releaseWhenFree(state: WorkerState): void
}

export function createWorkerRegistry({ store, log }: { store: Store; log: Logger }): WorkerRegistry {
  const states = new Map<string, WorkerState>()
  const opening = new Map<string, Promise<WorkerState>>()
  const sweeper = setInterval(() => {
    const limit = Date.now() - FORGET_UNSEEN_MS
    for (const [key, state] of states) if (state.seenAt < limit && state.takes.size === 0) states.delete(key)
  }, SWEEP_EVERY_MS).unref()

  async function open(who: WorkerAddress, authorization: string | undefined): Promise<WorkerState> {
    const token = await store.workerToken(who.endpointId, who.workerId)
    checkToken(token, authorization)
    const state = createWorkerState({ ...who, token })
    state.record = await store.workers.get(who.endpointId, who.workerId)
    states.set(keyOf(who), state)
    return state
  }

  async function enter(who: WorkerAddress, authorization: string | undefined): Promise<WorkerState> {
    const key = keyOf(who)
    let state = states.get(key)
    if (state === undefined) {
      const promise = opening.get(key) ?? open(who, authorization)
      opening.set(key, promise)
      state = await promise.finally(() => opening.delete(key))
    }
    checkToken(state.token, authorization)
    state.seenAt = Date.now()
    if (state.record === undefined) state.record = await store.workers.get(who.endpointId, who.workerId)
    return state
  }

  async function refresh(who: WorkerAddress): Promise<void> {
    const state = states.get(keyOf(who))
    if (state === undefined) return
    const couldTake = isAssignable(state.record)
    state.record = await store.workers.get(who.endpointId, who.workerId)
    if (state.record === undefined) states.delete(keyOf(who))
    // Its next poll, which comes at once, looks into the queue.
    if (!couldTake && isAssignable(state.record)) state.takes.releaseAll()
    if (isLeaving(state.record)) releaseWhenFree(state)
  }

  function releaseWhenFree(state: WorkerState): void {
    setTimeout(() => {
      void releaseIfFree(state).catch((error: unknown) => {
        log.warn({ err: error, worker: state.workerId }, 'could not see whether a leaving worker holds jobs')
      })
    }, RELEASE_AFTER_MS).unref()
  }

  async function releaseIfFree(state: WorkerState): Promise<void> {
    if (!isLeaving(state.record)) return
    const leases = await store.jobs.leases(state.endpointId)
    if (leases.some(({ workerId }) => workerId === state.workerId)) return
    state.takes.releaseAll()
    state.stops.releaseAll()
  }

  return {
    enter,
    find: (workerId) => [...states.values()].find((state) => state.workerId === workerId),
    refresh,
    releaseWhenFree,
    async refreshAll() {
      await Promise.all([...states.values()].map((state) => refresh(state)))
    },
    orderStop(who, jobId) {
      const state = states.get(keyOf(who))
      if (state === undefined || state.finished.has(jobId)) return
      state.stopOrders.add(jobId)
      state.stops.releaseAll()
    },
    [Symbol.dispose]() {
      clearInterval(sweeper)
      for (const state of states.values()) {
        state.takes.releaseAll()
        state.stops.releaseAll()
      }
    },
  }
}

function keyOf({ endpointId, workerId }: WorkerAddress): string {
  return `${endpointId}/${workerId}`
}

/** Raw or `Bearer` (worker-api §3). */
function checkToken(token: string, authorization: string | undefined): void {
  const given = Buffer.from(bearerOf(authorization) ?? '')
  const wanted = Buffer.from(token)
  if (given.length === wanted.length && timingSafeEqual(given, wanted)) return
  throw new RunyardError('unauthorized', 'unauthorized: this is not the token of this worker')
}
