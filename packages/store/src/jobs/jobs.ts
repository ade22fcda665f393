// The job store: all operations on jobs, composed of its parts. Each operation is one round trip to Redis.
import type { JobOutcome, JobRecord, JobStatus, JobSubmission, JsonText } from '@runyard/schema'
import type { BlobSweeps } from '../blobs/blob-types.ts'
import type { StoreContext } from '../context.ts'
import { createJobList } from './list.ts'
import { createJobReads } from './read.ts'
import type { CountedKey } from './queue-limits.ts'
import { createJobEnds } from './settle.ts'
import { createJobStreams } from '../streams/streams.ts'
import { createJobSubmits } from './submit.ts'
import { createBlobSweeps, createJobValues } from '../blobs/sweep-blobs.ts'
import { createJobSweeps } from './sweep.ts'
import { createJobTakes } from './take.ts'

export type { CountedKey } from './queue-limits.ts'

/** A job handed to a worker. The lock token is the worker's id: a worker that loses a lease is retired and never takes again. */
export interface TakenJob {
  readonly id: string
  readonly submission: JobSubmission
  readonly submittedAt: number
  readonly startedAt: number
  /** 1 for the first dispatch. */
  readonly attempt: number
}

/** A leased job as the sweeps see it. */
export interface Lease {
  readonly jobId: string
  readonly endpointId: string
  /** undefined: the lease has expired and no worker holds the job. */
  readonly workerId: string | undefined
  /** Whose it is, or was until it expired. */
  readonly lastHolder: string | undefined
  /** When it runs out unless it is renewed, epoch ms. */
  readonly expiresAt: number | undefined
  readonly submittedAt: number
  readonly startedAt: number
  readonly attempt: number
  readonly executionTimeoutMs: number | undefined
}

/** A job, and the worker that says it holds it. */
export interface HeldJob {
  readonly endpointId: string
  readonly jobId: string
  readonly workerId: string
}

/** What a write by a worker came to. `settled`: it was the first. The others changed nothing. */
export type SettleResult = 'settled' | 'already_settled' | 'not_holder'
/** `too_much`: beyond `streamBytes`. `no_room`: beyond `unreadBytes`, and beyond this job's share of them. */
export type ChunkResult = SettleResult | 'too_much' | 'no_room'

export interface QueueStats {
  readonly waiting: number
  /** Waiting without `lowPriority` jobs. */
  readonly waitingNormal: number
  readonly inProgress: number
  /** Epoch ms of the oldest waiting job's submission. */
  readonly oldestWaitingAt: number | undefined
  /** When the ttl of a live job is over, the earliest of them. */
  readonly nextDeadlineAt: number | undefined
  readonly completed: number
  readonly failed: number
  readonly cancelled: number
  /** Their ttl ended their life. */
  readonly timedOut: number
  readonly retried: number
  /** Ended jobs: those whose result is kept, the latest of those whose result is gone, and purged ones whose end is not written yet. */
  readonly ended: number
  /** What the kept results weigh, with their unread chunks. */
  readonly keptBytes: number
  /** Jobs that `takeExpired` would take. */
  readonly expiredUntaken: number
  /** Webhooks that made room for newer ones and were never delivered. */
  readonly webhooksDropped: number
}

/** A job as `/requests` lists it: without what it carries. `ahead`: how many of its queue are taken before it; absent where that is not known. */
export type JobSummary = Omit<JobRecord, 'output' | 'error' | 'timings'> & { readonly ahead?: number | undefined }

/** What became of a job that is not there any more. */
export interface GoneJob {
  /** Its last status. */
  readonly status: JobStatus
  readonly endedAt: number
  readonly goneAt: number
  /** Its retention was over, it made room for newer results, or its TTL ended its life. */
  readonly why: 'expired' | 'room' | 'ttl'
}

export interface StreamRead {
  readonly record: JobRecord
  /** In order; one snapshot with `record`. */
  readonly chunks: readonly JsonText[]
  /** True while more chunks remain than were returned: then a terminal status must not be reported (client-api R6). */
  readonly more: boolean
}

