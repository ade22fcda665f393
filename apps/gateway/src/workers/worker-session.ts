// The conversation of one worker with this gateway process: its record as last read, its held polls, the jobs and stop orders that it got here, and
// what its pings have shown. All of it is a cache or in flight, since the worker's requests may reach any gateway: nothing here may be the only place
// that knows something. Other files change a session through its methods only.
import { isLeaving, judgeMissed, mayTakeJobs, strayStep, type StrayStep } from '@runyard/core'
import type { WorkerRecord } from '@runyard/schema'
import type { Lease, TakenJob } from '@runyard/store'
import { createHeldRequests, type Hold, type HoldOptions } from './held-requests.ts'

/** What this gateway knows of a job that it handed out; it spares a read when the result comes here, too. */
export type HandedJob = Pick<TakenJob, 'submittedAt' | 'startedAt' | 'attempt'> & {
  readonly keyId: string
  readonly traceparent?: string | undefined
}

/** At least, of each kind: far more jobs than a worker works on at a time. */
const REMEMBERED = 128
/** Below the 25 s that suit every SDK (worker-api §4.3.2). */
const HOLD_MS = 20_000
/** Of a worker that is leaving and may hold jobs. */
const HOLD_LEAVING_MS = 2000
/** Of a worker that only has to end. An answer at once would make it ask thousands of times a second (worker-api §4.2). */
const HOLD_RELEASED_MS = 250

export interface WorkerAddress {
  readonly endpointId: string
  readonly workerId: string
}

export class WorkerSession {
  readonly endpointId: string
  readonly workerId: string
  readonly token: string
  /** Of its SDK, once a request has named it. */
  sdkVersion: string | undefined
  /** It has polled with its own token. */
  hasPolled = false
  /** Its first function is known to have begun. */
  hasEntered = false
  seenAt = Date.now()
  /** Open here. */
  tunnels = 0
  #record: WorkerRecord | undefined
  /** Pending while the record is being read again. */
  #reading: Promise<unknown> | undefined
  /** It is leaving and held no job when its polls were last answered. */
  #isReleased = false
  #welcome: Promise<void> | undefined
  readonly #takes = createHeldRequests()
  readonly #stopPolls = createHeldRequests()
  /** Jobs that it got here; the latest ones. */
  readonly #handed = new Map<string, HandedJob>()
  /** Jobs to be stopped that it has not been sent yet. */
  readonly #stopOrders = new Set<string>()
  /** The latest jobs that ended or whose stop order it got, so that none is ordered twice (worker-api §9). */
  readonly #finished = new Set<string>()
  /** Consecutive pings without a job that the worker holds, by job. */
  #missedPings: ReadonlyMap<string, number> = new Map()
  /** Consecutive pings with a job that the worker does not hold, by job. */
  readonly #strayPings = new Map<string, number>()

  constructor({ endpointId, workerId, token }: WorkerAddress & { readonly token: string }) {
    this.endpointId = endpointId
    this.workerId = workerId
    this.token = token
  }

  get record(): WorkerRecord | undefined {
    return this.#record
  }

  /** Notes what is on record now, or will be once a write of this process has been made. */
  learn(record: WorkerRecord | undefined): void {
    this.#record = record
    if (!isLeaving(record)) this.#isReleased = false
  }

  async refresh(read: () => Promise<WorkerRecord | undefined>): Promise<void> {
    const reading = read().then((record) => this.learn(record))
    this.#reading = reading.catch(() => undefined)
    await reading
  }

  /** Resolves once a read that is under way has been made. */
  async settled(): Promise<void> {
    await this.#reading
  }

  get mayTakeJobs(): boolean {
    return mayTakeJobs(this.#record)
  }

  get isLeaving(): boolean {
    return isLeaving(this.#record)
  }

  /** Runs `write` with the record once, until it is known that the worker is ready. A failed write is reported and made again at the next contact. */
  welcomeOnce(write: (record: WorkerRecord) => Promise<void>, onError: (error: unknown) => void): void {
    const record = this.#record
    if (record === undefined || record.readyAt !== undefined || this.#welcome !== undefined) return
    this.#welcome = write(record).catch((error: unknown) => {
      this.#welcome = undefined
      onError(error)
    })
  }

  /** How long a poll without an answer is held. Polls of a leaving worker must not delay its exit: an SDK ends once they are answered. */
  get #holdMs(): number {
    if (!this.isLeaving) return HOLD_MS
    return this.#isReleased ? HOLD_RELEASED_MS : HOLD_LEAVING_MS
  }

