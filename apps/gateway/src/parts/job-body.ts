// A job as its caller sees it (client-api §4.1). Absent fields are omitted, never null; numbers are integers (client-api R12, R14).
// A terminal answer always has delayTime, executionTime and workerId, which Flash's model requires (flash-api §5.7); COMPLETED always has `output`
// and CANCELLED or TIMED_OUT always an `error`, or SDK 2.0 hands the envelope to the user (sdk2-api §4.4).
import { envelopeOf, jobDurations } from '@runyard/core'
import { toJson, type Endpoint, type JobRecord, type JobStatus, type JsonText } from '@runyard/schema'
import type { JobView } from '@runyard/schema/api'
import { withMember } from '@runyard/schema/json-join'

/** `JobView`, whose output is JSON that was never parsed. */
export type JobBody = Omit<JobView, 'output'> & { output?: JsonText }

const EMPTY = toJson({})
const DEFAULT_ERRORS = { CANCELLED: 'the job was cancelled', TIMED_OUT: 'the job timed out', FAILED: 'the job failed' } as const

export function isTerminal(status: JobStatus): boolean {
  return status !== 'IN_QUEUE' && status !== 'IN_PROGRESS'
}

/** Without an endpoint it is one that is gone meanwhile. */
export function toJobBody(record: JobRecord, endpoint: Endpoint | undefined): JobBody {
  if (record.status === 'IN_QUEUE') return { id: record.id, status: record.status }
  const body: JobBody = { id: record.id, status: record.status }
  const { delayMs: delayTime, executionMs: executionTime } = jobDurations(record)
  if (record.retries > 0) body.retries = record.retries
  if (record.status === 'IN_PROGRESS') {
    body.delayTime = delayTime
    if (record.workerId !== undefined) body.workerId = record.workerId
    if (record.output !== undefined) body.output = record.output
    return body
  }
  body.delayTime = delayTime
  body.executionTime = executionTime
  body.workerId = record.workerId ?? ''
  return addResult(body, record, endpoint)
}

function addResult(body: JobBody, record: JobRecord, endpoint: Endpoint | undefined): JobBody {
  if (record.status === 'COMPLETED') {
    // `{}` is what a worker posts for a handler that returned `{}` (sdk2-api §4.4).
    body.output = record.output ?? EMPTY
    return body
  }
  if (record.status === 'FAILED' && record.output !== undefined) body.output = record.output
  // Live clients of Flash 1.14 read `output.stdout` of every failed job before they look at its error.
  else if (endpoint !== undefined && envelopeOf(endpoint.spec.image) === 'flash') body.output = EMPTY
  body.error = errorOf(record)
  return body
}

/** Its output goes in as it is. */
export function toJobJson({ output, ...fields }: JobBody): JsonText {
  return output === undefined ? toJson(fields) : withMember(fields, 'output', output)
}

export function errorOf(record: JobRecord): string {
  if (record.error !== undefined && record.error !== '') return record.error
  return DEFAULT_ERRORS[record.status as keyof typeof DEFAULT_ERRORS]
}
