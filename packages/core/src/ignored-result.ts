// Why a worker's result had no effect: the first outcome stays, and a stale attempt's write is rejected (ADR 2). The reason is derived from
// the job's current record.
import type { JobOutcome, JobRecord, Reason } from '@runyard/schema'

export type IgnoredReason = Extract<Reason, 'result_repeated' | 'job_ended' | 'attempt_superseded' | 'job_unknown'>

/** `outcome`: undefined if it was not read. `job`: undefined if it was never submitted, is past its retention, or was deleted with its endpoint. */
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
