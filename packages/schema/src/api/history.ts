// What happened in the pool, over all endpoints of a caller (ours, ADR 79): jobs, failures, workers. Times are epoch milliseconds.
import { z } from 'zod'
import { JobStatus } from '../wire-words.ts'
import { EndpointEvent } from '../events.ts'
import { Reason } from '../reason.ts'
import { WORKER_PHASES } from '../worker.ts'
import { tagged } from './operation.ts'
import { IdParams, Instant, rowLimit } from './shared.ts'

const word = (length = 200) => z.string().min(1).max(length)
const EndpointWord = word().describe('Id or name of an endpoint; of what is past also of one that was deleted.')
const Cursor = word(64).optional().describe('`nextCursor` of the page before.')
const NextCursor = z.string().nullable().describe('Where the next page begins; null: this was all.')
const EndpointName = z.object({
  id: z.string(),
  name: z.string(),
  isDeleted: z.literal(true).optional().describe('It was deleted; absent: it is there.'),
})

/** In a query or a body. */
const JOB_FILTER = {
  endpoint: EndpointWord.optional(),
  status: JobStatus.optional(),
  key: word().optional().describe('Id of the API key that submitted it.'),
  worker: word().optional(),
  error: word().optional().describe('A fingerprint, or text in the first line of the error.'),
  q: word().optional().describe('Text in the id of the job, its error, or the ids of its worker and endpoint.'),
}
export const JobFilter = z.object({
  ...JOB_FILTER,
  since: Instant.optional().describe('Ended since then; jobs that have not ended count as of now.'),
  until: Instant.optional().describe('Ended before then.'),
})
export type JobFilter = z.infer<typeof JobFilter>
export const JobSearchQuery = JobFilter.extend({ limit: rowLimit({ most: 500, usual: 50 }), cursor: Cursor })

export const FoundJob = z
  .object({
    id: z.string(),
    endpoint: EndpointName,
    status: JobStatus,
    submittedAt: z.number(),
    startedAt: z.number().optional().describe('Of the last attempt.'),
    endedAt: z.number().optional(),
    delayMs: z.number().optional().describe('From submission to the start of the last attempt.'),
    runMs: z.number().optional(),
    retries: z.int(),
    workerId: z.string().optional(),
    keyId: z.string().optional().describe('Absent: not known.'),
    cause: z.string().optional().describe('What ended it.'),
    error: z.string().optional().describe('The first line.'),
    fingerprint: z.string().optional().describe('Equal for errors that are the same failure.'),
    reason: z.string().optional().describe('Why it waits.'),
    message: z.string().optional().describe('The same as a sentence.'),
    ahead: z.int().optional().describe('How many jobs of its queue are before it.'),
  })
  .meta({ id: 'FoundJob' })
export type FoundJob = z.infer<typeof FoundJob>

export const JobSearchView = z
  .object({
    jobs: z
      .array(FoundJob)
      .describe(
        'Those that wait or run, then ended ones; each newest first. Of a queue beyond a thousand, the older ones follow those of all.',
      ),
    nextCursor: NextCursor,
  })
  .meta({ id: 'JobSearch' })
export type JobSearchView = z.infer<typeof JobSearchView>

export const JobDetailView = FoundJob.extend({
  text: z.string().optional().describe('The error. After its result is gone, at most 2 KiB of it or of one that is the same failure.'),
  remedy: z.string().optional(),
  kept: z.array(z.enum(['input', 'output'])).describe('What of it can be read now; `output` of a running job: its progress.'),
  attempts: z.array(
    z.object({
      workerId: z.string(),
      startedAt: z.number(),
      enteredAt: z.number().optional().describe('When the function was entered.'),
      returnedAt: z.number().optional().describe('When the function returned, as our agent reports it.'),
      endedAt: z.number().optional(),
      evidence: z.string().optional().describe('Why it was taken back.'),
    }),
  ),
  events: z.array(EndpointEvent).describe('Oldest first; of a job long ago there are none.'),
}).meta({ id: 'JobDetail' })
export type JobDetailView = z.infer<typeof JobDetailView>

export const JobValueQuery = z.object({
  bytes: z.coerce
    .number()
    .int()
    .min(1)
    .max(8 * 1024 * 1024)
    .default(4096)
    .describe('How much of its beginning, in bytes of UTF-8.'),
})
export const JobValueView = z
  .object({
    text: z.string().describe('JSON, or the beginning of it.'),
    bytes: z.int().describe('Of all of it.'),
    isWhole: z.boolean(),
  })
  .meta({ id: 'JobValue' })
export type JobValueView = z.infer<typeof JobValueView>

export const BulkBody = z.strictObject({
  action: z.enum(['retry', 'cancel']).describe('retry: failed and timed-out jobs. cancel: waiting and running ones.'),
  filter: z
    .strictObject({
      ...JOB_FILTER,
      since: z.number().optional().describe('Epoch milliseconds.'),
      until: z.number().optional().describe('Epoch milliseconds.'),
    })
    .describe('An empty one matches all.'),
  limit: z.int().min(1).max(10_000).default(1000),
  dryRun: z.boolean().default(false).describe('Only counts.'),
})
export type BulkBody = z.infer<typeof BulkBody>

