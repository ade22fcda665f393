// The journal of job ends (ADR 44): one log line, one event and one set of measurements, identical whichever process ended the job.
// Only the process whose call ended the job writes an entry; a late call writes none.
import type { EndpointEvent, JobRecord, Reason, JobOutcome } from '@runyard/schema'
import { withoutTimeout } from './history/fingerprint.ts'

/** What ended a job. The history stores places in this list: only append to it. */
export const END_CAUSES = [
  'result',
  'stream_limit',
  'cancelled',
  'purged',
  'worker_lost',
  'execution_timeout',
  'ttl',
  'endpoint_deleted',
] as const
export type EndCause = (typeof END_CAUSES)[number]

export interface EndedJob extends Pick<
  JobRecord,
  'id' | 'status' | 'submittedAt' | 'startedAt' | 'settledAt' | 'workerId' | 'retries' | 'error'
> {
  /** The API key that submitted it; absent where the process that ended it does not know. */
  readonly keyId?: string | undefined
}

export interface JobEnd {
  readonly cause: EndCause
  readonly job: EndedJob
  /** Further explanation if the cause alone is not enough. */
  readonly reason?: Reason
}

/** Jobs that one call ended without reading them. None of them had started. */
export interface UnreadEnds {
  readonly cause: EndCause
  readonly status: JobRecord['status']
  readonly error: string
  readonly at: number
  readonly jobs: number
}

interface EndpointName {
  readonly id: string
  readonly name: string | undefined
}

export interface JobLine {
  readonly endpointId: string
  readonly endpoint: string | undefined
  readonly jobId: string
  readonly workerId: string | undefined
  readonly status: string
  readonly delayMs: number
  readonly executionMs: number
  readonly retries: number
  readonly reason: string | undefined
}

export interface JobsLine extends Pick<JobLine, 'endpointId' | 'endpoint' | 'status' | 'reason'> {
  readonly jobs: number
}

export type EndLine = (JobLine | JobsLine) & { readonly cause: EndCause }

/** For the metrics: `jobs` that ended in the same way. Only a single job that had started has durations. */
export interface EndMeasure {
  readonly endpointId: string
  readonly cause: EndCause
  readonly status: string
  readonly jobs: number
  readonly durations?: { readonly delayMs: number; readonly executionMs: number }
}

export interface JournalEntry {
  readonly text: 'job settled' | 'jobs settled'
  readonly line: EndLine
  /** Undefined if the endpoint is deleted, because its history is removed with it. */
  readonly event: EndpointEvent | undefined
  readonly measures: readonly EndMeasure[]
}

/** Where entries go. */
export interface JournalPort {
  /** For the history (ADR 79), each job by itself. */
  keep(endpointId: string, ends: readonly JobEnd[]): void
  log(line: EndLine, text: JournalEntry['text']): void
  event(event: EndpointEvent): void
  measure(measure: EndMeasure): void
}

/** If one call ends more jobs than this, they become one entry: ten thousand lines would push everything else out of the log. */
const LISTED_ENDS = 20
/** Error texts contain whole tracebacks; a log line needs only their beginning. */
const LONGEST_REASON = 200

/** Writes the entries for the jobs that one call of this process ended. */
export function writeJournal(port: JournalPort, endpoint: EndpointName, ends: readonly JobEnd[]): void {
  if (ends.length > 0) port.keep(endpoint.id, ends)
  for (const entry of journalOf(endpoint, ends)) writeEntry(port, entry)
}

/** Writes one entry for jobs that were ended without being read; nothing if there are none. */
export function writeUnread(port: JournalPort, endpoint: EndpointName, ends: UnreadEnds): void {
  if (ends.jobs > 0) writeEntry(port, entryOfMany(endpoint, ends, [measureOfMany(endpoint.id, ends)]))
}

function writeEntry(port: JournalPort, { line, text, event, measures }: JournalEntry): void {
  port.log(line, text)
  if (event !== undefined) port.event(event)
  for (const measure of measures) port.measure(measure)
}

export function journalOf(endpoint: EndpointName, ends: readonly JobEnd[]): readonly JournalEntry[] {
  if (ends.length <= LISTED_ENDS) return ends.map((end) => entryOf(endpoint, end))
  const alike = Map.groupBy(ends, ({ cause, job }) => `${cause} ${job.status}`)
  return [...alike.values()].flatMap((group) => group.slice(0, 1).map((first) => entryOfGroup(endpoint, first, group)))
}

function entryOf(endpoint: EndpointName, end: JobEnd): JournalEntry {
  const { cause, job } = end
  return {
    text: 'job settled',
    line: { ...jobLine(endpoint, job), cause },
    event: eventOf(endpoint.id, end),
    measures: [measureOf(endpoint.id, end)],
  }
}

