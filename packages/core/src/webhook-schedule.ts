// When a failed webhook delivery is retried (client-api §7): first Runpod's three attempts 10 s apart, then with longer pauses until the
// event is too old. Failure direction: an event that no receiver accepts is given up; its job stays as it ended.
import type { WebhookOutcome } from '@runyard/schema'

export interface WebhookRetryPolicy {
  /** Pause after the first attempt, the second, …; the last one repeats. Empty: a single attempt. */
  readonly retryDelaysMs: readonly number[]
  /** No attempt begins later than this after the job's end. */
  readonly maxAgeMs: number
}

export interface WebhookTries {
  /** Attempts so far, including the failed one. */
  readonly attempts: number
  /** When the job ended, epoch ms. */
  readonly endedAt: number
  readonly now: number
}

/** Epoch ms of the next attempt; undefined: give up. With 10 s, 10 s, 5 min: 0 s, 10 s, 20 s, 5 min 20 s, 10 min 20 s … */
function nextWebhookAttempt(tries: WebhookTries, { retryDelaysMs, maxAgeMs }: WebhookRetryPolicy): number | undefined {
  const delayMs = retryDelaysMs[tries.attempts - 1] ?? retryDelaysMs.at(-1)
  if (delayMs === undefined) return undefined
  const at = tries.now + delayMs
  return isTooLate({ endedAt: tries.endedAt, now: at }, { maxAgeMs }) ? undefined : at
}

/** The result of an attempt. `refused`: the receiver's name resolves to an address that is not allowed. */
export type WebhookReply = { readonly kind: 'answered'; readonly status: number } | { readonly kind: 'refused' | 'failed' }

/** True if the event is too old for an attempt that starts now, even for the first one (for example after an outage of all gateways). */
export function isTooLate(
  { endedAt, now }: Pick<WebhookTries, 'endedAt' | 'now'>,
  { maxAgeMs }: Pick<WebhookRetryPolicy, 'maxAgeMs'>,
): boolean {
  return now > endedAt + maxAgeMs
}

/** Any 2xx is success. A refused address is not retried: each retry would be another chance for a name that changes its address. */
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
