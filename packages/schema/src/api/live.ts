// Logs of all workers merged, and what is now as one stream of events (ours, ADR 79). Times are epoch milliseconds.
import { z } from 'zod'
import { HealthView } from './jobs.ts'
import { tagged } from './operation.ts'
import { Instant, rowLimit } from './shared.ts'

const word = (length = 200) => z.string().min(1).max(length)

export const MergedLogQuery = z.object({
  endpoint: word().optional().describe('Id or name; absent: all of the caller.'),
  worker: word().optional(),
  job: word().optional().describe('Lines that are known to belong to this job, of all its attempts.'),
  level: z
    .enum(['debug', 'info', 'warn', 'error'])
    .optional()
    .describe('Of this level or a higher one; debug: also lines that do not say.'),
  source: z.enum(['container', 'system', 'all']).default('container'),
  q: word().optional().describe('Text in the line.'),
  from: Instant.optional().describe('From this time on.'),
  to: Instant.optional().describe('Before this time.'),
  limit: rowLimit({ most: 2000, usual: 200 }),
  cursor: z.coerce.number().min(0).optional().describe('`nextCursor` of the page before: what is older.'),
})
export type MergedLogQuery = z.infer<typeof MergedLogQuery>

export const MergedLine = z
  .object({
    at: z.number(),
    endpointId: z.string(),
    workerId: z.string(),
    source: z.enum(['container', 'system']),
    line: z.string(),
    level: z.enum(['debug', 'info', 'warn', 'error']).optional().describe('Absent: the line does not say.'),
    jobId: z.string().optional().describe('Absent: not known, because the worker had no job or several.'),
  })
  .meta({ id: 'MergedLine' })
export type MergedLine = z.infer<typeof MergedLine>

export const MergedLogView = z
  .object({
    lines: z.array(MergedLine).describe('The latest that match, oldest first.'),
    nextCursor: z.number().nullable().describe('Older lines are before it; null: there are none.'),
    workers: z.int().describe('How many workers were read: those that are there, and those that are gone for less than an hour.'),
  })
  .meta({ id: 'MergedLog' })
export type MergedLogView = z.infer<typeof MergedLogView>

export const MOST_TOPICS = 50
export const LiveQuery = z.object({
  topics: word(4000).describe(
    'Separated by commas: `pool`, `endpoints`, `store`, `endpoint:{id or name}`, `job:{id}`; 50 at most. One that is not there does not refuse the others.',
  ),
})

/** Of the topic `endpoint:{id}`; the topic `endpoints` has a list of them. */
export const EndpointLoadView = HealthView.extend({
  id: z.string(),
  name: z.string(),
  revision: z.string().optional().describe('Only in `endpoints`: another one after each change of the endpoint itself.'),
}).meta({
  id: 'EndpointLoad',
  description: 'What `GET /v2/{endpoint}/health` says of an endpoint, with its id and name.',
})
export type EndpointLoadView = z.infer<typeof EndpointLoadView>

export const LiveEvent = z.object({ topic: z.string(), value: z.unknown().optional(), gap: z.string().optional() }).meta({
  id: 'LiveEvent',
  description:
    '`value` is the whole state of the topic now: a `Pool`, a list of `EndpointLoad`, one `EndpointLoad`, whether Redis answers (`{"redis": "up"}` or `"away"`), or what `GET /runyard/v1/jobs/{id}` knows of the job without its payload; null: it is not there (never was, is gone, or belongs to another owner). `gap` says why states in between may be missing; the next value is right again.',
})
export type LiveEvent = z.infer<typeof LiveEvent>

export const LIVE_OPERATIONS = tagged('history', {
  'GET /runyard/v1/logs': {
    id: 'getLogs',
    summary: 'Read or follow the logs of all workers, merged by time',
    description: 'With `Accept: text/event-stream` lines follow as they come; `Last-Event-ID` goes on after a line.',
    querystring: MergedLogQuery,
    reply: MergedLogView,
    events: MergedLine,
  },
  'GET /runyard/v1/live': {
    id: 'followLive',
    summary: 'Follow what changes',
    description: 'Server-sent events of several topics over one connection, at most five a second for each topic.',
    querystring: LiveQuery,
    events: LiveEvent,
  },
})
