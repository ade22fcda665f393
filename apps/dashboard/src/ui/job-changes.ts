// What may still be done with a job: one that has ended cannot be cancelled, and only one that went wrong is retried.
import type { JobView } from '@runyard/schema/api'

export type JobChange = 'retry' | 'cancel'
type Status = JobView['status']

const FROM: Readonly<Record<JobChange, readonly Status[]>> = { retry: ['FAILED', 'TIMED_OUT'], cancel: ['IN_QUEUE', 'IN_PROGRESS'] }

export function mayChange(change: JobChange, { status }: { readonly status: Status }): boolean {
  return FROM[change].includes(status)
}

/** Why nothing is asked. */
export const REFUSALS: Readonly<Record<JobChange, string>> = {
  retry: 'Only jobs that failed or timed out can be retried.',
  cancel: 'Only jobs that wait or run can be cancelled.',
}
