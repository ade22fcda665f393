// When a webhook that was not accepted is tried again (client-api §7): Runpod's three attempts 10 s apart first, then a longer back-off,
// until the event is too old. Failure direction: an event that nobody accepts is given up, its job stays as it ended.
import type { WebhookOutcome } from '@runyard/schema'

export interface WebhookRetryPolicy {
  /** Pause after the first attempt, the second, …; the last one repeats. Empty: one attempt is all. */
  readonly retryDelaysMs: readonly number[]
  /** No attempt begins later than this after the job's end. */
  readonly maxAgeMs: number
}

export interface WebhookTries {
  /** Attempts so far, the failed one included. */
  readonly attempts: number
  /** When the job ended, epoch ms. */
  readonly endedAt: number
  readonly now: number
}

/** Epoch ms of the next attempt, or undefined where it is time to give up. With 10 s, 10 s, 5 min: 0 s, 10 s, 20 s, 5 min 20 s, 10 min 20 s … */
function nextWebhookAttempt(tries: WebhookTries, { retryDelaysMs, maxAgeMs }: WebhookRetryPolicy): number | undefined {
  const delayMs = retryDelaysMs[tries.attempts - 1] ?? retryDelaysMs.at(-1)
  if (delayMs === undefined) return undefined
  const at = tries.now + delayMs
  return isTooLate({ endedAt: tries.endedAt, now: at }, { maxAgeMs }) ? undefined : at
}

/** What a receiver did with it. `refused`: its name means an address that is not allowed. */
export type WebhookReply = { readonly kind: 'answered'; readonly status: number } | { readonly kind: 'refused' | 'failed' }

/** True where the event is too old for an attempt that begins now, also for its first one: after an outage of all gateways, say. */
export function isTooLate(
  { endedAt, now }: Pick<WebhookTries, 'endedAt' | 'now'>,
  { maxAgeMs }: Pick<WebhookRetryPolicy, 'maxAgeMs'>,
): boolean {
  return now > endedAt + maxAgeMs
}

/** Any 2xx is success. A refused address is not tried again: each try would be one more chance for a name that changes its meaning. */
export function judgeWebhook(
  reply: WebhookReply,
  tries: WebhookTries,
  policy: WebhookRetryPolicy,
): { readonly outcome: WebhookOutcome; readonly nextAt?: number } {
  if (reply.kind === 'refused') return { outcome: 'refused' }
  if (reply.kind === 'answered' && reply.status >= 200 && reply.status <= 299) return { outcome: 'delivered' }
  const nextAt = nextWebhookAttempt(tries, policy)
  return nextAt === undefined ? { outcome: 'given_up' } : { outcome: 'failed', nextAt }
}
