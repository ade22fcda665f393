// Batches in Redis. Whatever takes many steps is noted as unfinished first and can be taken up by any process at any point.
import { toJson, type BatchStatus, type JobStatus, type JobSubmission } from '@runyard/schema'
import type { BatchAt, BatchCounts, BatchRecord, BatchStore, RequestState } from './batch-types.ts'
import type { StoreContext } from '../context.ts'
import { NO_LIMIT } from '../jobs/end-args.ts'
import { refusalOf } from '../jobs/queue-limits.ts'
import {
  ADD_REQUESTS,
  CANCEL_BATCH,
  CREATE_BATCH,
  DROP_REQUEST,
  FINALIZE_BATCH,
  LIST_BATCHES,
  REQUEST_STATES,
  SET_BATCH_FIELD,
  SUBMIT_REQUEST,
} from '../scripts/batches.ts'
import type { Argument, RunScript } from '../scripts/script.ts'
import { packSubmission, readStoredSubmission, textOf } from '../jobs/stored-values.ts'
import { DEFAULT_TTL_MS, noteOutbox, toArguments } from '../jobs/submit.ts'

/** A draft that nobody touches. */
const DRAFT_LIFE_MS = 24 * 60 * 60 * 1000
/** Requests per burst: some milliseconds of Redis. */
const SUBMIT_AT_ONCE = 100
const STATES_AT_ONCE = 500

type Changes = Pick<BatchStore, 'create' | 'add' | 'drop' | 'rename' | 'finalize' | 'cancel' | 'noteEnded'>

export function createBatchStore(context: StoreContext): BatchStore {
  return { ...createChanges(context), ...createReads(context), submit: createSubmit(context) }
}

function createChanges({ client, keys, run, options }: StoreContext): Changes {
  const change = async (script: Parameters<RunScript>[0], { endpointId, batchId }: BatchAt, args: readonly Argument[]) =>
    (await run(script, [keys.queue(endpointId)], [batchId, ...args])) as never
  const noteUnfinished = (at: BatchAt) => client.sadd(keys.unfinishedBatches, memberOf(at))

  return {
    async create(at, mostActive) {
      const result: Awaited<ReturnType<BatchStore['create']>> = await change(CREATE_BATCH, at, [Date.now(), mostActive, DRAFT_LIFE_MS])
      const refused = refusalOf(result, options.retention)
      if (refused !== undefined) throw refused
      return result
    },
    async add(at, requests, limits) {
      const ttlMs = Math.max(...requests.map(({ policy }) => policy.ttlMs ?? DEFAULT_TTL_MS), 0)
      const texts = requests.flatMap((request) => [request.id, textOf(packSubmission(request))])
      const most = [limits.requests, limits.bytes, DRAFT_LIFE_MS, ttlMs, options.retention.queueBytes ?? NO_LIMIT]
      const result: Awaited<ReturnType<BatchStore['add']>> = await change(ADD_REQUESTS, at, [...most, ...texts])
      const refused = refusalOf(result, options.retention)
      if (refused !== undefined) throw refused
      return result
    },
    drop: (at, requestId) => change(DROP_REQUEST, at, [requestId]),
    rename: (at, name) => change(SET_BATCH_FIELD, at, ['name', name]),
    async finalize(at, mostQueued) {
      await noteUnfinished(at)
      const most = Math.min(mostQueued, options.retention.queueJobs ?? NO_LIMIT)
      return change(FINALIZE_BATCH, at, [most, options.retention.batchMs ?? options.retention.asyncMs])
    },
    async cancel(at) {
      await noteUnfinished(at)
      return change(CANCEL_BATCH, at, [])
    },
    async noteEnded(at, counts) {
      await change(SET_BATCH_FIELD, at, ['ended', JSON.stringify(counts)])
    },
  }
}

