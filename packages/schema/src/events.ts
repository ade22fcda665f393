// Signals wake; they carry no meaning beyond "look again" (house style 2). Events are the human-readable history of an endpoint.
import { z } from 'zod'

export const Signal = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('job-added'), endpointId: z.string() }),
  z.object({ kind: z.literal('job-settled'), endpointId: z.string(), jobId: z.string() }),
  /** Waiting jobs of the endpoint were cancelled, many at once. */
  z.object({ kind: z.literal('queue-purged'), endpointId: z.string() }),
  z.object({ kind: z.literal('job-chunk'), endpointId: z.string(), jobId: z.string() }),
  /** A held job must be stopped by its worker (worker-api §9). */
  z.object({ kind: z.literal('job-stop'), endpointId: z.string(), jobId: z.string(), workerId: z.string() }),
  /** A worker's record changed: ready, draining, released. */
  z.object({ kind: z.literal('worker-changed'), endpointId: z.string(), workerId: z.string() }),
  /** Lines came to the log of a worker that somebody follows. */
  z.object({ kind: z.literal('worker-logged'), workerId: z.string() }),
  /** A webhook of the endpoint has a new due time. */
  z.object({ kind: z.literal('webhook-due'), endpointId: z.string() }),
  z.object({ kind: z.literal('endpoint-changed'), endpointId: z.string() }),
  z.object({ kind: z.literal('keys-changed') }),
  /** The connection to Redis was lost and is back: whatever was missed, look at everything again. */
  z.object({ kind: z.literal('resync') }),
])
export type Signal = z.infer<typeof Signal>

/** One line of an endpoint's history: a job or worker transition with its reason. Told by `GET /v2/serverless/{id}/events`; `at` is epoch ms. */
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
    'endpoint_changed',
    'endpoint_retried',
  ]),
  jobId: z.string().optional(),
  workerId: z.string().optional(),
  status: z.string().optional(),
  reason: z.string().optional(),
  message: z.string().optional(),
})
export type EndpointEvent = z.infer<typeof EndpointEvent>
