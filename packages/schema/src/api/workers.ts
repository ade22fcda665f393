// An endpoint's workers, their logs and the endpoint's history (management §3.3, §3.4; flash-api §4.4). Events and the retry are ours.
import { z } from 'zod'
import { EndpointEvent, EventSubject } from '../events.ts'
import { WorkerStatus } from '../wire-words.ts'
import { DateTime, IdParams, Instant, Pagination, rowLimit } from './shared.ts'

export const WorkerView = z
  .object({
    id: z.string(),
    status: WorkerStatus,
    isStale: z.boolean().describe('It runs an older version of the endpoint.'),
    version: z.int().nullable(),
    gpuCount: z.int(),
    image: z.string().nullable().describe('null: wanted, but not placed yet.'),
    uptimeSeconds: z.int().nullable(),
    gpuTypeId: z.string().nullable(),
    dataCenterId: z.string().nullable(),
    startedAt: DateTime.nullable(),
    // Not Runpod's.
    isDraining: z.literal(true).optional().describe('It takes no more jobs and ends after those that it has.'),
    message: z.string().optional().describe('Of a worker that is wanted but not there: why.'),
    nextTryAt: DateTime.optional().describe('Of a worker that failed to start: when the next start is tried.'),
  })
  .meta({ id: 'Worker' })
export type WorkerView = z.infer<typeof WorkerView>

export const WorkerListView = z
  .object({
    workers: z.array(WorkerView),
    summary: z
      .object({
        running: z.int(),
        idle: z.int(),
        initializing: z.int(),
        throttled: z.int(),
        unhealthy: z.int(),
        total: z.int(),
      })
      .describe('The parts sum to `total`; `workers` has at most 100 rows of each kind of worker without a place.'),
    endpointVersion: z.int(),
    pagination: Pagination,
  })
  .meta({ id: 'WorkerList' })
export type WorkerListView = z.infer<typeof WorkerListView>

export const EventQuery = z.object({ limit: rowLimit({ most: 1000, usual: 200 }), about: EventSubject.default('all') })
export const EventListView = z
  .object({ events: z.array(EndpointEvent).describe('Oldest first; times are epoch milliseconds.'), pagination: Pagination })
  .meta({ id: 'EventList' })
export type EventListView = z.infer<typeof EventListView>

export const RetryView = z.object({ id: z.string(), name: z.string(), retriedAt: DateTime }).meta({ id: 'EndpointRetry' })

export const LOG_SOURCES = ['container', 'system'] as const
const MAX_TAIL = 5000

export const LogParams = IdParams.extend({ workerId: z.string() })
export const LogQuery = z.object({
  source: z.enum(LOG_SOURCES).default('container').describe('What the worker printed, or what happened to it.'),
  tail: z.coerce.number().int().min(0).max(MAX_TAIL).default(100).describe('How many of the latest lines come first.'),
  since: Instant.optional(),
})
export type LogQuery = z.infer<typeof LogQuery>

export const LogEventView = z.object({ source: z.enum(LOG_SOURCES), line: z.string(), ts: DateTime }).meta({ id: 'LogEvent' })
export type LogEventView = z.infer<typeof LogEventView>

export const WorkerLogsView = z
  .object({
    container: z.array(z.string()).describe('What the worker printed, each line with its time.'),
    system: z.array(z.string()).describe('What happened to it.'),
  })
  .meta({ id: 'WorkerLogs' })
export type WorkerLogsView = z.infer<typeof WorkerLogsView>
