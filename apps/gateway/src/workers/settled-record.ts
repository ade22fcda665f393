// What is written down of a worker's result. Where it ends the job: the entry in the journal, and when the function was entered. Where it
// comes too late: one wide log line with the reason.
import { jobLine, unreadJob, type EndCause, type EndedJob, type IgnoredReason } from '@runyard/core'
import type { JobOutcome, JobRecord } from '@runyard/schema'
import type { GatewayDeps } from '../parts/deps.ts'
import { recordEnds } from '../parts/journal.ts'
import type { HandedJob, WorkerState } from './worker-session.ts'

/** What a worker posted, and when. */
export interface PostedEnd {
  readonly state: WorkerState
  readonly jobId: string
  readonly outcome: JobOutcome
  readonly at: number
  readonly cause: EndCause
}

interface Settled extends PostedEnd {
  /** Undefined when another gateway, or this one before a restart, handed it out. */
  readonly job: HandedJob | undefined
}

/** The job that a result found, and why it changed nothing there. */
export interface IgnoredBy {
  readonly record: JobRecord | undefined
  readonly reason: IgnoredReason
}

type RecordDeps = Pick<GatewayDeps, 'store' | 'log' | 'events' | 'metrics' | 'endpoints'>

export async function recordSettled(deps: RecordDeps, settled: Settled): Promise<void> {
  const job = await recordOf(deps, settled)
  const endpoint = await nameOf(deps, settled.state.endpointId)
  await recordEntered(deps, settled)
  recordEnds(deps, endpoint, [{ cause: settled.cause, job }])
}

/** `outcome` is undefined where it was not read. */
type Ignored = Omit<PostedEnd, 'outcome' | 'cause'> & { readonly outcome: JobOutcome | undefined }

export async function recordIgnored(deps: RecordDeps, posted: Ignored, { record, reason }: IgnoredBy): Promise<void> {
  const { state, jobId, outcome } = posted
  const { endpointId, workerId } = state
  const endpoint = await nameOf(deps, endpointId)
  const job = record === undefined ? { endpointId, endpoint: endpoint.name, jobId } : jobLine(endpoint, record)
  const line = { ...job, reason, workerId, posted: outcome?.status, jobWorkerId: record?.workerId }
  deps.log.info(line, 'result ignored')
}

async function nameOf({ endpoints }: RecordDeps, id: string): Promise<{ id: string; name: string | undefined }> {
  return { id, name: (await endpoints.get(id).catch(() => undefined))?.name }
}

/** Known without a read where this gateway handed the job out. */
async function recordOf({ store }: RecordDeps, { state, jobId, job, outcome, at }: Settled): Promise<EndedJob> {
  const { status, error } = outcome
  const known = unreadJob({ id: jobId, status, workerId: state.workerId, error, at })
  if (job !== undefined) return { ...known, submittedAt: job.submittedAt, startedAt: job.startedAt, retries: job.attempt - 1 }
  const read = await store.jobs.get(state.endpointId, jobId).catch(() => undefined)
  return read ?? known
}

/**
 * Our agent reports when the function was entered. Where the job had waited for this worker's start and was the worker's first, that is the end
 * of the cold start; jobs behind it waited for the first one, too.
 */
async function recordEntered({ events, metrics, store }: RecordDeps, { state, jobId, job, outcome }: Settled): Promise<void> {
  const { endpointId, workerId, record } = state
  const enteredAt = outcome.timings?.enteredAt
  if (enteredAt === undefined) return
  events.add({ at: enteredAt, endpointId, kind: 'job_started', jobId, workerId, message: 'function entered' })
  if (job === undefined || record?.readyAt === undefined || job.submittedAt >= record.readyAt || state.hasEntered) return
  state.hasEntered = true
  // Once a worker, also where its results reach several gateways.
  const first = { firstEnteredAt: enteredAt }
  if (!(await store.workers.patch(endpointId, workerId, first, { quiet: true, unless: 'firstEnteredAt' }).catch(() => false))) return
  metrics.coldStart(endpointId, 'ready_to_function', enteredAt - record.readyAt)
}
