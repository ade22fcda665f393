// Batches in Redis (client-api §5.13). A change of many steps is first recorded as unfinished, so that any process can continue it at any point.
import { BATCH_STATUSES, JobStatus, toJson, type BatchStatus, type JobSubmission } from '@runyard/schema'
import type { StoreContext } from '../context.ts'
import { NO_LIMIT } from '../jobs/ending.ts'
import { jobLua } from '../jobs/parts.ts'
import { admitted, KEY_LIMIT, keyLimit, REFUSALS } from '../jobs/queue-limits.ts'
import { packSubmission, readStoredSubmission, textOf } from '../jobs/stored-values.ts'
import { DEFAULT_TTL_MS, noteOutbox, QUEUED_JOB, toQueued } from '../jobs/submit.ts'
import { defineLua, defineScript } from '../scripts/define-script.ts'
import { flag, list, maybe, number, row, text, word } from '../scripts/replies.ts'
import type { BatchAt, BatchRecord, BatchStore, RequestState } from './batch-types.ts'

/** A draft that no client touches. */
const DRAFT_LIFE_MS = 24 * 60 * 60 * 1000
/** Requests per burst: some milliseconds of Redis. */
const SUBMIT_AT_ONCE = 100
const STATES_AT_ONCE = 500

const batchLua = defineLua({ lua: new URL('./batch.lua', import.meta.url), uses: [jobLua] })
/** A status forbids the change. */
const CHANGED = ['ok', 'unknown', ...BATCH_STATUSES] as const

const createScript = defineScript({
  lua: new URL('./create-batch.lua', import.meta.url),
  uses: [batchLua],
  keys: ['queue'],
  args: { id: 'text', now: 'number', mostActive: 'number', lifeMs: 'number' },
  reply: word('ok', 'too_many', ...REFUSALS),
})

const addScript = defineScript({
  lua: new URL('./add-requests.lua', import.meta.url),
  uses: [batchLua],
  keys: ['queue'],
  args: {
    id: 'text',
    mostRequests: 'number',
    mostBytes: 'number',
    lifeMs: 'number',
    ttlMs: 'number',
    queueBytes: 'number',
    requests: 'texts',
    submissions: 'texts',
  },
  reply: word('too_many', 'too_large', ...CHANGED, ...REFUSALS),
})

const dropScript = defineScript({
  lua: new URL('./drop-request.lua', import.meta.url),
  uses: [batchLua],
  keys: ['queue'],
  args: { id: 'text', request: 'text' },
  reply: word('unknown_request', ...CHANGED),
})

const setFieldScript = defineScript({
  lua: new URL('./set-batch-field.lua', import.meta.url),
  uses: [batchLua],
  keys: ['queue'],
  args: { id: 'text', field: 'text', value: 'text' },
  reply: word(...CHANGED),
})

const finalizeScript = defineScript({
  lua: new URL('./finalize-batch.lua', import.meta.url),
  uses: [batchLua],
  keys: ['queue'],
  args: { id: 'text', queueJobs: 'number', keepMs: 'number', ...KEY_LIMIT },
  reply: word('empty', 'queue_full', 'key_full', ...CHANGED),
})

const cancelScript = defineScript({
  lua: new URL('./cancel-batch.lua', import.meta.url),
  uses: [batchLua],
  keys: ['queue'],
  args: { id: 'text' },
  reply: word(...CHANGED),
})

const submitScript = defineScript(
  {
    lua: new URL('./submit-request.lua', import.meta.url),
    uses: [batchLua],
    keys: ['queue'],
    args: { batch: 'text', job: QUEUED_JOB, added: 'signal' },
    reply: flag,
  },
  { added: (isSubmitted) => isSubmitted },
)

const listScript = defineScript({
  lua: new URL('./list-batches.lua', import.meta.url),
  uses: [batchLua],
  keys: ['queue'],
  args: { offset: 'number', limit: 'number' },
  reply: row({ total: number, ids: list(text) }),
})

const statesScript = defineScript({
  lua: new URL('./request-states.lua', import.meta.url),
  uses: [batchLua],
  keys: ['queue'],
  args: { batch: 'text', requests: 'texts' },
  reply: list(maybe(word('DRAFT', ...JobStatus.options))),
})

export function createBatchStore(context: StoreContext): BatchStore {
  return { ...createChanges(context), ...createReads(context), submit: createSubmit(context) }
}

type Changes = Pick<BatchStore, 'create' | 'add' | 'drop' | 'rename' | 'finalize' | 'cancel' | 'noteEnded'>

