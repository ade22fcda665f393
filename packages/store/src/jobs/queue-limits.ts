// The limits of one endpoint's queue (ADR 42) and of one API key in it (ADR 60), as scripts read them, and the errors for a rejected job.
import { RunyardError, type RefusalReason } from '@runyard/schema'
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

/** An API key that has a limit: how many of its jobs may wait and run on one endpoint. */
export interface CountedKey {
  readonly keyId: string
  readonly mostJobs: number
}

/** Arguments of scripts that count for a key; an empty one counts nothing. */
export const KEY_LIMIT = { key: 'text', keyJobs: 'number' } as const

export function keyLimit(counted: CountedKey | undefined) {
  return { key: counted?.keyId ?? '', keyJobs: counted?.mostJobs ?? NO_LIMIT }
}

/** What `noRoomFor` says, and scripts that count idempotency keys and the jobs of an API key. */
export const REFUSALS = ['forgotten', 'queue_full', 'queue_heavy', 'keys_full', 'key_full'] as const

type Refusal = (typeof REFUSALS)[number]

/** The reply where it is no refusal. @throws RunyardError('too_many_requests') where the queue has no room; 'not_found' where the endpoint is gone */
export function admitted<R extends string>(reply: R, retention: Retention, counted?: CountedKey): Exclude<R, Refusal> {
  if (isAdmitted(reply)) return reply
  throw toRefused(reply, retention, counted)
}

const isAdmitted = <R extends string>(reply: R): reply is Exclude<R, Refusal> => !REFUSALS.some((refusal) => refusal === reply)

const METRIC_LABELS: Readonly<Record<string, RefusalReason>> = { keys_full: 'idempotency_keys', key_full: 'key_queue' }

function toRefused(refusal: string, { queueJobs, queueBytes, idempotencyKeys }: Retention, counted: CountedKey | undefined): RunyardError {
  if (refusal === 'forgotten') return new RunyardError('not_found', 'endpoint not found: it was deleted')
  const full = 'the queue of this endpoint is full: '
  const sentences = new Map<string, string>([
    ['queue_full', `${full}at most ${queueJobs} jobs may wait (limits.queueJobs); try again later`],
    ['queue_heavy', `${full}its jobs and batches may weigh ${queueBytes} bytes together (limits.queueBytes); try again later`],
    [
      'keys_full',
      `this endpoint remembers ${idempotencyKeys} idempotency keys and no more (limits.idempotencyKeys); submit without a key or try again later`,
    ],
    [
      'key_full',
      `this API key may have ${counted?.mostJobs} waiting and running jobs on one endpoint (its own limit, or limits.queuedJobsPerKey); try again later`,
    ],
  ])
  return new RunyardError('too_many_requests', sentences.get(refusal) ?? refusal, {
    retryAfterS: RETRY_AFTER_S,
    refusal: METRIC_LABELS[refusal] ?? 'queue',
  })
}
