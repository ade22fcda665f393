// Webhooks: the receiver of a job's end, and the result of each delivery attempt (client-api §7).
import { z } from 'zod'

export const Webhook = z.object({
  /** Exactly as the client wrote it. */
  url: z.string(),
  /** The owner whose secret signs it. Stored with the job, which may end after its endpoint was deleted. */
  ownerId: z.string(),
})
export type Webhook = z.infer<typeof Webhook>

/** `failed`: is retried; `given_up`: failed for the last time; `refused`: had a private address; `dropped`: made room for newer events. */
export const WEBHOOK_OUTCOMES = ['delivered', 'failed', 'given_up', 'refused', 'dropped'] as const
export const WebhookOutcome = z.enum(WEBHOOK_OUTCOMES)
export type WebhookOutcome = z.infer<typeof WebhookOutcome>

/** One line of the delivery log. Times are epoch milliseconds. */
export const WebhookAttempt = z.object({
  eventId: z.string(),
  jobId: z.string(),
  /** Without credentials and query; only the host for a dropped event. */
  url: z.string(),
  /** 1 for the first attempt; 0: dropped before it. */
  attempt: z.int(),
  at: z.number(),
  durationMs: z.number(),
  outcome: WebhookOutcome,
  /** Status of the receiver's response, if there was one. */
  httpStatus: z.int().optional(),
  error: z.string().optional(),
  /** When it is retried. */
  nextAt: z.number().optional(),
})
export type WebhookAttempt = z.infer<typeof WebhookAttempt>