/** A request whose input is large leaves Redis here, as every job's does. */
function createSubmit(context: StoreContext): BatchStore['submit'] {
  const { client, keys, run, signals, payloads, options } = context
  const submitOne = async ({ endpointId, batchId }: BatchAt, submission: JobSubmission, keepMs: number): Promise<boolean> => {
    const at = { endpointId, jobId: submission.id }
    const signal = { kind: 'job-added', endpointId } as const
    const kept = await payloads.pack(at, packSubmission(submission))
    const args = [...toArguments(submission, kept.text, keepMs), signals.channel, signals.encode(signal), batchId]
    const [result] = await Promise.all([run(SUBMIT_REQUEST, [keys.queue(endpointId)], args), noteOutbox(context, endpointId, submission)])
    payloads.conclude(at, kept, result === 1)
    if (result === 1) signals.deliver(signal)
    return result === 1
  }

  return async (at, from) => {
    const base = batchKey(context, at)
    const [ids, ttlMs] = await Promise.all([client.lrange(`${base}:ids`, from, from + SUBMIT_AT_ONCE - 1), client.hget(base, 'ttlMs')])
    if (ids.length === 0) return { submitted: [], next: undefined }
    const drafts = (await client.hmget(`${base}:drafts`, ...ids)).filter((text) => text !== null)
    const keepMs = Number(ttlMs ?? 0) + (options.retention.batchMs ?? options.retention.asyncMs)
    const submissions = drafts.map(readDraft)
    const done = await Promise.all(submissions.map((submission) => submitOne(at, submission, keepMs)))
    return { submitted: submissions.filter((_, index) => done[index]).map(({ id }) => id), next: from + ids.length }
  }
}

/** A draft lies in Redis whole. */
function readDraft(text: string): JobSubmission {
  const { submission, input = toJson(null) } = readStoredSubmission(text)
  return { ...submission, input }
}

function createReads(context: StoreContext): Pick<BatchStore, 'get' | 'list' | 'states' | 'unfinished' | 'noteFinished'> {
  const { client, keys, run } = context
  const get: BatchStore['get'] = async (at) => toRecord(at.batchId, await client.hgetall(batchKey(context, at)))
  return {
    get,

    async list(endpointId, { offset, limit }) {
      const listed = await run(LIST_BATCHES, [keys.queue(endpointId)], [offset, limit])
      const [total, ids] = listed as readonly [number, readonly string[]]
      const records = await Promise.all(ids.map((batchId) => get({ endpointId, batchId })))
      const gone = ids.filter((_, position) => records[position] === undefined)
      if (gone.length > 0) await client.zrem(keys.batches(endpointId)[0], ...gone)
      return { total: total - gone.length, batches: records.filter((record) => record !== undefined) }
    },

    async states(at, status) {
      const ids = await client.lrange(`${batchKey(context, at)}:ids`, 0, -1)
      const states: RequestState[] = []
      // One after another: other commands come between them.
      for (let from = 0; from < ids.length; from += STATES_AT_ONCE) {
        const some = ids.slice(from, from + STATES_AT_ONCE)
        const found = (await run(REQUEST_STATES, [keys.queue(at.endpointId)], [at.batchId, ...some])) as readonly string[]
        for (const [index, id] of some.entries()) states.push({ id, status: toStatus(found[index] ?? '', status) })
      }
      return states
    },

    async unfinished() {
      const members = await client.smembers(keys.unfinishedBatches)
      return members.map((member) => member.split('/')).map(([endpointId = '', batchId = '']) => ({ endpointId, batchId }))
    },

    async noteFinished(at) {
      await client.srem(keys.unfinishedBatches, memberOf(at))
    },
  }
}

/** A request that left nothing was cancelled before it was a job, or its job was deleted by its ttl or made room for newer results. */
function toStatus(found: string, batch: BatchStatus): RequestState['status'] {
  if (found === 'DRAFT' && batch !== 'DRAFT') return 'IN_QUEUE'
  if (found !== '') return found as JobStatus
  return batch === 'CANCELLED' ? 'CANCELLED' : 'FAILED'
}

function toRecord(id: string, fields: Readonly<Record<string, string>>): BatchRecord | undefined {
  if (fields['status'] === undefined) return undefined
  return {
    id,
    name: fields['name'],
    status: fields['status'] as BatchStatus,
    createdAt: Number(fields['createdAt']),
    requestTotal: Number(fields['requestTotal'] ?? 0),
    ended: fields['ended'] === undefined ? undefined : (JSON.parse(fields['ended']) as BatchCounts),
  }
}

const memberOf = ({ endpointId, batchId }: BatchAt): string => `${endpointId}/${batchId}`
const batchKey = ({ keys }: StoreContext, { endpointId, batchId }: BatchAt): string => `${keys.queue(endpointId)}:b:${batchId}`
