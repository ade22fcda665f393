// Results, progress and stream chunks as workers post them. The SDK never repeats a refused result (worker-api §5.2), so every post is answered 200:
// duplicates, late and stale ones change nothing and are logged once with the reason. While Redis is away a post is held, not refused.
import { jobLine, unreadJob, whyIgnored, type EndCause, type EndedJob, type IgnoredReason } from '@runyard/core'
import type { JobOutcome, JobRecord, JobTimings, JsonText } from '@runyard/schema'
import type { GatewayDeps } from '../parts/deps.ts'
import { recordEnds } from '../parts/journal.ts'
import { retryWhileAway } from '../parts/store-outage.ts'
import { replaceWorker } from './ping.ts'
import type { WorkerResult } from './result-body.ts'
import type { HandedJob, WorkerSession } from './worker-session.ts'

export type ResultDeps = Pick<
  GatewayDeps,
  'store' | 'log' | 'events' | 'history' | 'metrics' | 'traces' | 'waiters' | 'config' | 'endpoints' | 'closing'
>

export interface Post {
  readonly session: WorkerSession
  readonly jobId: string
  /** A repeated post has the same name. */
  readonly name: string
  /** How long it may be held while Redis is away; default: as long as an SDK waits. */
  readonly holdMs: number | undefined
  /** Runs when the end of a job is sent to Redis that is expected to be its first; as `sent` of `jobs.settle`. */
  readonly onSent?: (() => void) | undefined
}

const NOT_JSON = 'the worker posted a part of its stream that is not JSON, or nested too deeply'

/** True if this result ended its job. */
export async function receiveResult(
  deps: ResultDeps,
  post: Post,
  { result, timings }: { result: WorkerResult; timings: JobTimings | undefined },
): Promise<boolean> {
  const { session, jobId } = post
  if (result.kind === 'progress') {
    await deps.store.jobs.progress({ endpointId: session.endpointId, jobId, workerId: session.workerId, output: result.output })
    return false
  }
  // Before the job ends: if this process stops in between, the worker is replaced all the same.
  if (result.stopPod) await retryWhileAway(() => replaceWorker(deps, session), deps.closing, post.holdMs)
  const outcome = { ...result.outcome, ...(timings === undefined ? {} : { timings }) }
  const hasEnded = await settle(deps, post, { outcome, cause: 'result' })
  if (result.stopPod) session.answerPolls()
  return hasEnded
}

/** A chunk is a sign of life: the store renews the lease with it. One that is not JSON (undefined) would leave a hole that readers cannot see. */
export async function receiveChunk(deps: ResultDeps, post: Post, chunk: JsonText | undefined): Promise<void> {
  if (chunk === undefined) return failStream(deps, post, { error: NOT_JSON, cause: 'result' })
  const { session, jobId, name, holdMs } = post
  const { endpointId, workerId } = session
  const append = () => deps.store.jobs.appendChunk({ endpointId, jobId, workerId, chunk, post: name })
  const result = await retryWhileAway(append, deps.closing, holdMs)
  // User code that streams without end would fill Redis, or the disk.
  if (result === 'too_much' || result === 'no_room') {
    await failStream(deps, post, { error: overBound(deps.config.limits, result), cause: 'stream_limit' })
  }
}

function overBound({ streamBytes, unreadBytes }: ResultDeps['config']['limits'], why: 'too_much' | 'no_room'): string {
  if (why === 'too_much') return `the job streamed more than ${streamBytes} bytes (limits.streamBytes)`
  return `more than ${unreadBytes} bytes of this endpoint's streams are unread (limits.unreadBytes), and this job has more than its share of them`
}

async function failStream(deps: ResultDeps, post: Post, { error, cause }: { error: string; cause: EndCause }): Promise<void> {
  const { endpointId, workerId } = post.session
  await settle(deps, post, { outcome: { status: 'FAILED', error }, cause })
  deps.store.publish({ kind: 'job-stop', endpointId, jobId: post.jobId, workerId })
}

/** What a worker posted, and when. */
interface PostedEnd extends Pick<Post, 'onSent'> {
  readonly session: WorkerSession
  readonly jobId: string
  readonly outcome: JobOutcome
  readonly at: number
  readonly cause: EndCause
}

/** The job that a result met, and why the result changed nothing there. */
interface IgnoredBy {
  readonly record: JobRecord | undefined
  readonly reason: IgnoredReason
}

