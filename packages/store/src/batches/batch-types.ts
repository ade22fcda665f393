// What may be done with batches (client-api §5.13). A change returns `ok`, or why it was not made: the batch is unknown, or its status forbids it.
import type { BatchStatus, JobStatus, JobSubmission } from '@runyard/schema'
import type { CountedKey } from '../jobs/queue-limits.ts'

export interface BatchCounts {
  readonly total: number
  readonly inProgress: number
  readonly completed: number
  readonly failed: number
}

export interface BatchRecord {
  readonly id: string
  readonly name: string | undefined
  readonly status: BatchStatus
  readonly createdAt: number
  readonly requestTotal: number
  /** Once every request has ended. */
  readonly ended: BatchCounts | undefined
}

export interface RequestState {
  /** Also its job's id. */
  readonly id: string
  readonly status: JobStatus | 'DRAFT'
}

export interface BatchAt {
  readonly endpointId: string
  readonly batchId: string
}

export type BatchChange = 'ok' | 'unknown' | BatchStatus

export interface BatchStore {
  create(at: BatchAt, mostActive: number): Promise<'ok' | 'too_many'>
  /** All or none. @throws RunyardError('too_many_requests') where the endpoint's queue and drafts weigh too much (ADR 42) */
  add(
    at: BatchAt,
    requests: readonly JobSubmission[],
    limits: { requests: number; bytes: number },
  ): Promise<BatchChange | 'too_many' | 'too_large'>
  drop(at: BatchAt, requestId: string): Promise<BatchChange | 'unknown_request'>
  rename(at: BatchAt, name: string): Promise<BatchChange>
  /** From now on its requests become jobs, which count for the key; `ok` also where that was said before. @throws as `JobStore.submit` for the key */
  finalize(at: BatchAt, mostQueued: number, counted?: CountedKey): Promise<BatchChange | 'empty' | 'queue_full'>
  /** Requests from an index on become jobs, each of them once, however often it is called. `next`: where to continue. */
  submit(at: BatchAt, from: number): Promise<{ readonly submitted: readonly string[]; readonly next: number | undefined }>
  /** What is no job yet never becomes one; its jobs are left to the caller. */
  cancel(at: BatchAt): Promise<BatchChange>
  get(at: BatchAt): Promise<BatchRecord | undefined>
  /** Newest first. */
  list(
    endpointId: string,
    page: { offset: number; limit: number },
  ): Promise<{ readonly total: number; readonly batches: readonly BatchRecord[] }>
  /** Of every request, in the order in which they were added. */
  states(at: BatchAt, status: BatchStatus): Promise<readonly RequestState[]>
  /** It counts as active no more. */
  noteEnded(at: BatchAt, counts: BatchCounts): Promise<void>
  /** Finalised or cancelled batches whose requests may not all have been submitted or cancelled: somebody stopped half-way. */
  unfinished(): Promise<readonly BatchAt[]>
  noteFinished(at: BatchAt): Promise<void>
}