function createChanges({ client, keys, run, options }: StoreContext): Changes {
  const noteUnfinished = (at: BatchAt) => client.sadd(keys.unfinishedBatches, memberOf(at))
  const of = ({ endpointId, batchId: id }: BatchAt) => ({ queue: keys.queue(endpointId), id })
  const { queueJobs = NO_LIMIT, queueBytes = NO_LIMIT, batchMs: keepMs = options.retention.asyncMs } = options.retention

  return {
    async create(at, mostActive) {
      const reply = await run(createScript, { ...of(at), now: Date.now(), mostActive, lifeMs: DRAFT_LIFE_MS })
      return admitted(reply, options.retention)
    },
    async add(at, requests, limits) {
      const ttlMs = Math.max(...requests.map(({ policy }) => policy.ttlMs ?? DEFAULT_TTL_MS), 0)
      const bounds = { mostRequests: limits.requests, mostBytes: limits.bytes, lifeMs: DRAFT_LIFE_MS, ttlMs, queueBytes }
      const submissions = requests.map((request) => textOf(packSubmission(request)))
      const reply = await run(addScript, { ...of(at), ...bounds, requests: requests.map(({ id }) => id), submissions })
      return admitted(reply, options.retention)
    },
    drop: (at, request) => run(dropScript, { ...of(at), request }),
    rename: (at, name) => run(setFieldScript, { ...of(at), field: 'name', value: name }),
    async finalize(at, mostQueued, counted) {
      await noteUnfinished(at)
      const bounds = { queueJobs: Math.min(mostQueued, queueJobs), keepMs, ...keyLimit(counted) }
      const reply = await run(finalizeScript, { ...of(at), ...bounds })
      return reply === 'key_full' ? admitted(reply, options.retention, counted) : reply
    },
    async cancel(at) {
      await noteUnfinished(at)
      return run(cancelScript, of(at))
    },
    async noteEnded(at, counts) {
      await run(setFieldScript, { ...of(at), field: 'ended', value: JSON.stringify(counts) })
    },
  }
}

/** A request whose input is large leaves Redis here, as every job's does. */
function createSubmit(context: StoreContext): BatchStore['submit'] {
  const { client, keys, run, payloads, options } = context
  const submitOne = async ({ endpointId, batchId }: BatchAt, submission: JobSubmission, keepMs: number): Promise<boolean> => {
    const at = { endpointId, jobId: submission.id }
    const added = { kind: 'job-added', endpointId } as const
    const kept = await payloads.pack(at, packSubmission(submission))
    const input = { queue: keys.queue(endpointId), batch: batchId, job: toQueued(submission, kept.text, keepMs), added }
    const [isSubmitted] = await Promise.all([run(submitScript, input), noteOutbox(context, endpointId, submission)])
    payloads.conclude(at, kept, isSubmitted)
    return isSubmitted
  }

  return async (at, from) => {
    const { record, ids: idsKey, drafts: draftsKey } = keysOf(context, at)
    const [ids, ttlMs] = await Promise.all([client.lrange(idsKey, from, from + SUBMIT_AT_ONCE - 1), client.hget(record, 'ttlMs')])
    if (ids.length === 0) return { submitted: [], next: undefined }
    const drafts = (await client.hmget(draftsKey, ...ids)).filter((draft) => draft !== null)
    const keepMs = Number(ttlMs ?? 0) + (options.retention.batchMs ?? options.retention.asyncMs)
    const submissions = drafts.map(readDraft)
    const done = await Promise.all(submissions.map((submission) => submitOne(at, submission, keepMs)))
    return { submitted: submissions.filter((_, index) => done[index]).map(({ id }) => id), next: from + ids.length }
  }
}

/** A draft lies in Redis whole. */
function readDraft(draft: string): JobSubmission {
  const { submission, input = toJson(null) } = readStoredSubmission(draft)
  return { ...submission, input }
}

function createReads(context: StoreContext): Pick<BatchStore, 'get' | 'list' | 'states' | 'unfinished' | 'noteFinished'> {
  const { client, keys, run } = context
  const get: BatchStore['get'] = async (at) => toRecord(at.batchId, await client.hgetall(keysOf(context, at).record))
  return {
    get,

    async list(endpointId, page) {
      const { total, ids } = await run(listScript, { queue: keys.queue(endpointId), ...page })
      const records = await Promise.all(ids.map((batchId) => get({ endpointId, batchId })))
      const gone = ids.filter((_, position) => records[position] === undefined)
      if (gone.length > 0) await client.zrem(keys.of(endpointId, 'batches'), ...gone)
      return { total: total - gone.length, batches: records.filter((record) => record !== undefined) }
    },

    async states(at, status) {
      const ids = await client.lrange(keysOf(context, at).ids, 0, -1)
      const states: RequestState[] = []
      // One after another: other commands come between them.
      for (let from = 0; from < ids.length; from += STATES_AT_ONCE) {
        const some = ids.slice(from, from + STATES_AT_ONCE)
        const found = await run(statesScript, { queue: keys.queue(at.endpointId), batch: at.batchId, requests: some })
        for (const [index, id] of some.entries()) states.push({ id, status: toStatus(found[index], status) })
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
function toStatus(found: RequestState['status'] | undefined, batch: BatchStatus): RequestState['status'] {
  if (found === 'DRAFT' && batch !== 'DRAFT') return 'IN_QUEUE'
  if (found !== undefined) return found
  return batch === 'CANCELLED' ? 'CANCELLED' : 'FAILED'
}

function toRecord(id: string, fields: Readonly<Record<string, string>>): BatchRecord | undefined {
  const { status, name, createdAt, requestTotal = 0, ended } = fields
  if (status === undefined) return undefined
  return {
    id,
    name,
    status: word(...BATCH_STATUSES)(status),
    createdAt: Number(createdAt),
    requestTotal: Number(requestTotal),
    ended: ended === undefined ? undefined : JSON.parse(ended),
  }
}

const memberOf = ({ endpointId, batchId }: BatchAt): string => `${endpointId}/${batchId}`
function keysOf({ keys }: StoreContext, { endpointId, batchId }: BatchAt) {
  const key = (name: 'batch' | 'batchIds' | 'batchDrafts') => keys.ofName(endpointId, name, batchId)
  return { record: key('batch'), ids: key('batchIds'), drafts: key('batchDrafts') }
}
