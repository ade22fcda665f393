// What may wait on one endpoint (ADR 42): as the scripts read it, and how a refusal is reported to the caller.
import { RunyardError } from '@runyard/schema'
import type { StoreContext } from '../context.ts'
import { NO_LIMIT } from './end-args.ts'
import type { Argument } from '../scripts/script.ts'

/** Queues empty in seconds or in hours; a client that asks again soon costs little. */
const RETRY_AFTER_S = 5

type Retention = StoreContext['options']['retention']

/** The last two arguments of `noRoomFor`. */
export function queueLimits({ queueJobs = NO_LIMIT, queueBytes = NO_LIMIT }: Retention): readonly Argument[] {
  return [queueJobs, queueBytes]
}

/** Undefined where the script says something else. */
export function refusalOf(reply: unknown, { queueJobs, queueBytes, idempotencyKeys }: Retention): RunyardError | undefined {
  if (reply === 'forgotten') return new RunyardError('not_found', 'endpoint not found: it was deleted')
  const sentences: Readonly<Record<string, string>> = {
    queue_full: `the queue of this endpoint is full: at most ${queueJobs} jobs may wait (limits.queueJobs); try again later`,
    queue_heavy: `the queue of this endpoint is full: its jobs and batches may weigh ${queueBytes} bytes together (limits.queueBytes); try again later`,
    keys_full: `this endpoint remembers ${idempotencyKeys} idempotency keys and no more (limits.idempotencyKeys); submit without a key or try again later`,
  }
  const sentence = typeof reply === 'string' ? sentences[reply] : undefined
  return sentence === undefined ? undefined : new RunyardError('too_many_requests', sentence, { retryAfterS: RETRY_AFTER_S })
}
