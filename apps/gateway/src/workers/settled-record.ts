// What is written down when a job ends by its worker: one wide log line, its measures, its lines of history.
import type { JobOutcome } from '@runyard/schema'
import type { GatewayDeps } from '../deps.ts'
import { elapsedMs } from '../jobs/job-body.ts'
import type { HandedJob, WorkerState } from './state.ts'

export interface Settled {
  readonly state: WorkerState
  readonly jobId: string
  /** Undefined when another gateway, or this one before a restart, handed it out. */
  readonly job: HandedJob | undefined
  readonly outcome: JobOutcome
  readonly at: number
}

const LONGEST_REASON = 200

type RecordDeps = Pick<GatewayDeps, 'log' | 'events' | 'metrics' | 'endpoints'>

export async function recordSettled(deps: RecordDeps, settled: Settled): Promise<void> {
  const { state, jobId, job, outcome, at } = settled
  const { endpointId, workerId } = state
  const { status, error } = outcome
  const delayMs = elapsedMs(job?.submittedAt, job?.startedAt)
  const executionMs = elapsedMs(job?.startedAt, at)
  const retries = job === undefined ? undefined : job.attempt - 1
  const endpoint = (await deps.endpoints.get(endpointId).catch(() => undefined))?.name
  const reason = error?.slice(0, LONGEST_REASON)
  deps.log.info({ endpoint, job: jobId, worker: workerId, status, delayMs, executionMs, retries, reason }, 'job settled')
  if (job !== undefined) deps.metrics.jobSettled(endpointId, { status, delayMs, executionMs })
  recordEntered(deps, settled)
  deps.events.add({ at, endpointId, kind: 'job_settled', jobId, workerId, status })
}

/** Our agent tells when the function was entered; where the job had waited for this worker's start, that is the end of the cold start. */
function recordEntered({ events, metrics }: RecordDeps, { state, jobId, job, outcome }: Settled): void {
  const { endpointId, workerId, record } = state
  const enteredAt = outcome.timings?.enteredAt
  if (enteredAt === undefined) return
  events.add({ at: enteredAt, endpointId, kind: 'job_started', jobId, workerId, message: 'function entered' })
  if (job === undefined || record?.readyAt === undefined || job.submittedAt >= record.readyAt) return
  metrics.coldStart(endpointId, 'ready_to_function', enteredAt - record.readyAt)
}
