// One endpoint's waiting workers. A take looks into the queue once; where there is nothing, its request is parked, and so are those that come
// after it, at no cost in Redis, until a signal: no time makes anybody look again (ADR 24). Invariants: a wake during a look is never lost (it is
// owed one look), a worker gets at most what it asked for, and a job taken for a request that has meanwhile gone goes back to the front of the queue.
import type { TakenJob } from '@runyard/store'
import { holdMsOf, isAssignable } from './assignable.ts'
import type { Hold } from './held-requests.ts'
import type { WorkerState } from './worker-session.ts'

/** Looks in flight per endpoint: they share one connection, so more of them gain nothing. */
const PARALLEL_LOOKS = 8

export interface TakeRequest {
  readonly state: WorkerState
  /** Most jobs that the worker asked for. */
  readonly max: number
  /** Aborts when nobody can be answered any more. */
  readonly signal: AbortSignal
}

export interface LaneDeps {
  /** The next job of this endpoint, leased to the worker. null: jobs wait, but none that this worker may have now (ADR 34). */
  readonly takeJob: (state: WorkerState) => Promise<TakenJob | undefined | null>
  readonly giveBack: (state: WorkerState, jobs: readonly TakenJob[]) => Promise<void>
  /** Marks a worker whose endpoint has a newer version. */
  readonly checkVersion: (state: WorkerState) => Promise<void>
}

interface Parked {
  readonly request: TakeRequest
  readonly resolve: (jobs: readonly TakenJob[]) => void
  readonly reject: (error: unknown) => void
  hold: Hold | undefined
  looking: boolean
  /** As many wakes had come when it was refused what waits: only a later one makes it look again. */
  refusedAt: number | undefined
}

/** What a look came to. `isRefused`: jobs wait, but this worker may not have them now. */
interface Look {
  readonly jobs: readonly TakenJob[]
  readonly isRefused: boolean
}

const NOTHING: Look = { jobs: [], isRefused: false }

/** Public for the dispatcher only: a queue of waiting requests is identity plus mutable state with invariants. */
export class Lane {
  readonly #deps: LaneDeps
  /** The latest is served first: idle workers stay idle and can be retired. */
  readonly #parked: Parked[] = []
  #wakes = 0
  /** Wakes that no look has answered yet. */
  #owed = 0
  #looks = 0
  /** Seen empty, and no signal since. */
  #isEmpty = false

  constructor(deps: LaneDeps) {
    this.#deps = deps
  }

  get parkedCount(): number {
    return this.#parked.length
  }

