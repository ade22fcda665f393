// Why a worker's result changed nothing: the first outcome stays, and a stale attempt's write is refused (ADR 2). The job as it is now
// tells what came first.
import type { JobOutcome, JobRecord, Reason } from '@runyard/schema'

export type IgnoredReason = Extract<Reason, 'result_repeated' | 'job_ended' | 'attempt_superseded' | 'job_unknown'>

/** `outcome` is undefined where it was not read. `job` is undefined where it is not there: never submitted here, past its retention, or deleted with its endpoint. */
export function whyIgnored(
  job: Pick<JobRecord, 'status' | 'workerId' | 'error' | 'settledAt'> | undefined,
  posted: { readonly workerId: string; readonly outcome: JobOutcome | undefined },
): IgnoredReason {
  if (job === undefined) return 'job_unknown'
  if (job.settledAt === undefined) return 'attempt_superseded'
  if (job.workerId === undefined) return 'job_ended'
  if (job.workerId !== posted.workerId) return 'attempt_superseded'
  if (posted.outcome === undefined) return job.status === 'COMPLETED' ? 'result_repeated' : 'job_ended'
  return job.status === posted.outcome.status && job.error === posted.outcome.error ? 'result_repeated' : 'job_ended'
}
