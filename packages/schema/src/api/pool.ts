// Hosts and cards now, what each card did, and numbers over time (ours, ADR 80). Times are epoch milliseconds.
import { z } from 'zod'
import { CardFault } from '../card.ts'
import { Cordon, HOST_KINDS } from '../host.ts'
import { Reason } from '../reason.ts'
import { tagged } from './operation.ts'
import { Instant } from './shared.ts'

const EndpointName = z.object({ id: z.string(), name: z.string() })
const Ratio = z.number().nullable().describe('0 to 1; null: the driver does not say.')

const CardSampleView = z.object({
  at: z.number(),
  load: Ratio,
  memory: Ratio,
  powerW: z.number().nullable(),
  temperatureC: z.number().nullable(),
})

export const PoolCard = z
  .object({
    uuid: z.string(),
    index: z.int(),
    name: z.string(),
    memoryBytes: z.number(),
    simulated: z.boolean(),
    healthy: z.boolean(),
    fault: z.string().optional(),
    reserved: z.boolean().optional().describe('The operator keeps it for other uses.'),
    outOfUse: z
      .object({
        kind: z.enum(['releasing', 'quarantined', 'probation']),
        since: z.number(),
        cause: CardFault.optional(),
        message: z.string().optional(),
      })
      .optional()
      .describe('Why no worker may have it now.'),
    holders: z
      .array(z.object({ workerId: z.string().nullable(), endpoint: EndpointName.nullable() }))
      .describe('Workers that have it; null where they belong to somebody else.'),
    sample: CardSampleView.optional().describe('At most ten seconds old; absent: not known.'),
  })
  .meta({ id: 'PoolCard' })
export type PoolCard = z.infer<typeof PoolCard>

export const PoolHost = z
  .object({
    id: z.string(),
    label: z.string(),
    kind: z.enum(HOST_KINDS),
    health: z.enum(['ready', 'unready', 'unreachable']),
    problem: z.string().optional(),
    seenAt: z.number(),
    cordon: Cordon.optional(),
    rest: z
      .object({ what: z.enum(['host', 'gpus']), message: z.string() })
      .optional()
      .describe('It failed starts and rests.'),
    lowDisk: z.string().optional(),
    cpus: z.number().optional(),
    memoryBytes: z.number().optional(),
    standby: z.int().describe('Workers that wait for an endpoint.'),
    gpus: z.array(PoolCard),
  })
  .meta({ id: 'PoolHost' })
export type PoolHost = z.infer<typeof PoolHost>

export const PoolView = z
  .object({ hosts: z.array(PoolHost), scalerAt: z.number().nullable().describe('Of the last report of the scaler; null: there is none.') })
  .meta({ id: 'Pool' })
export type PoolView = z.infer<typeof PoolView>

const whole = (least: number, most: number, usual: number) => z.coerce.number().int().min(least).max(most).default(usual)
const SPAN = {
  from: Instant.optional().describe('Default: an hour before `to`.'),
  to: Instant.optional().describe('Default: now.'),
}

export const TimelineQuery = z.object({
  ...SPAN,
  px: whole(10, 4000, 1000).describe('How wide it is drawn.'),
  group: z.enum(['host', 'type', 'endpoint']).default('host').describe('What the lanes are ordered by.'),
  endpoint: z.string().min(1).max(200).optional().describe('Only workers and jobs of this endpoint, by id or name.'),
  gpu: z.string().min(1).max(200).optional().describe('Only the lane of this card, by its uuid.'),
  mostJobs: z.coerce
    .number()
    .int()
    .min(0)
    .max(16_000)
    .optional()
    .describe('Lists jobs only if there are no more; default: four per pixel.'),
})