  async take(request: TakeRequest): Promise<readonly TakenJob[]> {
    let refusedAt: number | undefined
    try {
      while (!this.#isEmpty) {
        await this.#deps.checkVersion(request.state)
        if (!isAssignable(request.state.record) || request.signal.aborted) break
        const seen = this.#wakes
        const { jobs, isRefused } = await this.#takeFor(request)
        if (jobs.length > 0) return jobs
        if (isRefused) refusedAt = seen
        if (isRefused || this.#owed === 0) break
        this.#owed -= 1
      }
    } finally {
      // A wake that came meanwhile is somebody else's.
      this.#serveOwed()
    }
    return this.#park(request, refusedAt)
  }

  /** For a request that is answered now in any case; costs nothing where the queue was seen empty. */
  async takeNow(request: TakeRequest): Promise<readonly TakenJob[]> {
    if (this.#isEmpty) return []
    await this.#deps.checkVersion(request.state)
    if (!isAssignable(request.state.record) || request.signal.aborted) return []
    try {
      return (await this.#takeFor(request)).jobs
    } finally {
      this.#serveOwed()
    }
  }

  wake(): void {
    this.#wakes += 1
    this.#isEmpty = false
    // With nobody waiting and nobody looking, whoever comes next looks anyway.
    if (this.#parked.length === 0 && this.#looks === 0) return
    this.#owed += 1
    this.#serveOwed()
  }

  release(): void {
    for (const { hold } of this.#parked.slice()) hold?.end()
  }

  #serveOwed(): void {
    while (this.#owed > 0 && this.#looks < PARALLEL_LOOKS) {
      const index = this.#parked.findLastIndex((parked) => this.#mayLook(parked))
      const [parked] = index === -1 ? [] : this.#parked.splice(index, 1)
      if (parked === undefined) return
      this.#owed -= 1
      void this.#serve(parked)
    }
  }

  async #serve(parked: Parked): Promise<void> {
    parked.looking = true
    const seen = this.#wakes
    try {
      const { jobs, isRefused } = await this.#takeForCurrent(parked.request)
      parked.looking = false
      // The wake is for another worker then.
      if (isRefused) {
        parked.refusedAt = seen
        this.#owed += 1
      }
      if (jobs.length === 0 && parked.hold?.ended === false) {
        this.#parked.push(parked)
      } else {
        parked.resolve(jobs)
        parked.hold?.end()
      }
    } catch (error) {
      parked.reject(error)
      parked.hold?.end()
    }
    this.#serveOwed()
  }

  /** A worker that turns out to be of an older version answers no wake: another one is owed the look. */
  async #takeForCurrent(request: TakeRequest): Promise<Look> {
    await this.#deps.checkVersion(request.state)
    if (isAssignable(request.state.record)) return this.#takeFor(request)
    this.#owed += 1
    return NOTHING
  }

  async #takeFor(request: TakeRequest): Promise<Look> {
    const look = await this.#look(request)
    // A worker that just lost a job must not get it again: the signal of its retirement came before that of the job.
    if (look.jobs.length > 0) await request.state.refreshing
    if (look.jobs.length === 0 || (!request.signal.aborted && isAssignable(request.state.record))) return look
    await this.#deps.giveBack(request.state, look.jobs)
    return NOTHING
  }

  #mayLook(parked: Parked): boolean {
    return isReady(parked) && (parked.refusedAt === undefined || parked.refusedAt < this.#wakes)
  }

  /** One look into the queue. Taking more than one job stops where other workers wait for theirs. */
  async #look({ state, max }: TakeRequest): Promise<Look> {
    const jobs: TakenJob[] = []
    let next: TakenJob | undefined | null
    const seen = this.#wakes
    this.#looks += 1
    try {
      do {
        next = await this.#deps.takeJob(state)
        if (next) jobs.push(next)
      } while (next && jobs.length < max && !this.#parked.some((parked) => this.#mayLook(parked)))
    } catch (error) {
      // What was taken before must not be lost for what could not be.
      if (jobs.length === 0) throw error
    } finally {
      this.#looks -= 1
    }
    if (jobs.length === 0 && next === undefined) this.#noteEmpty(seen)
    return { jobs, isRefused: jobs.length === 0 && next === null }
  }

  /** Wakes from before the look that found nothing are answered. */
  #noteEmpty(seen: number): void {
    this.#owed = Math.min(this.#owed, this.#wakes - seen)
    if (this.#wakes === seen) this.#isEmpty = true
  }

  #park(request: TakeRequest, refusedAt: number | undefined): Promise<readonly TakenJob[]> {
    const { promise, resolve, reject } = Promise.withResolvers<readonly TakenJob[]>()
    const parked: Parked = { request, resolve, reject, hold: undefined, looking: false, refusedAt }
    this.#parked.push(parked)
    parked.hold = request.state.takes.hold({
      holdMs: holdMsOf(request.state),
      signal: request.signal,
      onEnd: () => {
        if (parked.looking) return
        const index = this.#parked.indexOf(parked)
        if (index !== -1) this.#parked.splice(index, 1)
        resolve([])
      },
    })
    return promise
  }
}

function isReady({ request, hold }: Parked): boolean {
  return hold?.ended !== true && isAssignable(request.state.record)
}
