// Hands waiting jobs to waiting workers. A take looks into the queue once; where there is nothing, its request is parked until a job-added
// signal, at no cost in Redis. Invariants: a wake during a look is never lost (it is owed one look), a worker gets at most what it asked
// for, and a job taken for a request that has meanwhile gone goes back to the front of the queue.
import { RunyardError } from '@runyard/schema'
import type { Logger } from '@runyard/kit'
import type { Store, TakenJob } from '@runyard/store'
import { isAssignable, isLeaving } from './assignable.ts'
import type { Hold } from './polls.ts'
import type { WorkerState } from './state.ts'

/** Below the 25 s that suit every SDK (worker-api §4.3.2); later polls of a leaving worker must not delay its exit (§11.3). */
const HOLD_MS = 20_000
const HOLD_LEAVING_MS = 2000
/** Looks in flight per endpoint: they share one connection, so more of them gain nothing. */
const PARALLEL_LOOKS = 8

export interface TakeRequest {
  readonly state: WorkerState
  /** Most jobs that the worker asked for. */
  readonly max: number
  readonly signal: AbortSignal
}

export interface Dispatcher extends Disposable {
  /** Resolves with jobs, or with none after the hold. @throws RunyardError('store_unavailable') */
  take(request: TakeRequest): Promise<readonly TakenJob[]>
  /** Undelivered jobs. */
  giveBack(state: WorkerState, jobs: readonly TakenJob[]): Promise<void>
  wake(endpointId: string): void
  wakeAll(): void
}

interface Parked {
  readonly request: TakeRequest
  readonly resolve: (jobs: readonly TakenJob[]) => void
  readonly reject: (error: unknown) => void
  hold: Hold | undefined
  looking: boolean
}

interface Lane {
  readonly endpointId: string
  /** The latest is served first: idle workers stay idle and can be retired. */
  readonly parked: Parked[]
  wakes: number
  /** Wakes that no look has answered yet. */
  owed: number
  looks: number
}

export interface DispatcherDeps {
  readonly store: Store
  readonly log: Logger
  readonly onHanded: (state: WorkerState, job: TakenJob) => void
}

export function createDispatcher(deps: DispatcherDeps): Dispatcher {
  const lanes = new Map<string, Lane>()
  let closed = false

  function laneOf(endpointId: string): Lane {
    const known = lanes.get(endpointId)
    if (known !== undefined) return known
    const lane: Lane = { endpointId, parked: [], wakes: 0, owed: 0, looks: 0 }
    lanes.set(endpointId, lane)
    return lane
  }

  async function giveBack(state: WorkerState, jobs: readonly TakenJob[]): Promise<void> {
    for (const job of jobs) {
      state.handed.delete(job.id)
      await deps.store.jobs.giveBack(state.endpointId, job.id, state.workerId)
      deps.log.warn({ endpoint: state.endpointId, job: job.id, worker: state.workerId }, 'a job went back: its poll had gone')
    }
  }

  /** One look into the queue. Taking more than one job stops where other workers wait for theirs. */
  async function look(lane: Lane, { state, max }: TakeRequest): Promise<readonly TakenJob[]> {
    const jobs: TakenJob[] = []
    const seen = lane.wakes
    lane.looks += 1
    try {
      while (jobs.length < max && (jobs.length === 0 || !lane.parked.some(isReady))) {
        const job = await deps.store.jobs.take(lane.endpointId, state.workerId)
        if (job === undefined) break
        deps.onHanded(state, job)
        jobs.push(job)
      }
    } finally {
      lane.looks -= 1
    }
    // Nothing there: wakes from before this look are answered.
    if (jobs.length === 0) lane.owed = Math.min(lane.owed, lane.wakes - seen)
    return jobs
  }

  async function deliverable(request: TakeRequest, jobs: readonly TakenJob[]): Promise<readonly TakenJob[]> {
    if (jobs.length === 0 || (!request.signal.aborted && isAssignable(request.state.record))) return jobs
    await giveBack(request.state, jobs)
    return []
  }

  async function serve(lane: Lane, parked: Parked): Promise<void> {
    parked.looking = true
    try {
      const jobs = await deliverable(parked.request, await look(lane, parked.request))
      parked.looking = false
      if (jobs.length > 0 || parked.hold?.ended === true) finish(parked, jobs)
      else lane.parked.push(parked)
    } catch (error) {
      parked.hold?.end()
      parked.reject(error)
    }
    serveOwed(lane)
  }

  function serveOwed(lane: Lane): void {
    while (lane.owed > 0 && lane.looks < PARALLEL_LOOKS) {
      const parked = popReady(lane.parked)
      if (parked === undefined) return
      lane.owed -= 1
      void serve(lane, parked)
    }
  }

  function park(lane: Lane, request: TakeRequest): Promise<readonly TakenJob[]> {
    return new Promise((resolve, reject) => {
      const parked: Parked = { request, resolve, reject, hold: undefined, looking: false }
      lane.parked.push(parked)
      parked.hold = request.state.takes.hold({
        holdMs: holdMsOf(request.state),
        signal: request.signal,
        onEnd: () => {
          if (parked.looking) return
          remove(lane.parked, parked)
          resolve([])
        },
      })
    })
  }

  async function take(request: TakeRequest): Promise<readonly TakenJob[]> {
    const lane = laneOf(request.state.endpointId)
    while (!closed && isAssignable(request.state.record) && !request.signal.aborted) {
      const jobs = await deliverable(request, await look(lane, request))
      if (jobs.length > 0) return jobs
      if (lane.owed === 0) break
      lane.owed -= 1
    }
    return closed || request.signal.aborted ? [] : park(lane, request)
  }

  function wake(endpointId: string): void {
    const lane = lanes.get(endpointId)
    if (lane === undefined) return
    lane.wakes += 1
    // With nobody waiting and nobody looking, whoever comes next looks anyway.
    if (lane.parked.length === 0 && lane.looks === 0) return
    lane.owed += 1
    serveOwed(lane)
  }

  return {
    take,
    giveBack,
    wake,
    wakeAll() {
      for (const lane of lanes.values()) for (let count = lane.parked.length; count >= 0; count -= 1) wake(lane.endpointId)
    },
    [Symbol.dispose]() {
      closed = true
      for (const lane of lanes.values()) for (const { hold } of [...lane.parked]) hold?.end()
    },
  }
}

function holdMsOf({ record }: WorkerState): number {
  return isLeaving(record) ? HOLD_LEAVING_MS : HOLD_MS
}

function finish(parked: Parked, jobs: readonly TakenJob[]): void {
  parked.resolve(jobs)
  parked.hold?.end()
}

function isReady({ request, hold }: Parked): boolean {
  return hold?.ended !== true && isAssignable(request.state.record)
}

function popReady(parked: Parked[]): Parked | undefined {
  const index = parked.findLastIndex(isReady)
  return index === -1 ? undefined : parked.splice(index, 1)[0]
}

function remove(parked: Parked[], one: Parked): void {
  const index = parked.indexOf(one)
  if (index !== -1) parked.splice(index, 1)
}

/** Redis is away or refuses writes: a condition that passes. */
export function isStoreAway(error: unknown): boolean {
  return error instanceof RunyardError && error.code === 'store_unavailable'
}