  get heldTakes(): number {
    return this.#takes.size
  }

  holdTake(options: Omit<HoldOptions, 'holdMs'>): Hold {
    return this.#takes.hold({ ...options, holdMs: this.#holdMs })
  }

  /** Resolves at once where there are stop orders. */
  async holdStopPoll(signal: AbortSignal): Promise<void> {
    if (this.#stopOrders.size > 0) return
    await new Promise<void>((resolve) => {
      this.#stopPolls.hold({ holdMs: this.#holdMs, signal, onEnd: resolve })
    })
  }

  answerTakes(): void {
    this.#takes.releaseAll()
  }

  answerPolls(): void {
    this.#takes.releaseAll()
    this.#stopPolls.releaseAll()
  }

  /** It is leaving and holds no job: its polls are answered, and later ones soon. */
  release(): void {
    this.#isReleased = true
    this.answerPolls()
  }

  /** The worker gets this job here, perhaps again: orders about its earlier attempts are void. */
  handOut(jobId: string, job: HandedJob): void {
    this.#finished.delete(jobId)
    this.#stopOrders.delete(jobId)
    this.#handed.set(jobId, job)
    forgetOldest(this.#handed)
  }

  /** The job did not reach the worker. */
  undoHandOut(jobId: string): void {
    this.#handed.delete(jobId)
  }

  /** It got the job here, and nothing is known that ended it. */
  isWorkingOn(jobId: string): boolean {
    return this.#handed.has(jobId) && !this.#stopOrders.has(jobId)
  }

  /** The worker needs to get nothing more about this job. Returns what is known of it if it was handed out here. */
  finish(jobId: string): HandedJob | undefined {
    const job = this.#handed.get(jobId)
    this.#handed.delete(jobId)
    this.#stopOrders.delete(jobId)
    this.#finished.add(jobId)
    forgetOldest(this.#finished)
    return job
  }

  /** Orders a job to be stopped, once. */
  orderStop(jobId: string): void {
    if (this.#finished.has(jobId)) return
    this.#stopOrders.add(jobId)
    forgetOldest(this.#stopOrders)
    this.#stopPolls.releaseAll()
  }

  get stopOrders(): readonly string[] {
    return [...this.#stopOrders]
  }

  /** `orders` have been looked at: those in `toStop` go to the worker, the others are void. */
  concludeStops(orders: readonly string[], toStop: readonly string[]): void {
    for (const jobId of orders) this.#stopOrders.delete(jobId)
    for (const jobId of toStop) this.finish(jobId)
  }

  /** Counts a ping; returns the jobs that the worker has lost. `held`: its jobs according to the store. */
  countMissed(held: readonly Lease[], named: ReadonlySet<string>): readonly Lease[] {
    const { counts, lost } = judgeMissed({ held, named }, this.#missedPings, Date.now())
    this.#missedPings = counts
    return lost
  }

  /** Jobs that the worker named before and names no more are counted from zero again. */
  keepStrays(notHeld: readonly string[]): void {
    for (const jobId of this.#strayPings.keys()) if (!notHeld.includes(jobId)) this.#strayPings.delete(jobId)
  }

  /** What is to be done about a job that the worker names and does not hold; `countStray` makes the step count. */
  nextStrayStep(jobId: string): StrayStep {
    return strayStep((this.#strayPings.get(jobId) ?? 0) + 1)
  }

  countStray(jobId: string): void {
    const step = this.nextStrayStep(jobId)
    this.#strayPings.set(jobId, (this.#strayPings.get(jobId) ?? 0) + 1)
    // Named again, the worker did not get the order: one for a job that waits inside the worker is lost there (worker-api §9).
    if (step === 'stop_again') this.#finished.delete(jobId)
    this.orderStop(jobId)
  }
}

function forgetOldest(memory: Set<string> | Map<string, unknown>): void {
  if (memory.size < 2 * REMEMBERED) return
  // Many at once: each first look at a map walks past all that was deleted at its front.
  for (const oldest of memory.keys()) {
    if (memory.size <= REMEMBERED) return
    memory.delete(oldest)
  }
}
