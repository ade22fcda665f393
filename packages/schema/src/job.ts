// The shapes of a job when it is submitted, leased to a worker, and settled. Times are epoch milliseconds.
import { z } from 'zod'
import { JsonText } from './json-text.ts'
import { Webhook } from './webhook.ts'
import { JobStatus, TerminalJobStatus } from './wire-words.ts'

/** Client-api §6. Values out of range are clamped, not rejected. */
export const JobPolicy = z.object({
  executionTimeoutMs: z.int().min(0).optional(),
  ttlMs: z.int().min(0).optional(),
  lowPriority: z.boolean().optional(),
})
export type JobPolicy = z.infer<typeof JobPolicy>

export const JobSubmission = z.object({
  id: z.string(),
  /** Any JSON, including `{}`, delivered verbatim. */
  input: JsonText,
  /** Submitted with `/runsync`: shorter retention (client-api §8.2). */
  sync: z.boolean(),
  policy: JobPolicy,
  webhook: Webhook.optional(),
  /** An object that only the handler reads. */
  s3Config: JsonText.optional(),
  /** W3C Trace Context of its caller. */
  traceparent: z.string().optional(),
  batchId: z.string().optional(),
  /** The API key that submitted it (for usage per key). */
  keyId: z.string(),
})
export type JobSubmission = z.infer<typeof JobSubmission>

/** How long the phases of an attempt took. Reported by our agent; absent for other workers. */
export const JobTimings = z.object({
  enteredAt: z.number().optional(),
  returnedAt: z.number().optional(),
})
export type JobTimings = z.infer<typeof JobTimings>

/** The end of a job; written once, never changed. */
export const JobOutcome = z.object({
  status: TerminalJobStatus,
  /** Absent if the worker sent none. */
  output: JsonText.optional(),
  /** Always a string on the wire (client-api R13). */
  error: z.string().optional(),
  timings: JobTimings.optional(),
})
export type JobOutcome = z.infer<typeof JobOutcome>

/** The source of `/status`, in every state of the job. */
export const JobRecord = z.object({
  id: z.string(),
  status: JobStatus,
  submittedAt: z.number(),
  /** Start of the latest attempt. */
  startedAt: z.number().optional(),
  settledAt: z.number().optional(),
  workerId: z.string().optional(),
  /** Re-dispatches so far: attempts − 1. */
  retries: z.int(),
  /** When the TTL of a job that has not ended expires. */
  deadlineAt: z.number().optional(),
  /** Only for waiting jobs. */
  lowPriority: z.boolean().optional(),
  /** The result, or the latest progress value while IN_PROGRESS; absent if there is none. */
  output: JsonText.optional(),
  error: z.string().optional(),
  timings: JobTimings.optional(),
})
export type JobRecord = z.infer<typeof JobRecord>
