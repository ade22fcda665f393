// How much a batch may be, and what its caller is told where a change was not made (client-api §5.13).
import { RunyardError, type ErrorCode } from '@runyard/schema'

export const LIMITS = {
  /** Batches of an endpoint that are drafts or have requests that have not ended. */
  active: 10,
  /** Jobs that wait in the endpoint's queue. */
  queued: 50_000,
  /** A draft lies in Redis whole, until its requests are jobs and large ones leave it. */
  draft: { requests: 5000, bytes: 64 * 1024 * 1024 },
} as const

const REFUSALS: Readonly<Record<string, readonly [ErrorCode, string]>> = {
  unknown: ['not_found', 'batch not found: it never existed or has expired'],
  unknown_request: ['not_found', 'this batch has no such request'],
  empty: ['bad_request', 'a batch without requests cannot be finalized'],
  too_many: ['bad_request', `a batch holds at most ${LIMITS.draft.requests} requests`],
  too_large: ['payload_too_large', `the requests of a batch may weigh ${LIMITS.draft.bytes} bytes together`],
  too_many_batches: ['too_many_requests', `an endpoint has at most ${LIMITS.active} active batches; finalize, cancel or await one`],
  queue_full: [
    'too_many_requests',
    `at most ${LIMITS.queued} requests, and no more than limits.queueJobs, may wait on an endpoint; finalize the batch later, or make it smaller`,
  ],
  FINALIZED: ['conflict', 'the batch is FINALIZED: only a DRAFT can be changed'],
  CANCELLED: ['conflict', 'the batch is CANCELLED'],
}
const RETRY_AFTER_S = 30

/** @throws RunyardError unless the change was made; `tooMany` says what there are too many of. */
export function checkChange(result: string, tooMany: keyof typeof REFUSALS = 'too_many'): void {
  if (result !== 'ok') throw refusalOf(result === 'too_many' ? tooMany : result)
}

export function refusalOf(reason: string): RunyardError {
  const [code, sentence] = REFUSALS[reason] ?? ['internal', `a batch was refused as "${reason}"`]
  return new RunyardError(code, sentence, code === 'too_many_requests' ? { retryAfterS: RETRY_AFTER_S } : {})
}
