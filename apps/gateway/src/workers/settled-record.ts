// What is written down when a job ends by its worker: one wide log line, its measures, its lines of history.
import { jobDurations, jobLine } from '@runyard/core'
import type { JobOutcome, JobRecord } from '@runyard/schema'
import type { GatewayDeps } from '../deps.ts'
import type { HandedJob, WorkerState } from './state.ts'

export interface Settled {
  readonly state: WorkerState
  readonly jobId: string
  /** Undefined when another gateway, or this one before a restart, handed it out. */
  readonly job: HandedJob | undefined
  readonly outcome: JobOutcome
  readonly at: number
}

type RecordDeps = Pick<GatewayDeps, 'store' | 'log' | 'events' | 'metrics' | 'endpoints'>

export async function recordSettled(deps: RecordDeps, settled: Settled): Promise<void> {
  const { state, jobId, outcome, at } = settled
  const { endpointId, workerId } = state
  const { status } = outcome
  const name = (await deps.endpoints.get(endpointId).catch(() => undefined))?.name
  const record = await recordOf(deps, settled)
  deps.log.info(jobLine({ id: endpointId, name }, record), 'job settled')
  deps.metrics.jobSettled(endpointId, { status, ...jobDurations(record) })
  recordEntered(deps, settled)
  deps.events.add({ at, endpointId, kind: 'job_settled', jobId, workerId, status })
}

/** Known without a read where this gateway handed the job out. */
async function recordOf({ store }: RecordDeps, { state, jobId, job, outcome, at }: Settled): Promise<JobRecord> {
  const { status, error } = outcome
  const known = { id: jobId, status, workerId: state.workerId, settledAt: at, ...(error === undefined ? {} : { error }) }
  if (job !== undefined) return { ...known, submittedAt: job.submittedAt, startedAt: job.startedAt, retries: job.attempt - 1 }
  const read = await store.jobs.get(state.endpointId, jobId).catch(() => undefined)
  return read ?? { ...known, submittedAt: at, retries: 0 }
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
