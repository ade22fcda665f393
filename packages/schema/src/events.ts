// Signals wake processes and carry no data beyond what to read again (ADR 5). Events are the human-readable history of an endpoint.
import { z } from 'zod'

export const Signal = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('job-added'), endpointId: z.string() }),
  z.object({ kind: z.literal('job-settled'), endpointId: z.string(), jobId: z.string() }),
  /** All waiting jobs of the endpoint were cancelled at once. */
  z.object({ kind: z.literal('queue-purged'), endpointId: z.string() }),
  z.object({ kind: z.literal('job-chunk'), endpointId: z.string(), jobId: z.string() }),
  /** The worker must stop a job that it holds (worker-api §9). */
  z.object({ kind: z.literal('job-stop'), endpointId: z.string(), jobId: z.string(), workerId: z.string() }),
  /** A worker's record changed: ready, draining, released. */
  z.object({ kind: z.literal('worker-changed'), endpointId: z.string(), workerId: z.string() }),
  /** New lines in the log of a worker that has a follower. */
  z.object({ kind: z.literal('worker-logged'), workerId: z.string() }),
  /** A webhook of the endpoint has a new due time. */
  z.object({ kind: z.literal('webhook-due'), endpointId: z.string() }),
  z.object({ kind: z.literal('endpoint-changed'), endpointId: z.string() }),
  /** The open requests of a load-balanced endpoint have changed. */
  z.object({ kind: z.literal('requests-changed'), endpointId: z.string() }),
  /** What the scaler says of the endpoint is another than before. */
  z.object({ kind: z.literal('status-changed'), endpointId: z.string() }),
  /** What is known of a host or a card was written: its sight, rest or cordon, or who holds a card. */
  z.object({ kind: z.literal('pool-changed') }),
  z.object({ kind: z.literal('keys-changed') }),
  /** The connection to Redis was lost and is back. Signals may have been missed, so everything has to be read again. */
  z.object({ kind: z.literal('resync') }),
])
export type Signal = z.infer<typeof Signal>

/** One line of an endpoint's history: a job or worker transition with its reason. Returned by `GET /v2/serverless/{id}/events`; `at` is epoch ms. */
export const EndpointEvent = z.object({
  at: z.number(),
  endpointId: z.string(),
  kind: z.enum([
    'job_queued',
    'job_started',
    'job_settled',
    'job_requeued',
    'worker_placed',
    'worker_started',
    'worker_ready',
    'worker_draining',
    'worker_gone',
    'worker_throttled',
    'worker_card_error',
    'image_pulled',
    'image_pull_failed',
    'endpoint_changed',
    'endpoint_retried',
    'endpoint_rolled_back',
  ]),
  jobId: z.string().optional(),
  workerId: z.string().optional(),
  status: z.string().optional(),
  reason: z.string().optional(),
  message: z.string().optional(),
})
export type EndpointEvent = z.infer<typeof EndpointEvent>

/** What events are asked for. `workers`: those of the endpoint itself, too. */
export const EventSubject = z.enum(['all', 'jobs', 'workers'])
export type EventSubject = z.infer<typeof EventSubject>