export const BulkView = z
  .object({
    matched: z.int(),
    done: z.int().describe('0 in a dry run.'),
    refused: z.array(z.object({ why: z.string(), jobs: z.int() })),
    sample: z.array(z.string()).describe('Ids of the first jobs that matched.'),
    isMore: z.boolean().describe('More than `limit` match.'),
  })
  .meta({ id: 'BulkResult' })
export type BulkView = z.infer<typeof BulkView>

const RANGE = {
  since: Instant.optional().describe('Default: 24 hours before `until`.'),
  until: Instant.optional().describe('Default: now.'),
}
export const FailureQuery = z.object({ endpoint: EndpointWord.optional(), ...RANGE, limit: rowLimit({ most: 500, usual: 100 }) })

export const FailureGroup = z
  .object({
    fingerprint: z.string(),
    endpoint: EndpointName,
    error: z.string().describe('The first line of the latest.'),
    count: z.int(),
    firstAt: z.number(),
    lastAt: z.number(),
    workers: z.int().describe('How many workers it happened on.'),
    example: z
      .object({ jobId: z.string(), workerId: z.string().optional(), text: z.string() })
      .describe('The latest; the text is of one that is the same failure.'),
  })
  .meta({ id: 'FailureGroup' })
export const FailureListView = z
  .object({
    failures: z.array(FailureGroup).describe('Most frequent first.'),
    total: z.int().describe('Failed jobs in the range.'),
    isComplete: z.boolean().describe('False: the range has more than could be read at once.'),
  })
  .meta({ id: 'FailureList' })
export type FailureListView = z.infer<typeof FailureListView>

export const WorkerQuery = z.object({ endpoint: EndpointWord.optional(), ...RANGE, limit: rowLimit({ most: 1000, usual: 200 }) })

export const WorkerLifeView = z
  .object({
    id: z.string(),
    endpoint: EndpointName,
    host: z.string(),
    hostId: z.string(),
    gpus: z.array(z.object({ uuid: z.string(), name: z.string(), simulated: z.boolean() })),
    image: z.string(),
    version: z.int(),
    phase: z.enum(WORKER_PHASES),
    startReason: Reason,
    jobsAtOnce: z.int().optional().describe('Jobs that it runs at a time, as its endpoint or its build sets it; absent: neither does.'),
    times: z
      .object({
        placed: z.number(),
        imageReady: z.number().optional(),
        containerStarted: z.number().optional(),
        ready: z.number().optional(),
        firstFunction: z.number().optional().describe('If a job had waited for its start.'),
        outdated: z.number().optional(),
        draining: z.number().optional(),
        gone: z.number().optional(),
      })
      .describe('When the worker reached each phase.'),
    endReason: Reason.optional(),
    message: z.string().optional().describe('How it ended, as a sentence.'),
    exitCode: z.int().nullable().optional(),
    oomKilled: z.boolean().optional(),
    jobs: z.int().describe('Jobs that it has ended.'),
    failed: z.int(),
  })
  .meta({ id: 'WorkerLife' })
export type WorkerLifeView = z.infer<typeof WorkerLifeView>
export const WorkerLifeListView = z
  .object({ workers: z.array(WorkerLifeView).describe('Those that are there, then those that are gone, latest first.') })
  .meta({ id: 'WorkerLifeList' })
export type WorkerLifeListView = z.infer<typeof WorkerLifeListView>

export const HISTORY_OPERATIONS = tagged('history', {
  'GET /runyard/v1/jobs': {
    id: 'findJobs',
    summary: 'Find jobs of all endpoints',
    description:
      'Ended jobs are remembered for `history.days`, without their inputs and outputs, and appear within a second after their end.',
    querystring: JobSearchQuery,
    reply: JobSearchView,
  },
  'GET /runyard/v1/jobs/:id': {
    id: 'findJob',
    summary: 'Read what is known of a job',
    description: 'By its id alone; also after its result is gone.',
    params: IdParams,
    reply: JobDetailView,
  },
  'GET /runyard/v1/jobs/:id/input': {
    id: 'readJobInput',
    summary: 'Read what was submitted, or its beginning',
    description: 'Kept until the job ends; of failed and timed-out jobs as long as their results, since a retry needs it.',
    params: IdParams,
    querystring: JobValueQuery,
    reply: JobValueView,
  },
  'GET /runyard/v1/jobs/:id/output': {
    id: 'readJobOutput',
    summary: 'Read the output of a job, or its beginning',
    description: 'Of a running job, its latest progress. Kept for `retention.asyncS` or `retention.syncS`.',
    params: IdParams,
    querystring: JobValueQuery,
    reply: JobValueView,
  },
  'POST /runyard/v1/jobs/bulk': {
    id: 'changeJobs',
    summary: 'Retry or cancel all jobs that match',
    body: BulkBody,
    reply: BulkView,
  },
  'GET /runyard/v1/failures': {
    id: 'listFailures',
    summary: 'Group failed jobs by their error',
    querystring: FailureQuery,
    reply: FailureListView,
  },
  'GET /runyard/v1/workers': {
    id: 'listWorkerLives',
    summary: 'List workers, also those that are gone',
    querystring: WorkerQuery,
    reply: WorkerLifeListView,
  },
  'GET /runyard/v1/workers/:id': {
    id: 'getWorkerLife',
    summary: 'Read the life of a worker',
    description: 'Also for `history.days` after its end.',
    params: IdParams,
    reply: WorkerLifeView,
  },
})
