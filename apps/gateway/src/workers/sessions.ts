// The workers that talk to this gateway: who they are, whether they may have jobs, and when they have to be let go. A worker's token is
// good for its own endpoint and id alone. Facts come from the store and are read again when they change.
import { timingSafeEqual } from 'node:crypto'
import type { Logger } from '@runyard/kit'
import { RunyardError } from '@runyard/schema'
import type { Store } from '@runyard/store'
import { bearerOf } from '../http/authenticate.ts'
import { isAssignable, isLeaving } from './assignable.ts'
import { createWorkerState, rememberStopOrder, type WorkerState } from './worker-session.ts'

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

type WorkerReads = Pick<Store, 'workers' | 'jobs' | 'workerToken'>
type States = Map<string, WorkerState>

export function createWorkerRegistry({ store, log }: { store: WorkerReads; log: Logger }): WorkerRegistry {
  const states: States = new Map()
  const sweeper = setInterval(() => {
    forgetUnseen(states)
  }, SWEEP_EVERY_MS).unref()

  function releaseWhenFree(state: WorkerState): void {
    if (!isLeaving(state.record)) return
    setTimeout(() => {
      releaseIfFree(store, state).catch((error: unknown) => {
        log.warn({ err: error, workerId: state.workerId }, 'could not see whether a leaving worker holds jobs')
      })
    }, RELEASE_AFTER_MS).unref()
  }

  async function refresh(who: WorkerAddress): Promise<void> {
    const state = states.get(keyOf(who))
    if (state === undefined) return
    const couldTake = isAssignable(state.record)
    const reading = readRecord(store, state)
    state.refreshing = reading.catch(() => {})
    await reading
    if (state.record === undefined) states.delete(keyOf(who))
    // Its next poll, which comes at once, looks into the queue.
    if (!couldTake && isAssignable(state.record)) state.takes.releaseAll()
    releaseWhenFree(state)
  }

  return {
    enter: createEnter(store, states),
    find: (workerId) => [...states.values()].find((state) => state.workerId === workerId),
    refresh,
    releaseWhenFree,
    async refreshAll() {
      await Promise.all([...states.values()].map((state) => refresh(state)))
    },
    orderStop(who, jobId) {
      const state = states.get(keyOf(who))
      if (state === undefined || state.finished.has(jobId)) return
      rememberStopOrder(state, jobId)
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

/** A worker's first requests come within milliseconds of each other: they share one look-up. */
function createEnter(store: WorkerReads, states: States): WorkerRegistry['enter'] {
  const opening = new Map<string, Promise<WorkerState>>()

  async function open(who: WorkerAddress, token: string): Promise<WorkerState> {
    const state = createWorkerState({ ...who, token })
    state.record = await store.workers.get(who.endpointId, who.workerId)
    states.set(keyOf(who), state)
    return state
  }

  return async (who, authorization) => {
    const key = keyOf(who)
    const token = states.get(key)?.token ?? (await store.workerToken(who.endpointId, who.workerId))
    checkToken(token, authorization)
    const known = states.get(key)
    if (known !== undefined) {
      known.seenAt = Date.now()
      known.record ??= await store.workers.get(who.endpointId, who.workerId)
      return known
    }
    const promise = opening.get(key) ?? open(who, token)
    opening.set(key, promise)
    return promise.finally(() => opening.delete(key))
  }
}

async function readRecord(store: WorkerReads, state: WorkerState): Promise<void> {
  state.record = await store.workers.get(state.endpointId, state.workerId)
  if (!isLeaving(state.record)) state.isReleased = false
}

function forgetUnseen(states: States): void {
  const limit = Date.now() - FORGET_UNSEEN_MS
  for (const [key, state] of states) if (state.seenAt < limit && state.takes.size === 0) states.delete(key)
}

async function releaseIfFree(store: WorkerReads, state: WorkerState): Promise<void> {
  if (!isLeaving(state.record)) return
  const leases = await store.jobs.leases(state.endpointId)
  if (leases.some(({ workerId }) => workerId === state.workerId)) return
  state.isReleased = true
  state.takes.releaseAll()
  state.stops.releaseAll()
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