function eventOf(endpointId: string, { cause, job, reason }: JobEnd): EndpointEvent | undefined {
  if (cause === 'endpoint_deleted') return undefined
  const { id, status, workerId, error } = job
  const why = reason ?? (cause === 'execution_timeout' ? cause : undefined)
  // A worker's own error is in the job's record and may have any length.
  const message = cause === 'result' || error === undefined ? undefined : withoutTimeout(error)
  return {
    at: endedAt(job),
    endpointId,
    kind: 'job_settled',
    jobId: id,
    ...(workerId === undefined ? {} : { workerId }),
    status,
    ...(why === undefined ? {} : { reason: why }),
    ...(message === undefined ? {} : { message }),
  }
}

function entryOfGroup(endpoint: EndpointName, { cause, job }: JobEnd, ends: readonly JobEnd[]): JournalEntry {
  const at = Math.max(...ends.map((end) => endedAt(end.job)))
  const all: UnreadEnds = { cause, status: job.status, error: job.error ?? cause, at, jobs: ends.length }
  const started = ends.filter((end) => end.job.startedAt !== undefined)
  const waiting = ends.length - started.length
  const measures = started.map((end) => measureOf(endpoint.id, end))
  return entryOfMany(endpoint, all, waiting === 0 ? measures : [...measures, measureOfMany(endpoint.id, { ...all, jobs: waiting })])
}

function entryOfMany({ id, name }: EndpointName, ends: UnreadEnds, measures: readonly EndMeasure[]): JournalEntry {
  const { cause, status, at, jobs } = ends
  const error = withoutTimeout(ends.error)
  const text = `${error}: ${jobs} ${jobs === 1 ? 'job' : 'jobs'}`
  return {
    text: 'jobs settled',
    line: { endpointId: id, endpoint: name, jobs, status, reason: error.slice(0, LONGEST_REASON), cause },
    event: cause === 'endpoint_deleted' ? undefined : { at, endpointId: id, kind: 'job_settled', status, message: text },
    measures,
  }
}

function measureOf(endpointId: string, { cause, job }: JobEnd): EndMeasure {
  const durations = job.startedAt === undefined ? {} : { durations: jobDurations(job) }
  return { endpointId, cause, status: job.status, jobs: 1, ...durations }
}

function measureOfMany(endpointId: string, { cause, status, jobs }: UnreadEnds): EndMeasure {
  return { endpointId, cause, status, jobs }
}

function endedAt({ settledAt, submittedAt }: EndedJob): number {
  return settledAt ?? submittedAt
}

/** An ended job whose record could not be read, from what the ending process knows. It counts as never started. */
export function unreadJob({ at, ...known }: Pick<EndedJob, 'id' | 'status' | 'workerId' | 'error'> & { readonly at: number }): EndedJob {
  return { ...known, submittedAt: at, settledAt: at, retries: 0 }
}

export function jobLine(endpoint: EndpointName, job: EndedJob): JobLine {
  return {
    endpointId: endpoint.id,
    endpoint: endpoint.name,
    jobId: job.id,
    workerId: job.workerId,
    status: job.status,
    ...jobDurations(job),
    retries: job.retries,
    reason: job.error === undefined ? undefined : withoutTimeout(job.error).slice(0, LONGEST_REASON),
  }
}

/** Submission → start of the last attempt, start → end: whole milliseconds (client-api §4.3, R12). */
export function jobDurations(job: Pick<JobRecord, 'submittedAt' | 'startedAt' | 'settledAt'>): { delayMs: number; executionMs: number } {
  return { delayMs: elapsedMs(job.submittedAt, job.startedAt), executionMs: elapsedMs(job.startedAt, job.settledAt) }
}

/** 0 if one of the times is unknown or the clock was set back. */
function elapsedMs(from: number | undefined, to: number | undefined): number {
  return from === undefined || to === undefined ? 0 : Math.max(0, Math.round(to - from))
}

/** Why a worker's result had no effect: the first outcome stays, and a stale attempt's write is rejected (ADR 2). */
export type IgnoredReason = Extract<Reason, 'result_repeated' | 'job_ended' | 'attempt_superseded' | 'job_unknown'>

/** Derived from the job's current record. `outcome`: undefined if it was not read. `job`: undefined if it was never submitted, is past its retention, or was deleted with its endpoint. */
export function whyIgnored(
  job: Pick<JobRecord, 'status' | 'workerId' | 'error' | 'settledAt'> | undefined,
  posted: { readonly workerId: string; readonly outcome: JobOutcome | undefined },
): IgnoredReason {
  if (job === undefined) return 'job_unknown'
  if (job.settledAt === undefined) return 'attempt_superseded'
  if (job.workerId === undefined) return 'job_ended'
  if (job.workerId !== posted.workerId) return 'attempt_superseded'
  if (posted.outcome === undefined) return job.status === 'COMPLETED' ? 'result_repeated' : 'job_ended'
  return job.status === posted.outcome.status && job.error === posted.outcome.error ? 'result_repeated' : 'job_ended'
}
