// The take queue: the waiting polls of one endpoint in one gateway. It is in one of three modes:
//   unread: the queue in Redis may have jobs. A poll that arrives reads it.
//   reading: up to PARALLEL_READS polls read at the same time. A wake-up that arrives meanwhile is pending: it causes exactly one more read.
//   empty: the last read found nothing and no signal came since. A poll is parked without touching Redis, until a signal; there is no periodic
//   re-check (ADR 24).
// Invariants: a wake-up during a read is never lost, a worker gets at most as many jobs as it asked for, and a job taken for a request that has gone
// meanwhile returns to the front of the queue.
import type { TakenJob } from '@runyard/store'
import type { Hold } from './held-requests.ts'
import type { WorkerSession } from './worker-session.ts'

/** Per endpoint: reads share one connection, so more of them gain nothing. */
const PARALLEL_READS = 8

export interface TakeRequest {
  readonly session: WorkerSession
  /** Most jobs that the worker asked for. */
  readonly max: number
  /** Aborts when the request cannot be answered any more. */
  readonly signal: AbortSignal
}

export interface TakeQueueDeps {
  /** The next job of this endpoint, leased to the worker. null: jobs wait, but none that this worker may have now (ADR 34). */
  readonly takeJob: (session: WorkerSession) => Promise<TakenJob | undefined | null>
  readonly giveBack: (session: WorkerSession, jobs: readonly TakenJob[]) => Promise<void>
  /** Marks a worker whose endpoint has a newer version. */
  readonly checkVersion: (session: WorkerSession) => Promise<void>
}

interface Parked {
  readonly request: TakeRequest
  readonly resolve: (jobs: readonly TakenJob[]) => void
  readonly reject: (error: unknown) => void
  hold: Hold | undefined
  reading: boolean
  /** The number of wake-ups at the time when it was refused the jobs that wait: it reads again after a later one only. */
  refusedAt: number | undefined
}

/** What a read found. `isRefused`: jobs wait, but this worker may not have them now. */
interface Read {
  readonly jobs: readonly TakenJob[]
  readonly isRefused: boolean
}

const NOTHING: Read = { jobs: [], isRefused: false }

/** A class, since it is identity plus mutable state with invariants. Used by the dispatcher only. */
export class TakeQueue {
  readonly #deps: TakeQueueDeps
  /** The latest is served first, so that idle workers stay idle and can be retired. */
  readonly #parked: Parked[] = []
  #wakes = 0
  /** Wake-ups that no read has served yet. */
  #pending = 0
  #reads = 0
  /** A read found nothing, and no signal came since. */
  #isEmpty = false

  constructor(deps: TakeQueueDeps) {
    this.#deps = deps
  }

  get parkedCount(): number {
    return this.#parked.length
  }

  async take(request: TakeRequest): Promise<readonly TakenJob[]> {
    let refusedAt: number | undefined
    try {
      while (!this.#isEmpty) {
        await this.#deps.checkVersion(request.session)
        if (!request.session.mayTakeJobs || request.signal.aborted) break
        const seen = this.#wakes
        const { jobs, isRefused } = await this.#takeFor(request)
        if (jobs.length > 0) return jobs
        if (isRefused) refusedAt = seen
        if (isRefused || this.#pending === 0) break
        this.#pending -= 1
      }
    } finally {
      // A wake-up that came meanwhile is for another poll.
      this.#servePending()
    }
    return this.#park(request, refusedAt)
  }

  /** For a request that is answered now in any case; costs nothing if the queue was seen empty. */
  async takeNow(request: TakeRequest): Promise<readonly TakenJob[]> {
    if (this.#isEmpty) return []
    await this.#deps.checkVersion(request.session)
    if (!request.session.mayTakeJobs || request.signal.aborted) return []
    try {
      return (await this.#takeFor(request)).jobs
    } finally {
      this.#servePending()
    }
  }

  wake(): void {
    this.#wakes += 1
    this.#isEmpty = false
    // Without a parked poll and a read under way, the next poll reads anyway.
    if (this.#parked.length === 0 && this.#reads === 0) return
    this.#pending += 1
    this.#servePending()
  }

  release(): void {
    for (const { hold } of this.#parked.slice()) hold?.end()
  }

  #servePending(): void {
    while (this.#pending > 0 && this.#reads < PARALLEL_READS) {
      const index = this.#parked.findLastIndex((parked) => this.#mayRead(parked))
      const [parked] = index === -1 ? [] : this.#parked.splice(index, 1)
      if (parked === undefined) return
      this.#pending -= 1
      void this.#serve(parked)
    }
  }

  async #serve(parked: Parked): Promise<void> {
    parked.reading = true
    const seen = this.#wakes
    try {
      const { jobs, isRefused } = await this.#takeForCurrent(parked.request)
      parked.reading = false
      // The wake-up goes to another worker then.
      if (isRefused) {
        parked.refusedAt = seen
        this.#pending += 1
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
    this.#servePending()
  }

  /** An outdated worker does not consume the wake-up; it goes to the next parked poll. */
  async #takeForCurrent(request: TakeRequest): Promise<Read> {
    await this.#deps.checkVersion(request.session)
    if (request.session.mayTakeJobs) return this.#takeFor(request)
    this.#pending += 1
    return NOTHING
  }

  async #takeFor(request: TakeRequest): Promise<Read> {
    const read = await this.#read(request)
    // A worker that has just lost a job must not get it again: the signal of its retirement came before the signal of the job.
    if (read.jobs.length > 0) await request.session.settled()
    if (read.jobs.length === 0 || (!request.signal.aborted && request.session.mayTakeJobs)) return read
    await this.#deps.giveBack(request.session, read.jobs)
    return NOTHING
  }

  #mayRead(parked: Parked): boolean {
    return isReady(parked) && (parked.refusedAt === undefined || parked.refusedAt < this.#wakes)
  }

  /** One read of the queue. It stops before the next job while polls of other workers wait. */
  async #read({ session, max }: TakeRequest): Promise<Read> {
    const jobs: TakenJob[] = []
    let next: TakenJob | undefined | null
    const seen = this.#wakes
    this.#reads += 1
    try {
      do {
        next = await this.#deps.takeJob(session)
        if (next) jobs.push(next)
      } while (next && jobs.length < max && !this.#parked.some((parked) => this.#mayRead(parked)))
    } catch (error) {
      // The jobs that were taken before the error are handed out all the same.
      if (jobs.length === 0) throw error
    } finally {
      this.#reads -= 1
    }
    if (jobs.length === 0 && next === undefined) this.#noteEmpty(seen)
    return { jobs, isRefused: jobs.length === 0 && next === null }
  }

  /** Wake-ups from before the read that found nothing are served. */
  #noteEmpty(seen: number): void {
    this.#pending = Math.min(this.#pending, this.#wakes - seen)
    if (this.#wakes === seen) this.#isEmpty = true
  }

  #park(request: TakeRequest, refusedAt: number | undefined): Promise<readonly TakenJob[]> {
    const { promise, resolve, reject } = Promise.withResolvers<readonly TakenJob[]>()
    const parked: Parked = { request, resolve, reject, hold: undefined, reading: false, refusedAt }
    this.#parked.push(parked)
    parked.hold = request.session.holdTake({
      signal: request.signal,
      onEnd: () => {
        if (parked.reading) return
        const index = this.#parked.indexOf(parked)
        if (index !== -1) this.#parked.splice(index, 1)
        resolve([])
      },
    })
    return promise
  }
}

function isReady({ request, hold }: Parked): boolean {
  return hold?.ended !== true && request.session.mayTakeJobs
}
