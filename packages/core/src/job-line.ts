// The one wide line that is logged when a job ends, whoever ended it (house style 12 "Tell operators once").
import type { JobRecord } from '@runyard/schema'

export interface JobLine {
  readonly endpointId: string
  readonly endpoint: string | undefined
  readonly jobId: string
  readonly workerId: string | undefined
  readonly status: string
  readonly delayMs: number
  readonly executionMs: number
  readonly retries: number
  readonly reason: string | undefined
}

/** Error texts carry whole tracebacks; a log line needs their beginning. */
const LONGEST_REASON = 200

export function jobLine(endpoint: { readonly id: string; readonly name: string | undefined }, record: JobRecord): JobLine {
  return {
    endpointId: endpoint.id,
    endpoint: endpoint.name,
    jobId: record.id,
    workerId: record.workerId,
    status: record.status,
    ...jobDurations(record),
    retries: record.retries,
    reason: record.error?.slice(0, LONGEST_REASON),
  }
}

/** Submission → start of the last attempt, start → end: whole milliseconds (client-api §4.3, R12). */
export function jobDurations(record: Pick<JobRecord, 'submittedAt' | 'startedAt' | 'settledAt'>): { delayMs: number; executionMs: number } {
  return { delayMs: elapsedMs(record.submittedAt, record.startedAt), executionMs: elapsedMs(record.startedAt, record.settledAt) }
}

/** 0 where one of the times is unknown or the clock stepped back. */
function elapsedMs(from: number | undefined, to: number | undefined): number {
  return from === undefined || to === undefined ? 0 : Math.max(0, Math.round(to - from))
}
