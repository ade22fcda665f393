// The job plane's shapes (client-api §4–6). The gateway neither parses a job's input nor serialises its output: both pass through as bytes
// (ADR 35). So these shapes describe the envelope; the gateway reads requests by hand, and tests hold its replies against these shapes.
import { z } from 'zod'
import { Reason } from '../reason.ts'
import { IMAGE_PULL_STATES } from '../image-pull.ts'
import { BillingState, HEALTH_WORKER_STATES, JobStatus } from '../wire-words.ts'
import { DateTime } from './shared.ts'

export const JobBody = z
  .looseObject({
    input: z.unknown().describe('Any JSON but null; the worker gets it verbatim.'),
    webhook: z.string().nullish().describe('Where the end of the job is reported.'),
    policy: z
      .looseObject({
        executionTimeout: z.number().nullish().describe('Milliseconds, from 5 seconds to 7 days.'),
        ttl: z.number().nullish().describe('Milliseconds from submission to expiry, from 10 seconds to 7 days.'),
        lowPriority: z.boolean().nullish(),
      })
      .nullish()
      .describe('Values out of range are brought into it.'),
    s3Config: z.looseObject({}).nullish().describe('For the handler alone.'),
  })
  .meta({ id: 'JobBody' })
export type JobBody = z.infer<typeof JobBody>

export const JobView = z
  .object({
    id: z.string(),
    status: JobStatus,
    delayTime: z.int().optional().describe('Milliseconds from submission to start.'),
    executionTime: z.int().optional().describe('Milliseconds; of a job that has ended.'),
    workerId: z.string().optional(),
    output: z.unknown().optional().describe('What the function returned; of a running job its latest progress.'),
    error: z.string().optional(),
    retries: z.int().optional().describe('How often a lost worker made the job start again.'),
    queueReason: Reason.optional().describe('Why it waits; of `/status` only.'),
    queueMessage: z.string().optional(),
    queueRemedy: z.string().optional().describe('What would change it.'),
  })
  .meta({ id: 'Job' })
export type JobView = z.infer<typeof JobView>

export const ListedJob = JobView.pick({ id: true, status: true, delayTime: true, executionTime: true, workerId: true, retries: true })
  .extend({
    createdAt: z.int().describe('Epoch ms.'),
    startedAt: z.int().optional(),
    completedAt: z.int().optional(),
  })
  .meta({ id: 'ListedJob', description: 'A job without what it carries.' })
export type ListedJob = z.infer<typeof ListedJob>

const page = { total: z.int(), offset: z.int(), limit: z.int(), hasMore: z.boolean() }

export const JobPage = z
  .object({ requests: z.array(ListedJob).describe('Waiting, running, ended, each newest first.'), ...page })
  .meta({ id: 'JobPage' })
export type JobPage = z.infer<typeof JobPage>

export const StreamView = z
  .object({
    status: JobStatus,
    stream: z.array(z.looseObject({ output: z.unknown() })).describe('The chunks that are new since the last call.'),
    error: z.string().optional(),
  })
  .meta({ id: 'JobStream' })
export type StreamView = z.infer<typeof StreamView>

export const PurgeView = z.object({ removed: z.int(), status: z.literal('completed') }).meta({ id: 'QueuePurge' })
export type PurgeView = z.infer<typeof PurgeView>

export const HealthView = z
  .object({
    jobs: z.object({ completed: z.int(), failed: z.int(), inProgress: z.int(), inQueue: z.int(), retried: z.int() }),
    workers: z.record(z.enum(HEALTH_WORKER_STATES), z.int()),
    // Not Runpod's.
    states: z
      .record(BillingState, z.int())
      .optional()
      .describe('Workers by the states that are billed or not; `idle`: places where a worker starts without a pull.'),
    reason: z.string().optional().describe('Why a wanted worker does not start: one of `queueReason`, or a newer one.'),
    message: z.string().optional(),
    nextTryAt: DateTime.optional().describe('Where starts failed: when the next one is tried.'),
    images: z
      .array(
        z.object({
          image: z.string(),
          host: z.string().describe('The operator’s name for it.'),
          state: z.enum(IMAGE_PULL_STATES),
          message: z.string().optional().describe('How far the pull is, or why it failed.'),
          nextTryAt: DateTime.optional(),
        }),
      )
      .optional()
      .describe('The endpoint’s image on hosts that do not have it yet; absent: none.'),
  })
  .meta({ id: 'Health' })
export type HealthView = z.infer<typeof HealthView>

export const EndpointMetricsView = HealthView.extend({
  readyWorkers: z.array(z.string()).describe('Ids of the workers that have no job or one.'),
}).meta({ id: 'EndpointMetrics' })
export type EndpointMetricsView = z.infer<typeof EndpointMetricsView>

const pageQuery = {
  offset: z.int().min(0).max(100_000).optional(),
  limit: z.int().min(1).max(200).optional().describe('How many rows; 50 where it is absent.'),
}
export const PageQuery = z.object(pageQuery)
export const WaitQuery = z.object({ wait: z.int().optional().describe('Milliseconds that the gateway holds the request at most.') })
export const StatusQuery = z.object({
  ttl: z.int().optional().describe('Milliseconds that the result of an ended job is kept from now on.'),
})

export const BatchCreatedView = z.object({ id: z.string(), status: z.literal('DRAFT') }).meta({ id: 'BatchCreated' })
export type BatchCreatedView = z.infer<typeof BatchCreatedView>

export const BatchView = z
  .object({
    id: z.string(),
    name: z.string().optional(),
    endpointId: z.string(),
    status: z.enum(['DRAFT', 'FINALIZED', 'FAILED', 'CANCELLED']),
    requestTotal: z.int(),
    requestInProgress: z.int(),
    requestCompleted: z.int(),
    requestFailed: z.int(),
    createdAt: z.int().describe('Epoch ms.'),
  })
  .meta({ id: 'Batch' })
export type BatchView = z.infer<typeof BatchView>

export const BatchPage = z.object({ batches: z.array(BatchView), ...page }).meta({ id: 'BatchPage' })
export type BatchPage = z.infer<typeof BatchPage>

export const BatchRequestView = z
  .object({
    id: z.string(),
    status: z.union([JobStatus, z.literal('DRAFT')]),
    output: z.unknown().optional(),
    error: z.string().optional(),
    startedAt: z.int().optional(),
    completedAt: z.int().optional(),
  })
  .meta({ id: 'BatchRequest' })
export const BatchRequestPage = z.object({ requests: z.array(BatchRequestView), ...page }).meta({ id: 'BatchRequestPage' })
export const BatchRequestsBody = z.object({ requests: z.array(JobBody) }).meta({ id: 'BatchRequestsBody' })
export const BatchNameBody = z.object({ name: z.string().min(1).max(200) }).meta({ id: 'BatchNameBody' })
