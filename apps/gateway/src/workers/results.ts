// Results, progress and stream chunks as workers post them. The SDK never repeats a refused result (worker-api §5.2), so everything is
// answered 200: duplicates, late and stale ones change nothing and are logged once. While Redis is away a post is held, not refused.
import { whyIgnored, type EndCause } from '@runyard/core'
import type { JobOutcome, JobTimings, JsonText } from '@runyard/schema'
import type { GatewayDeps } from '../parts/deps.ts'
import { isLeaving } from './assignable.ts'
import { replaceWorker } from './ping.ts'
import type { WorkerResult } from './result-body.ts'
import { retryWhileAway } from '../parts/store-outage.ts'
import { recordIgnored, recordSettled, type IgnoredBy, type PostedEnd } from './settled-record.ts'
import { rememberFinished, type WorkerState } from './worker-session.ts'

export type ResultDeps = Pick<
  GatewayDeps,
  'store' | 'log' | 'events' | 'metrics' | 'waiters' | 'workers' | 'config' | 'endpoints' | 'closing'
>

export interface Post {
  readonly state: WorkerState
  readonly jobId: string
  /** By which a repetition is known. */
  readonly name: string
  /** How long it may be held while Redis is away; default: as long as an SDK waits. */
  readonly holdMs: number | undefined
}

const NOT_JSON = 'the worker posted a part of its stream that is not JSON, or nested too deeply'

/** True where this result ended its job. */
export async function receiveResult(
  deps: ResultDeps,
  post: Post,
  { result, timings }: { result: WorkerResult; timings: JobTimings | undefined },
): Promise<boolean> {
  const { state, jobId } = post
  if (result.kind === 'progress') {
    await deps.store.jobs.progress(state.endpointId, jobId, state.workerId, result.output)
    return false
  }
  // Before the job ends: should this process stop in between, the worker is replaced all the same.
  if (result.stopPod) await retryWhileAway(() => replaceWorker(deps, state), deps.closing, post.holdMs)
  const outcome = { ...result.outcome, ...(timings === undefined ? {} : { timings }) }
  const hasEnded = await settle(deps, post, { outcome, cause: 'result' })
  if (result.stopPod) {
    state.takes.releaseAll()
    state.stops.releaseAll()
  }
  return hasEnded
}

async function settle(
  deps: ResultDeps,
  { state, jobId, holdMs }: Post,
  by: { readonly outcome: JobOutcome; readonly cause: EndCause },
): Promise<boolean> {
  const { endpointId, workerId } = state
  const at = Date.now()
  const job = state.handed.get(jobId)
  rememberFinished(state, jobId)
  const end = { ...by, state, jobId, at }
  const ignored = await retryWhileAway((isRepeat) => settleOnce(deps, end, isRepeat), deps.closing, holdMs)
  if (ignored !== undefined) {
    await recordIgnored(deps, end, ignored)
    return false
  }
  await recordSettled(deps, { ...end, job })
  // Its polls may be held by another gateway: each looks whether it can let them go.
  if (isLeaving(state.record)) deps.store.publish({ kind: 'worker-changed', endpointId, workerId })
  return true
}

/** Undefined: this result ended the job, perhaps with an earlier try whose answer was lost. Else the job as another end left it. */
async function settleOnce({ store }: ResultDeps, end: PostedEnd, isRepeat: boolean): Promise<IgnoredBy | undefined> {
  const { state, jobId, outcome, at } = end
  const { endpointId, workerId } = state
  if ((await store.jobs.settle(endpointId, jobId, workerId, outcome)) === 'settled') return undefined
  const record = await store.jobs.get(endpointId, jobId)
  const reason = whyIgnored(record, { workerId, outcome })
  return isRepeat && reason === 'result_repeated' && (record?.settledAt ?? 0) >= at ? undefined : { record, reason }
}

/** A chunk is a sign of life: the store renews the lease with it. One that is not JSON (undefined) would leave a hole that no reader sees. */
export async function receiveChunk(deps: ResultDeps, post: Post, chunk: JsonText | undefined): Promise<void> {
  if (chunk === undefined) return failStream(deps, post, { error: NOT_JSON, cause: 'result' })
  const { state, jobId, name, holdMs } = post
  const { endpointId, workerId } = state
  const append = () => deps.store.jobs.appendChunk(endpointId, jobId, workerId, chunk, name)
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
  const { endpointId, workerId } = post.state
  await settle(deps, post, { outcome: { status: 'FAILED', error }, cause })
  deps.store.publish({ kind: 'job-stop', endpointId, jobId: post.jobId, workerId })
}
