// Results, progress and stream chunks as workers post them. The SDK never repeats a refused result (worker-api §5.2), so everything is
// answered 200: duplicates, late and stale ones change nothing and are logged. While Redis is away a post is held, not refused.
import type { JobOutcome, JobTimings } from '@runyard/schema'
import type { GatewayDeps } from '../deps.ts'
import { isLeaving } from './assignable.ts'
import { replaceWorker } from './ping.ts'
import type { WorkerResult } from './result-body.ts'
import { retryWhileAway } from './retry-while-away.ts'
import { recordSettled } from './settled-record.ts'
import { rememberFinished, type WorkerState } from './state.ts'

export type ResultDeps = Pick<
  GatewayDeps,
  'store' | 'log' | 'events' | 'metrics' | 'waiters' | 'workers' | 'config' | 'endpoints' | 'closing'
>

export interface Post {
  readonly state: WorkerState
  readonly jobId: string
}

export async function receiveResult(
  deps: ResultDeps,
  post: Post,
  { result, timings }: { result: WorkerResult; timings: JobTimings | undefined },
): Promise<void> {
  const { state, jobId } = post
  if (result.kind === 'progress') {
    await deps.store.jobs.progress(state.endpointId, jobId, state.workerId, result.output)
    return
  }
  await settle(deps, post, { ...result.outcome, ...(timings === undefined ? {} : { timings }) })
  if (result.stopPod) {
    await replaceWorker(deps, state)
    state.takes.releaseAll()
    state.stops.releaseAll()
  }
}

async function settle(deps: ResultDeps, { state, jobId }: Post, outcome: JobOutcome): Promise<void> {
  const { endpointId, workerId } = state
  const at = Date.now()
  const job = state.handed.get(jobId)
  rememberFinished(state, jobId)
  const settled = await retryWhileAway(() => deps.store.jobs.settle(endpointId, jobId, workerId, outcome), deps.closing)
  if (settled !== 'settled') {
    deps.log.info({ endpointId, jobId, workerId, status: outcome.status, result: settled }, 'late result ignored')
    return
  }
  await recordSettled(deps, { state, jobId, job, outcome, at })
  // Its polls may be held by another gateway: each looks whether it can let them go.
  if (isLeaving(state.record)) deps.store.publish({ kind: 'worker-changed', endpointId, workerId })
}

/** A chunk is a sign of life: the store renews the lease with it. */
export async function receiveChunk(deps: ResultDeps, { state, jobId }: Post, chunk: unknown): Promise<void> {
  await retryWhileAway(() => deps.store.jobs.appendChunk(state.endpointId, jobId, state.workerId, chunk), deps.closing)
}