/** What one answer of `/stream` may deliver. `more` is also true while other chunks are claimed by another answer. */
export interface StreamClaim extends StreamRead {
  /** To be concluded; undefined where there is nothing to deliver. */
  readonly claim: string | undefined
  /** Ms until another answer's claim on the next chunks is void; 0 where there is none. */
  readonly heldBackMs: number
}

/** Its blob sweeps are those of jobs' values, of any endpoint. */
export interface JobStore extends BlobSweeps {
  /** Accepts a job; resolves when Redis has it. Emits `job-added`. @throws RunyardError('too_many_requests') where the queue has no room (ADR 42), or the counted key has none in it (ADR 60) */
  submit(endpointId: string, submission: JobSubmission, counted?: CountedKey): Promise<void>
  /**
   * Accepts a job at most once per key: within the window, the same key and fingerprint name the job that was accepted first, and the same
   * key with another fingerprint `differs`. `key` and `fingerprint` are hashes. @throws as `submit`; a job that was accepted first is named nevertheless
   */
  submitOnce(
    endpointId: string,
    submission: JobSubmission,
    once: { key: string; fingerprint: string; windowMs: number; counted?: CountedKey | undefined },
  ): Promise<{ kind: 'accepted' } | { kind: 'repeated'; jobId: string } | { kind: 'differs' }>
  /**
   * Next job for a worker; never waits. Sets the lease. undefined: none waits. null: some wait, but none that this worker may have beside what it
   * holds (ADR 34); `job-added` says when to ask again. A job past its deadline is ended and never handed out.
   */
  take(endpointId: string, workerId: string): Promise<TakenJob | undefined | null>
  /** Hands a just-taken job back (its poll's socket had gone). */
  giveBack(endpointId: string, jobId: string, workerId: string): Promise<void>
  /**
   * Renews the leases of jobs that the worker showed a sign of, also one that has run out while the job was not taken back; ids that it
   * does not hold are returned.
   */
  renew(endpointId: string, workerId: string, jobIds: readonly string[]): Promise<readonly string[]>
  /**
   * A worker's ping in one step: it was seen now, the jobs that it names are renewed as by `renew`, and where they are asked for, all leases of
   * its endpoint come back. An unknown worker stays unknown.
   */
  heartbeat(
    endpointId: string,
    workerId: string,
    ping: { readonly jobIds: readonly string[]; readonly withLeases: boolean },
  ): Promise<{ readonly notHeld: readonly string[]; readonly leases: readonly Lease[] | undefined }>
  progress(report: HeldJob & { readonly output: JsonText }): Promise<SettleResult>
  /** `post`, at most 36 letters, names one post of a worker: sent again, since its answer was lost, it changes nothing more. */
  appendChunk(streamed: HeldJob & { readonly chunk: JsonText; readonly post?: string | undefined }): Promise<ChunkResult>
  /** Whether the job is leased to the worker, also where the lease has run out and the job was not taken back. */
  holds(endpointId: string, jobId: string, workerId: string): Promise<boolean>
  /** The worker's result. First writer wins; fenced by the lease. `sent` runs in the turn in which this is sent (`RunHooks`). */
  settle(result: HeldJob & { readonly outcome: JobOutcome }, sent?: () => void): Promise<SettleResult>
  /** Ends a job without its worker: cancel, timeout, lost budget. Returns the worker that held it, which is then ordered to stop. */
  forceSettle(
    endpointId: string,
    jobId: string,
    outcome: JobOutcome,
  ): Promise<{ result: SettleResult | 'unknown'; heldBy?: string; record?: JobRecord }>
  /**
   * Takes a job back from a lost worker: queued again at the front, or, past `budget`, FAILED with `evidence`. Fenced on `workerId`
   * (undefined: the lease must be expired). The only way back into the queue besides `giveBack`. `withAll`: the worker lost all that it held; where that
   * was more than this job, each of them runs alone from then on (ADR 34). `withoutCost`: it was lost by the fault of its host, and the attempt is not
   * counted, up to three times.
   */
  takeBack(
    lease: Pick<Lease, 'endpointId' | 'jobId' | 'workerId'>,
    options: { budget: number; evidence: string; withAll?: boolean; withoutCost?: boolean },
  ): Promise<'requeued' | 'failed' | 'moot'>
  /**
   * A new life for a FAILED or TIMED_OUT job under its id: same submission, nothing else of the old one. Otherwise its status, which forbids
   * it. A worker that held it before is replaced before it may have it again, since its late result could not be distinguished from a new one. It counts for the key that
   * asks for it. @throws as `submit`
   */
  retry(endpointId: string, jobId: string, counted?: CountedKey): Promise<'retried' | 'unknown' | 'gone' | JobStatus>
  /** Cancels every job that waits now. How many. Takes as long for many as for one: only `endPurged` writes their ends. Emits `queue-purged`. */
  purge(endpointId: string): Promise<number>
  /**
   * Writes the ends of purged jobs, in steps of some milliseconds, until all have one; what asks for such a job before finds it ended. `onEnded` gets
   * each purged job once, whichever process ends them.
   */
  endPurged(endpointId: string, onEnded?: (jobs: readonly JobRecord[]) => Promise<void> | void, signal?: AbortSignal): Promise<void>
  get(endpointId: string, jobId: string): Promise<JobRecord | undefined>
  /** Waiting, running, ended jobs, each newest first; `total` counts all of them. `isLive`: without those that ended. */
  list(
    endpointId: string,
    page: { offset: number; limit: number; isLive?: boolean },
  ): Promise<{ total: number; jobs: readonly JobSummary[] }>
  /** As in `list`, of one job. Takes longer in a longer queue. */
  ahead(endpointId: string, jobId: string): Promise<number | undefined>
  /** For a job that `get` does not find: what became of it, as long as that is remembered. */
  whyGone(endpointId: string, jobId: string): Promise<GoneJob | undefined>
  /** What was submitted. Of ended jobs it is kept where a retry may ask for it: FAILED and TIMED_OUT. */
  submission(endpointId: string, jobId: string): Promise<JobSubmission | undefined>
  /** Of the API key that submitted it, as long as what it submitted is kept. */
  keyIdOf(endpointId: string, jobId: string): Promise<string | undefined>
  /**
   * Claims up to `limit` chunks for one answer, which then is concluded; none while the claim of another answer stands. A claim that no answer
   * concludes is void after `claimMs`, and its chunks are handed out again.
   */
  claimChunks(endpointId: string, jobId: string, limit: number): Promise<StreamClaim | undefined>
  /**
   * The first `delivered` chunks of a claim are deleted, so each is handed out once (client-api R5); the others are next again. False
   * where the claim had become another answer's, which delivers its chunks once more, or where its chunks are gone. Idempotent.
   */
  concludeClaim(endpointId: string, jobId: string, conclusion: { claim: string; delivered: number }): Promise<boolean>
  /** The chunks from an index on; they stay, so that a read whose answer was lost can be repeated. For a reader that has the job to itself. */
  readChunks(endpointId: string, jobId: string, page: { from: number; limit: number }): Promise<StreamRead | undefined>
  /** Remaining life of a settled record in ms (client-api §5.3 `ttl`). */
  setRetention(endpointId: string, jobId: string, ttlMs: number): Promise<void>
  /** All leased jobs of an endpoint. */
  leases(endpointId: string): Promise<readonly Lease[]>
  stats(endpointId: string): Promise<QueueStats>
  /** Removes jobs whose TTL elapsed; returns their ids. `onMany` is awaited in between, before the list for `takeExpired` is full. */
  sweepExpired(endpointId: string, now: number, onMany?: () => Promise<void>): Promise<readonly string[]>
  /** Jobs that have ended by their ttl, whatever call noticed it, and that were not taken from this list before. Of `unlisted` only the number is known. */
  takeExpired(endpointId: string): Promise<{ readonly jobs: readonly JobRecord[]; readonly unlisted: number }>
  /**
   * Brings the register of ended jobs up to date: results that expired by themselves, entries that are old, and the oldest results beyond
   * `keepBytes`.
   */
  sweepRegister(endpointId: string, now: number, keepBytes?: number): Promise<void>
}

export function createJobStore(context: StoreContext): JobStore {
  const ends = createJobEnds(context)
  return {
    ...createJobSubmits(context),
    ...createJobTakes(context, ends),
    ...ends,
    ...createJobReads(context),
    ...createJobStreams(context),
    ...createJobList(context),
    ...createJobSweeps(context),
    ...createBlobSweeps(context, createJobValues(context)),
  }
}
