// Webhooks: whom to tell of a job's end, and what came of each attempt (client-api §7).
import { z } from 'zod'

export const Webhook = z.object({
  /** As its client wrote it. */
  url: z.string(),
  /** Whose secret signs it. Kept with the job: it may end after its endpoint is gone. */
  ownerId: z.string(),
})
export type Webhook = z.infer<typeof Webhook>

/** `failed` is tried again; `given_up` failed for the last time; `refused` would have gone to a private address; `dropped` made room for newer ones. */
export const WEBHOOK_OUTCOMES = ['delivered', 'failed', 'given_up', 'refused', 'dropped'] as const
export const WebhookOutcome = z.enum(WEBHOOK_OUTCOMES)
export type WebhookOutcome = z.infer<typeof WebhookOutcome>

/** One line of the delivery log. Times are epoch milliseconds. */
export const WebhookAttempt = z.object({
  eventId: z.string(),
  jobId: z.string(),
  /** Without credentials and query; of a dropped one the host only. */
  url: z.string(),
  /** 1 for the first; 0: dropped before it. */
  attempt: z.int(),
  at: z.number(),
  durationMs: z.number(),
  outcome: WebhookOutcome,
  /** Of the receiver's answer, where there was one. */
  httpStatus: z.int().optional(),
  error: z.string().optional(),
  /** When it is tried again. */
  nextAt: z.number().optional(),
})
export type WebhookAttempt = z.infer<typeof WebhookAttempt>
