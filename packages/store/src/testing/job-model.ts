// For the property tests: what the store promises of the jobs of one endpoint, in plain data. Each function says what an operation must
// answer and changes the model accordingly; it knows nothing of Redis.
import type { ValueRecord } from './value-store.ts'

export const BUDGET = 1

export interface JobModel {
  state: 'waiting' | 'leased' | 'ended' | 'swept'
  readonly lowPriority: boolean
  /** Lost together with others: it runs alone until it ends. */
  isSuspect: boolean
  /** Whose lease it is; undefined: it has run out. */
  holder: string | undefined
  /** The worker that took it last in this life. It may write until the job is taken back. */
  last: string | undefined
  /** Who took it last in earlier lives. */
  readonly barred: Set<string>
  attempts: number
  /** Chunks that may not have reached a reader. */
  chunks: unknown[]
  /** Whose answer has the first of them; void: others may have them. */
  claim: { readonly id: string; isVoid: boolean } | undefined
  /** Every answer of its stream so far. */
  readonly answers: { readonly claim: string; readonly count: number }[]
  progress: unknown
  /** As first read after its end. */
  record: ValueRecord | undefined
}

export interface EndpointModel {
  readonly jobs: Map<string, JobModel>
  completed: number
  failed: number
  retried: number
}

export function createModel(): EndpointModel {
  return { jobs: new Map(), completed: 0, failed: 0, retried: 0 }
}

export function submitted(model: EndpointModel, id: string, lowPriority: boolean): void {
  const fresh = { holder: undefined, last: undefined, attempts: 0, chunks: [], claim: undefined, progress: undefined, record: undefined }
  model.jobs.set(id, { state: 'waiting', lowPriority, isSuspect: false, barred: new Set(), answers: [], ...fresh })
}

/** What a worker has, also by leases that have run out. */
export function heldBy(model: EndpointModel, worker: string): readonly JobModel[] {
  return [...model.jobs.values()].filter(({ state, last }) => state === 'leased' && last === worker)
}

/** The jobs that a take may hand out: suspects, to a worker without others; else of the normal ones if there are any. */
export function takeable(model: EndpointModel, worker: string): readonly string[] | 'not_now' {
  const held = heldBy(model, worker)
  const waiting = [...model.jobs].filter(([, job]) => job.state === 'waiting')
  const suspects = waiting.filter(([, job]) => job.isSuspect)
  if (held.some(({ isSuspect }) => isSuspect) || (suspects.length > 0 && held.length > 0)) return 'not_now'
  const may = suspects.length > 0 ? suspects : waiting
  const normal = may.filter(([, job]) => !job.lowPriority)
  return (normal.length > 0 ? normal : may).map(([id]) => id)
}

/** A worker is lost with all that it held, or with what its leases no longer cover. */
export function lostWithAll(model: EndpointModel, worker: string, isNamed: boolean): void {
  const lost = heldBy(model, worker).filter(({ holder }) => isNamed || holder === undefined)
  if (lost.length > 1) for (const job of lost) job.isSuspect = true
}

export function taken(job: JobModel, worker: string): void {
  Object.assign(job, { state: 'leased', holder: worker, last: worker, attempts: job.attempts + 1, progress: undefined })
}

export function mayWrite(job: JobModel | undefined, worker: string): boolean {
  return job?.state === 'leased' && (job.holder ?? job.last) === worker
}

/** What a write of a worker must answer. */
export function answerTo(job: JobModel | undefined, worker: string): 'settled' | 'already_settled' | 'not_holder' {
  if (job?.state === 'ended') return 'already_settled'
  return mayWrite(job, worker) ? 'settled' : 'not_holder'
}

export function mayBeTakenBack(job: JobModel | undefined, worker: string | undefined): job is JobModel {
  return job?.state === 'leased' && (job.holder === undefined || job.holder === worker)
}

/** What is there for the next answer of its stream. */
export function claimable(job: JobModel): readonly unknown[] {
  return job.claim === undefined || job.claim.isVoid ? job.chunks : []
}

/** One of the jobs that have a stream to read or had an answer of it. */
export function pickStream(model: EndpointModel, pick: number): readonly [string, JobModel] | undefined {
  const streams = [...model.jobs].filter(([, { answers, chunks }]) => answers.length + chunks.length > 0)
  return streams[pick % streams.length]
}

/** The next attempt streams from its beginning. */
export function requeued(job: JobModel): void {
  Object.assign(job, { state: 'waiting', holder: undefined, progress: undefined, chunks: [], claim: undefined })
}

/** Counted once, by what it ended as; a purged or cancelled job is neither. */
export function ended(model: EndpointModel, job: JobModel, status: string): void {
  job.state = 'ended'
  job.isSuspect = false
  job.holder = undefined
  if (status === 'COMPLETED') model.completed += 1
  if (status === 'FAILED') model.failed += 1
}

export function revived(job: JobModel): void {
  if (job.last !== undefined) job.barred.add(job.last)
  Object.assign(job, {
    state: 'waiting',
    holder: undefined,
    last: undefined,
    attempts: 0,
    chunks: [],
    claim: undefined,
    progress: undefined,
    record: undefined,
  })
}

/** What `stats` must say. */
export function countsOf(model: EndpointModel): Record<'waiting' | 'inProgress' | 'completed' | 'failed' | 'retried', number> {
  const states = [...model.jobs.values()].map(({ state }) => state)
  const { completed, failed, retried } = model
  const count = (state: JobModel['state']): number => states.filter((one) => one === state).length
  return { waiting: count('waiting'), inProgress: count('leased'), completed, failed, retried }
}

/** What `get` must say, in part. */
export function recordOf(job: JobModel): Partial<ValueRecord> | undefined {
  if (job.state === 'swept') return undefined
  if (job.state === 'ended') return job.record
  const isHeld = job.state === 'leased' && job.holder !== undefined
  const output = isHeld ? job.progress : undefined
  return { status: isHeld ? 'IN_PROGRESS' : 'IN_QUEUE', retries: Math.max(0, job.attempts - 1), output }
}
