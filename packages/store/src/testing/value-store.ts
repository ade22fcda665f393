// For this package's tests: a store whose jobs carry values. The store itself carries JSON text that it does not look into; tests say and expect
// what the text means.
import { toJson, type JobOutcome, type JobRecord, type JobSubmission, type JsonText } from '@runyard/schema'
import { parseJson } from '@runyard/schema/json-join'
import type { OpenStoreOptions } from '../store-options.ts'
import type * as real from '../index.ts'
import { openStore } from '../open-store.ts'

type WithValues<T> = { [K in keyof T]: JsonText extends T[K] ? unknown : T[K] }
export type ValueSubmission = Omit<JobSubmission, 'input' | 's3Config'> & { readonly input: unknown; readonly s3Config?: unknown }
export type ValueOutcome = WithValues<JobOutcome>
export type ValueRecord = WithValues<JobRecord>
export type StreamClaim = Omit<real.StreamClaim, 'chunks' | 'record'> & {
  readonly chunks: readonly unknown[]
  readonly record: ValueRecord
}
type StreamRead = Omit<StreamClaim, 'claim' | 'heldBackMs'>

export interface JobStore extends Omit<
  real.JobStore,
  | 'submit'
  | 'submitOnce'
  | 'take'
  | 'progress'
  | 'appendChunk'
  | 'settle'
  | 'forceSettle'
  | 'get'
  | 'submission'
  | 'claimChunks'
  | 'readChunks'
> {
  submit(endpointId: string, submission: ValueSubmission, counted?: real.CountedKey): Promise<void>
  submitOnce(
    endpointId: string,
    submission: ValueSubmission,
    once: Parameters<real.JobStore['submitOnce']>[2],
  ): ReturnType<real.JobStore['submitOnce']>
  take(
    endpointId: string,
    workerId: string,
  ): Promise<(Omit<real.TakenJob, 'submission'> & { submission: ValueSubmission }) | undefined | null>
  progress(report: real.HeldJob & { output: unknown }): Promise<real.SettleResult>
  appendChunk(streamed: real.HeldJob & { chunk: unknown; post?: string | undefined }): Promise<real.ChunkResult>
  settle(result: real.HeldJob & { outcome: ValueOutcome }, sent?: () => void): Promise<real.SettleResult>
  forceSettle(
    endpointId: string,
    jobId: string,
    outcome: ValueOutcome,
  ): Promise<{ result: real.SettleResult | 'unknown'; heldBy?: string; record?: ValueRecord }>
  get(endpointId: string, jobId: string): Promise<ValueRecord | undefined>
  submission(endpointId: string, jobId: string): Promise<ValueSubmission | undefined>
  claimChunks(...what: Parameters<real.JobStore['claimChunks']>): Promise<StreamClaim | undefined>
  readChunks(...what: Parameters<real.JobStore['readChunks']>): Promise<StreamRead | undefined>
}

export type BatchStore = Omit<real.Store['batches'], 'add'> & {
  add(
    at: Parameters<real.Store['batches']['add']>[0],
    requests: readonly ValueSubmission[],
    limits: Parameters<real.Store['batches']['add']>[2],
  ): ReturnType<real.Store['batches']['add']>
}

export interface ClaimedWebhook extends Omit<real.ClaimedWebhook, 'read'> {
  read(): Promise<{ readonly record: ValueRecord; readonly input?: unknown }>
}

export type WebhookStore = Omit<real.WebhookStore, 'claim'> & {
  claim(
    ...what: Parameters<real.WebhookStore['claim']>
  ): Promise<Omit<Awaited<ReturnType<real.WebhookStore['claim']>>, 'events'> & { readonly events: readonly ClaimedWebhook[] }>
}

export interface Store extends Omit<real.Store, 'jobs' | 'batches' | 'webhooks'> {
  readonly jobs: JobStore
  readonly batches: BatchStore
  readonly webhooks: WebhookStore
}

/** Undefined stays absent. */
function toTexts(fields: object, ...names: readonly string[]): never {
  return mapFields(fields, names, toJson)
}

function toValues(fields: object | undefined, ...names: readonly string[]): never {
  return (fields === undefined ? undefined : mapFields(fields, names, (json) => parseJson(json as JsonText))) as never
}

function mapFields(fields: object, names: readonly string[], map: (value: unknown) => unknown): never {
  const entries = Object.entries(fields).map(([name, value]) => [name, names.includes(name) && value !== undefined ? map(value) : value])
  return Object.fromEntries(entries) as never
}

const toSubmission = (submission: ValueSubmission): JobSubmission => toTexts(submission, 'input', 's3Config')
const toOutcome = (outcome: ValueOutcome): JobOutcome => toTexts(outcome, 'output')
const toRecord = (record: JobRecord | undefined): ValueRecord | undefined => toValues(record, 'output')

function toRead<T extends real.StreamRead>(read: T | undefined): Omit<T, 'chunks' | 'record'> & StreamRead {
  if (read === undefined) return undefined as never
  return { ...read, record: toRecord(read.record) as ValueRecord, chunks: read.chunks.map(parseJson) }
}

export async function openValueStore(options: OpenStoreOptions): Promise<Store> {
  return withValues(await openStore(options))
}

export function withValues(store: real.Store): Store {
  const { batches, webhooks } = store
  return {
    ...store,
    jobs: toValueJobs(store.jobs),
    batches: { ...batches, add: (at, requests, limits) => batches.add(at, requests.map(toSubmission), limits) },
    webhooks: {
      ...webhooks,
      async claim(...what) {
        const claimed = await webhooks.claim(...what)
        const events = claimed.events.map((event) => ({
          ...event,
          async read() {
            const { record, ...rest } = await event.read()
            return toValues({ ...rest, record: toRecord(record) }, 'input')
          },
        }))
        return { ...claimed, events }
      },
    },
    [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
  }
}

function toValueJobs(jobs: real.JobStore): JobStore {
  return {
    ...jobs,
    submit: (endpointId, submission, counted) => jobs.submit(endpointId, toSubmission(submission), counted),
    submitOnce: (endpointId, submission, once) => jobs.submitOnce(endpointId, toSubmission(submission), once),
    async take(endpointId, workerId) {
      const taken = await jobs.take(endpointId, workerId)
      return taken === undefined || taken === null ? taken : { ...taken, submission: toValues(taken.submission, 'input', 's3Config') }
    },
    progress: (report) => jobs.progress({ ...report, output: toJson(report.output) }),
    appendChunk: (streamed) => jobs.appendChunk({ ...streamed, chunk: toJson(streamed.chunk) }),
    settle: (result, sent) => jobs.settle({ ...result, outcome: toOutcome(result.outcome) }, sent),
    async forceSettle(endpointId, jobId, outcome) {
      const { record, ...rest } = await jobs.forceSettle(endpointId, jobId, toOutcome(outcome))
      return record === undefined ? rest : { ...rest, record: toRecord(record) as ValueRecord }
    },
    get: async (...what) => toRecord(await jobs.get(...what)),
    submission: async (...what) => toValues(await jobs.submission(...what), 'input', 's3Config'),
    claimChunks: async (...what) => toRead(await jobs.claimChunks(...what)),
    readChunks: async (...what) => toRead(await jobs.readChunks(...what)),
  }
}