const Interval = { from: z.number(), to: z.number() }
export const TimelineLane = z
  .object({
    uuid: z.string(),
    host: z.string(),
    hostId: z.string(),
    index: z.int().optional().describe('Its number on its host; absent: it is no longer there.'),
    name: z.string(),
    simulated: z.boolean(),
    group: z.string(),
    phases: z
      .string()
      .describe('A letter per pixel: . free, p image pull, s starting, i idle, b busy, d draining, q quarantined, u unknown.'),
    load: z.string().describe('A digit of base 36 per `readingPx` pixels: 0 no load, z full load, - not known.'),
    memory: z.string().describe('The same of memory.'),
    power: z.string().describe('The same of its power, as a share of the limit.'),
    failed: z.array(z.int()).describe('Pixels in which a job failed.'),
    workers: z
      .array(
        z.object({
          id: z.string(),
          endpoint: EndpointName,
          version: z.int(),
          phases: z.array(z.object({ ...Interval, phase: z.enum(['pulling', 'starting', 'idle', 'draining']) })),
          startReason: Reason,
          endReason: Reason.optional(),
        }),
      )
      .optional()
      .describe('Few enough to draw them: those of the caller.'),
    jobs: z
      .array(z.object({ id: z.string(), endpointId: z.string(), status: z.string(), ...Interval }))
      .optional()
      .describe('Few enough to draw them.'),
  })
  .meta({ id: 'TimelineLane' })
export type TimelineLane = z.infer<typeof TimelineLane>
export const TimelineView = z
  .object({
    from: z.number(),
    to: z.number(),
    now: z.number().describe('When it was drawn; nothing is known of what comes after.'),
    px: z.int(),
    readingPx: z.int().describe('How many pixels a digit of load, memory and power covers.'),
    level: z.enum(['near', 'middle', 'far']).describe('middle: workers are listed, too; near: workers and jobs.'),
    lanes: z.array(TimelineLane),
    absences: z.array(z.object({ ...Interval, uuid: z.string().optional(), hostId: z.string().optional(), cause: z.string() })),
    isComplete: z.boolean().describe('False: the range has more jobs than could be read at once; the earliest are missing.'),
  })
  .meta({ id: 'Timeline' })
export type TimelineView = z.infer<typeof TimelineView>

export const SeriesQuery = z.object({
  ...SPAN,
  endpoint: z.string().min(1).max(200).optional().describe('Id or name; absent: all of the caller together.'),
  gpu: z.string().min(1).max(200).optional().describe('Uuid of a card: its readings instead.'),
  points: whole(1, 2000, 300).describe('How many at most.'),
})

const MsOrNull = z.number().nullable().describe('Milliseconds; null: none started.')
export const SeriesPoint = z
  .object({
    at: z.number(),
    accepted: z.number(),
    completed: z.number(),
    failed: z.number(),
    cancelled: z.number(),
    timedOut: z.number(),
    retried: z.number(),
    queue: z.number().describe('The highest, as the others below.'),
    oldestS: z.number(),
    throttled: z.number(),
    starting: z.number(),
    idle: z.number(),
    busy: z.number(),
    draining: z.number(),
    reason: z.string().optional().describe('Why workers were throttled.'),
    message: z.string().optional().describe('The same as a sentence.'),
    waitP50: MsOrNull,
    waitP95: MsOrNull,
    runP50: MsOrNull,
    runP95: MsOrNull,
  })
  .meta({ id: 'SeriesPoint' })
export const SeriesView = z
  .object({
    stepMs: z.number(),
    points: z.array(SeriesPoint).describe('Steps in which something happened; empty with `gpu`.'),
    total: SeriesPoint.omit({ at: true }).describe('All points together.'),
    samples: z.array(CardSampleView).describe('Of the card; empty without `gpu`.'),
  })
  .meta({ id: 'Series' })
export type SeriesView = z.infer<typeof SeriesView>

export const POOL_OPERATIONS = tagged('history', {
  'GET /runyard/v1/pool': { id: 'getPool', summary: 'Read hosts and cards as they are now', reply: PoolView },
  'GET /runyard/v1/timeline': {
    id: 'getTimeline',
    summary: 'Read what each card did',
    description: 'One lane per card, drawn for a width. Workers and jobs of other owners have no names.',
    querystring: TimelineQuery,
    reply: TimelineView,
  },
  'GET /runyard/v1/series': {
    id: 'getSeries',
    summary: 'Read numbers of endpoints, or readings of a card, over time',
    querystring: SeriesQuery,
    reply: SeriesView,
  },
})