async function settle(
  deps: ResultDeps,
  { session, jobId, holdMs, onSent }: Post,
  by: { readonly outcome: JobOutcome; readonly cause: EndCause },
): Promise<boolean> {
  const { endpointId, workerId } = session
  const isExpected = session.isWorkingOn(jobId)
  const job = session.finish(jobId)
  const end = { ...by, session, jobId, at: Date.now(), onSent: isExpected ? onSent : undefined }
  const ignored = await retryWhileAway((isRepeat) => settleOnce(deps, end, isRepeat), deps.closing, holdMs)
  if (ignored !== undefined) {
    await recordIgnored(deps, end, ignored)
    return false
  }
  await recordSettled(deps, { ...end, job })
  // Another gateway may hold its polls: each checks whether it can answer them.
  if (session.isLeaving) deps.store.publish({ kind: 'worker-changed', endpointId, workerId })
  return true
}

/** Undefined: this result ended the job, perhaps by an earlier try whose answer was lost. Else the job as another end left it. */
async function settleOnce({ store }: ResultDeps, end: PostedEnd, isRepeat: boolean): Promise<IgnoredBy | undefined> {
  const { session, jobId, outcome, at, onSent } = end
  const { endpointId, workerId } = session
  if ((await store.jobs.settle({ endpointId, jobId, workerId, outcome }, onSent)) === 'settled') return undefined
  const record = await store.jobs.get(endpointId, jobId)
  const reason = whyIgnored(record, { workerId, outcome })
  return isRepeat && reason === 'result_repeated' && (record?.settledAt ?? 0) >= at ? undefined : { record, reason }
}

type RecordDeps = Pick<GatewayDeps, 'store' | 'log' | 'events' | 'history' | 'metrics' | 'traces' | 'endpoints'>

/** `job`: undefined when another gateway, or this one before a restart, handed the job out. */
async function recordSettled(deps: RecordDeps, settled: PostedEnd & { readonly job: HandedJob | undefined }): Promise<void> {
  const job = await jobOf(deps, settled)
  const endpoint = await nameOf(deps, settled.session.endpointId)
  await recordEntered(deps, settled)
  const { outcome, session, cause } = settled
  const known = { traceparent: settled.job?.traceparent, timings: outcome.timings, worker: session.record }
  recordEnds(deps, endpoint, [{ cause, job, ...known }])
}

/** One line for a post that changes nothing. `outcome` is undefined if the post was not read. */
export async function recordIgnored(
  deps: RecordDeps,
  { session, jobId, outcome }: Pick<PostedEnd, 'session' | 'jobId'> & { readonly outcome: JobOutcome | undefined },
  { record, reason }: IgnoredBy,
): Promise<void> {
  const { endpointId, workerId } = session
  const endpoint = await nameOf(deps, endpointId)
  const job = record === undefined ? { endpointId, endpoint: endpoint.name, jobId } : jobLine(endpoint, record)
  const line = { ...job, reason, workerId, posted: outcome?.status, jobWorkerId: record?.workerId }
  deps.log.info(line, 'result ignored')
}

async function nameOf({ endpoints }: RecordDeps, id: string): Promise<{ id: string; name: string | undefined }> {
  return { id, name: (await endpoints.get(id).catch(() => undefined))?.name }
}

/** Known without a read if this gateway handed the job out. */
async function jobOf({ store }: RecordDeps, end: PostedEnd & { readonly job: HandedJob | undefined }): Promise<EndedJob> {
  const { session, jobId, job, at } = end
  const { status, error } = end.outcome
  const known = unreadJob({ id: jobId, status, workerId: session.workerId, error, at })
  if (job !== undefined) {
    const { submittedAt, startedAt, attempt, keyId } = job
    return { ...known, submittedAt, startedAt, retries: attempt - 1, keyId }
  }
  const read = await store.jobs.get(session.endpointId, jobId).catch(() => undefined)
  return read ?? known
}

/**
 * Our agent reports when the function was entered. If the job had waited for this worker's start and was the worker's first, that is the end of the cold
 * start; jobs behind it waited for the first one, too.
 */
async function recordEntered(
  { events, metrics, store }: RecordDeps,
  { session, jobId, job, outcome }: PostedEnd & { readonly job: HandedJob | undefined },
): Promise<void> {
  const { endpointId, workerId, record } = session
  const enteredAt = outcome.timings?.enteredAt
  if (enteredAt === undefined) return
  events.add({ at: enteredAt, endpointId, kind: 'job_started', jobId, workerId, message: 'function entered' })
  if (job === undefined || record?.readyAt === undefined || job.submittedAt >= record.readyAt || session.hasEntered) return
  session.hasEntered = true
  // Once per worker, also if its results reach several gateways.
  const first = { firstEnteredAt: enteredAt }
  if (!(await store.workers.patch({ endpointId, workerId, fields: first, quiet: true, unless: 'firstEnteredAt' }).catch(() => false)))
    return
  metrics.workerStarted(endpointId, 'function', enteredAt - record.readyAt)
}
