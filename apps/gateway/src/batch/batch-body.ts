// A batch and its requests as their caller sees them (client-api §5.13).
import { toJson, type Endpoint, type JobRecord, type JsonText } from '@runyard/schema'
import type { BatchView } from '@runyard/schema/api'
import { withMember } from '@runyard/schema/json-join'
import type { BatchCounts, BatchRecord, RequestState } from '@runyard/store'
import { toJobBody } from '../parts/job-body.ts'

type Kind = 'failed' | 'inProgress' | 'queued' | 'completed'
/** In the order in which they are listed. */
const KINDS: readonly Kind[] = ['failed', 'inProgress', 'queued', 'completed']
const KIND_OF: Readonly<Record<RequestState['status'], Kind>> = {
  FAILED: 'failed',
  TIMED_OUT: 'failed',
  CANCELLED: 'failed',
  IN_PROGRESS: 'inProgress',
  IN_QUEUE: 'queued',
  DRAFT: 'queued',
  COMPLETED: 'completed',
}

export function countStates(states: readonly RequestState[]): BatchCounts {
  const of = (kind: Kind): number => states.filter(({ status }) => KIND_OF[status] === kind).length
  return { total: states.length, inProgress: of('inProgress'), completed: of('completed'), failed: of('failed') }
}

export function inListedOrder(states: readonly RequestState[]): readonly RequestState[] {
  return KINDS.flatMap((kind) => states.filter(({ status }) => KIND_OF[status] === kind))
}

export function toBatchBody(endpointId: string, { id, name, status, createdAt }: BatchRecord, counts: BatchCounts): BatchView {
  return {
    id,
    ...(name === undefined ? {} : { name }),
    endpointId,
    status,
    requestTotal: counts.total,
    requestInProgress: counts.inProgress,
    requestCompleted: counts.completed,
    requestFailed: counts.failed,
    createdAt,
  }
}

const NOTHING_LEFT = 'nothing of this request is left: its ttl ran out before it had ended, or its result made room for newer ones'

export function toRequestJson(endpoint: Endpoint, { id, status }: RequestState, record: JobRecord | undefined): JsonText {
  if (record === undefined) return toJson(KIND_OF[status] === 'failed' ? { id, status, error: NOTHING_LEFT } : { id, status })
  const { output, error } = toJobBody(record, endpoint)
  const fields = {
    id,
    status: record.status,
    ...(error === undefined ? {} : { error }),
    ...(record.startedAt === undefined ? {} : { startedAt: record.startedAt }),
    ...(record.settledAt === undefined ? {} : { completedAt: record.settledAt }),
  }
  return record.status === 'COMPLETED' && output !== undefined ? withMember(fields, 'output', output) : toJson(fields)
}
