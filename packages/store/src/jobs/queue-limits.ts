// The limits of one endpoint's queue (ADR 42), as scripts read them, and the errors for a rejected job.
import { RunyardError } from '@runyard/schema'
import type { StoreContext } from '../context.ts'
import { NO_LIMIT } from './ending.ts'

/** Queues empty in seconds or in hours; a client that asks again soon costs little. */
const RETRY_AFTER_S = 5

type Retention = StoreContext['options']['retention']

/** Arguments of scripts that add to the queue. */
export const QUEUE_LIMITS = { queueJobs: 'number', queueBytes: 'number' } as const

export function queueLimits({ queueJobs = NO_LIMIT, queueBytes = NO_LIMIT }: Retention) {
  return { queueJobs, queueBytes }
}

/** What `noRoomFor` says, and a script that counts idempotency keys. */
export const REFUSALS = ['forgotten', 'queue_full', 'queue_heavy', 'keys_full'] as const

type Refusal = (typeof REFUSALS)[number]

/** The reply where it is no refusal. @throws RunyardError('too_many_requests') where the queue has no room; 'not_found' where the endpoint is gone */
export function admitted<R extends string>(reply: R, retention: Retention): Exclude<R, Refusal> {
  if (isAdmitted(reply)) return reply
  throw toRefused(reply, retention)
}

const isAdmitted = <R extends string>(reply: R): reply is Exclude<R, Refusal> => !REFUSALS.some((refusal) => refusal === reply)

function toRefused(refusal: string, { queueJobs, queueBytes, idempotencyKeys }: Retention): RunyardError {
  if (refusal === 'forgotten') return new RunyardError('not_found', 'endpoint not found: it was deleted')
  const full = 'the queue of this endpoint is full: '
  const sentences = new Map<string, string>([
    ['queue_full', `${full}at most ${queueJobs} jobs may wait (limits.queueJobs); try again later`],
    ['queue_heavy', `${full}its jobs and batches may weigh ${queueBytes} bytes together (limits.queueBytes); try again later`],
    [
      'keys_full',
      `this endpoint remembers ${idempotencyKeys} idempotency keys and no more (limits.idempotencyKeys); submit without a key or try again later`,
    ],
  ])
  return new RunyardError('too_many_requests', sentences.get(refusal) ?? refusal, {
    retryAfterS: RETRY_AFTER_S,
    refusal: refusal === 'keys_full' ? 'idempotency_keys' : 'queue',
  })
}
