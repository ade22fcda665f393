// The spans of a job's life, made at its end from what is known then: nothing is measured for them. Ids follow from the job's, so every process that meets the
// job names the same spans, and the worker and the receiver of the webhook can be given theirs before it exists.
import { createHash } from 'node:crypto'
import type { JobEnd } from '@runyard/core'
import { TRACEPARENT, type JobTimings, type WorkerRecord } from '@runyard/schema'

export interface Span {
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId?: string
  readonly name: string
  /** Epoch ms. */
  readonly from: number
  readonly to: number
  readonly attributes: Readonly<Record<string, string | number | undefined>>
  /** Of one that failed. */
  readonly error?: string
}

/** Where a job stands in a trace. */
export interface JobContext {
  readonly traceId: string
  /** Of the span of the job. */
  readonly spanId: string
  /** Of the caller. */
  readonly parentSpanId: string | undefined
}

/** What is known of a job beside its end. */
export interface TracedEnd extends JobEnd {
  /** As its caller sent it. */
  readonly traceparent?: string | undefined
  readonly timings?: JobTimings | undefined
  readonly worker?: Pick<WorkerRecord, 'createdAt' | 'containerStartedAt' | 'readyAt'> | undefined
}

/** Without a caller's trace, a job is a trace of its own. */
export function contextOf(jobId: string, traceparent: string | undefined): JobContext {
  const [, traceId, parentSpanId] = TRACEPARENT.exec(traceparent ?? '') ?? []
  return { traceId: traceId ?? idOf(32, 'trace', jobId), spanId: idOf(16, 'job', jobId), parentSpanId }
}

export const toTraceparent = ({ traceId, spanId }: JobContext): string => `00-${traceId}-${spanId}-01`

export function idOf(length: 16 | 32, ...names: readonly (string | number)[]): string {
  return createHash('sha256').update(names.join(' ')).digest('hex').slice(0, length)
}

interface EndpointName {
  readonly id: string
  readonly name: string | undefined
}

interface Part {
  readonly name: string
  readonly from: number | undefined
  readonly to: number | undefined
  readonly below?: string
}

/** The job, and below it its wait, the start of the worker that it waited for, its last attempt and the function in it. */
export function jobSpans(endpoint: EndpointName, end: TracedEnd): readonly Span[] {
  const { job, cause, traceparent } = end
  const { traceId, spanId, parentSpanId } = contextOf(job.id, traceparent)
  const whole: Span = {
    traceId,
    spanId,
    ...(parentSpanId === undefined ? {} : { parentSpanId }),
    name: 'job',
    from: job.submittedAt,
    to: endOf(job),
    attributes: {
      'runyard.endpoint': endpoint.name,
      'runyard.endpoint.id': endpoint.id,
      'runyard.job.id': job.id,
      'runyard.job.status': job.status,
      'runyard.job.cause': cause,
      'runyard.job.retries': job.retries,
      'runyard.worker.id': job.workerId,
    },
    ...(job.status === 'COMPLETED' || job.status === 'CANCELLED' ? {} : { error: job.status }),
  }
  const idFor = (name: string): string => idOf(16, name, job.id)
  const spans = [...partsOfWait(end), ...partsOfAttempt(end)].flatMap(({ name, from, to, below }): readonly Span[] => {
    // What is not known has no span.
    if (from === undefined || to === undefined || to < from) return []
    return [{ traceId, spanId: idFor(name), parentSpanId: below === undefined ? spanId : idFor(below), name, from, to, attributes: {} }]
  })
  return [whole, ...spans]
}

const endOf = ({ settledAt, submittedAt }: TracedEnd['job']): number => settledAt ?? submittedAt

function partsOfWait({ job, worker }: TracedEnd): readonly Part[] {
  const wait = { name: 'queue', from: job.submittedAt, to: job.startedAt ?? endOf(job) }
  // A worker that was ready before is not what the job waited for.
  if (worker === undefined || (worker.readyAt ?? Infinity) <= job.submittedAt) return [wait]
  const { createdAt, containerStartedAt, readyAt } = worker
  return [
    wait,
    { name: 'worker start', from: createdAt, to: readyAt, below: 'queue' },
    { name: 'container', from: createdAt, to: containerStartedAt, below: 'worker start' },
    { name: 'load', from: containerStartedAt, to: readyAt, below: 'worker start' },
  ]
}

function partsOfAttempt({ job, timings = {} }: TracedEnd): readonly Part[] {
  if (job.startedAt === undefined) return []
  const name = `attempt ${job.retries + 1}`
  return [
    { name, from: job.startedAt, to: endOf(job) },
    { name: 'function', from: timings.enteredAt, to: timings.returnedAt, below: name },
    { name: 'result', from: timings.returnedAt, to: endOf(job), below: name },
  ]
}
