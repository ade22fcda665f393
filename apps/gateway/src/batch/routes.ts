// `/batch…` (beta): requests that are collected first and become ordinary jobs when the batch is finalised (client-api §5.13).
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { type Endpoint, type JobSubmission, type JsonText, toJson, type JobRecord } from '@runyard/schema'
import { toJsonList, withMember } from '@runyard/schema/json-join'
import type { BatchAt, BatchRecord, RequestState, BatchCounts } from '@runyard/store'
import type { GatewayDeps } from '../parts/deps.ts'
import { originOf } from '../jobs/submit.ts'
import { sendJson } from '../http/answer.ts'
import { bytesOf } from '../http/json-body.ts'
import { addRoute, boundedBody } from '../http/add-route.ts'
import { endpointOf } from '../jobs/endpoint-of.ts'
import { countedKeyOf } from '../jobs/key-limit.ts'
import { createJobId } from '../jobs/read-submission.ts'
import { readCount } from '../http/query.ts'
import { allowedAddresses } from '../webhooks/target.ts'
import { finishBatch } from './finish.ts'
import { checkChange, LIMITS, readMoreRequests, readName, readRequests, refusalOf } from './read-requests.ts'
import type { BatchView } from '@runyard/schema/api'
import { toJobBody } from '../parts/job-body.ts'

type Body = Promise<Record<string, unknown>>
/** A route below one batch; its answer is the batch as it is afterwards. */
type Change = (at: BatchAt, request: FastifyRequest) => Promise<string>

const MOST_LISTED = 200
/** A page ends early once its requests weigh that much; a single larger one is a page of its own. */
const MOST_LISTED_BYTES = 16 * 1024 * 1024
const READ_AT_ONCE = 10

export function registerBatch(app: FastifyInstance, deps: GatewayDeps): void {
  const base = '/v2/:endpointId/batch'
  const body = boundedBody(deps.config, 'runBytes')
  const { batches } = deps.store
  const change = (apply: Change, finish?: 'finish') => createChange(deps, apply, finish)
  const add = createAdd(deps)
  addRoute(app, { methods: ['POST', 'GET'], url: base, ...body, handler: createCollection(deps) })
  addRoute(app, { methods: ['GET', 'PUT'], url: `${base}/:batchId`, handler: createItem(deps) })
  addRoute(app, {
    methods: ['GET', 'POST'],
    url: `${base}/:batchId/requests`,
    ...body,
    handler: byMethod({ GET: createRequestList(deps), POST: change((at, request) => add(at, request)) }),
  })
  const drop = change((at, request) => batches.drop(at, paramsOf(request).requestId))
  addRoute(app, { methods: ['DELETE'], url: `${base}/:batchId/requests/:requestId`, handler: drop })
  const finalize = change((at, request) => batches.finalize(at, LIMITS.queued, countedKeyOf(request, deps.config)), 'finish')
  addRoute(app, { methods: ['POST'], url: `${base}/:batchId/finalize`, handler: finalize })
  addRoute(app, { methods: ['POST'], url: `${base}/:batchId/cancel`, handler: change((at) => batches.cancel(at), 'finish') })
}

type Handler = (request: FastifyRequest, reply: FastifyReply) => Promise<unknown>

function byMethod(handlers: Readonly<Record<string, Handler>>): Handler {
  return (request, reply) => {
    const handler = handlers[request.method]
    if (handler === undefined) throw new Error('a route ran for a method that it does not have')
    return handler(request, reply)
  }
}

function createCollection(deps: GatewayDeps) {
  return byMethod({ POST: createBatch(deps), GET: createList(deps) })
}

function createItem(deps: GatewayDeps) {
  const rename = createChange(deps, async (at, request) => deps.store.batches.rename(at, await readName(bytesOf(request))))
  return byMethod({ GET: createChange(deps, async () => 'ok'), PUT: rename })
}

function createBatch(deps: GatewayDeps) {
  const isAllowed = allowedAddresses(deps.config.webhooks)
  return async (request: FastifyRequest): Body => {
    const endpoint = endpointOf(request)
    const at = { endpointId: endpoint.id, batchId: `batch_${createJobId(false)}` }
    const requests = await readRequests(bytesOf(request), { ...originOf(request), sync: false, isAllowed, batchId: at.batchId })
    // Before anything is made: its caller would never learn its id.
    if (requests.length > LIMITS.draft.requests) throw refusalOf('too_many')
    if ((await deps.store.batches.create(at, LIMITS.active)) === 'too_many') {
      await noteEndedOnes(deps, endpoint)
      checkChange(await deps.store.batches.create(at, LIMITS.active), 'too_many_batches')
    }
    if (requests.length > 0) checkChange(await addFirst(deps, at, requests))
    return { id: at.batchId, status: 'DRAFT' }
  }
}

/** A batch whose first requests were refused is no batch: its caller never learns its id. */
async function addFirst({ store }: GatewayDeps, at: BatchAt, requests: readonly JobSubmission[]): Promise<string> {
  try {
    return await store.batches.add(at, requests, LIMITS.draft)
  } catch (error) {
    await store.batches.cancel(at)
    await store.batches.noteEnded(at, countStates([]))
    throw error
  }
}

function createAdd(deps: GatewayDeps) {
  const isAllowed = allowedAddresses(deps.config.webhooks)
  return async (at: BatchAt, request: FastifyRequest) => {
    const requests = await readMoreRequests(bytesOf(request), { ...originOf(request), sync: false, isAllowed, batchId: at.batchId })
    return deps.store.batches.add(at, requests, LIMITS.draft)
  }
}

function createChange(deps: GatewayDeps, apply: Change, finish?: 'finish') {
  return async (request: FastifyRequest): Body => {
    const endpoint = endpointOf(request)
    const at = { endpointId: endpoint.id, batchId: paramsOf(request).batchId }
    checkChange(await apply(at, request))
    if (finish !== undefined) await finishBatch(deps, endpoint, at.batchId)
    return describe(deps, endpoint, await requireBatch(deps, at))
  }
}

function createList(deps: GatewayDeps) {
  return async (request: FastifyRequest): Body => {
    const endpoint = endpointOf(request)
    const page = readPage(request)
    const { total, batches } = await deps.store.batches.list(endpoint.id, page)
    const bodies = await Promise.all(batches.map((batch) => describe(deps, endpoint, batch)))
    return { batches: bodies, total, ...page, hasMore: page.offset + page.limit < total }
  }
}

function createRequestList(deps: GatewayDeps) {
  return async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    const endpoint = endpointOf(request)
    const at = { endpointId: endpoint.id, batchId: paramsOf(request).batchId }
    const { offset, limit } = readPage(request)
    const states = inListedOrder(await deps.store.batches.states(at, (await requireBatch(deps, at)).status))
    const requests = await readPageOf(deps, endpoint, states.slice(offset, offset + limit))
    const next = offset + requests.length
    const isCut = requests.length < Math.min(limit, states.length - offset)
    // A client that adds `limit` to `offset` must not skip what did not fit.
    const page = { total: states.length, offset, limit: isCut ? requests.length : limit, hasMore: next < states.length }
    return sendJson(reply, withMember(page, 'requests', toJsonList(requests)))
  }
}

/** As many of the requests as fit into a page, at least one. */
async function readPageOf({ store }: GatewayDeps, endpoint: Endpoint, states: readonly RequestState[]): Promise<readonly JsonText[]> {
  const page: JsonText[] = []
  let bytes = 0
  for (let from = 0; from < states.length; from += READ_AT_ONCE) {
    const slice = states.slice(from, from + READ_AT_ONCE)
    const records = await Promise.all(slice.map(({ id }) => store.jobs.get(endpoint.id, id)))
    for (const [index, state] of slice.entries()) {
      const request = toRequestJson(endpoint, state, records[index])
      bytes += request.length
      if (bytes > MOST_LISTED_BYTES && page.length > 0) return page
      page.push(request)
    }
  }
  return page
}

/** Once all have ended their counts are noted with the batch, which then counts as active no more. */
async function describe(deps: GatewayDeps, endpoint: Endpoint, batch: BatchRecord): Body {
  if (batch.ended !== undefined) return toBatchBody(endpoint.id, batch, batch.ended)
  const at = { endpointId: endpoint.id, batchId: batch.id }
  const counts = countStates(await deps.store.batches.states(at, batch.status))
  if (batch.status !== 'DRAFT' && counts.completed + counts.failed === counts.total) await deps.store.batches.noteEnded(at, counts)
  return toBatchBody(endpoint.id, batch, counts)
}

async function noteEndedOnes(deps: GatewayDeps, endpoint: Endpoint): Promise<void> {
  const { batches } = await deps.store.batches.list(endpoint.id, { offset: 0, limit: MOST_LISTED })
  for (const batch of batches) await describe(deps, endpoint, batch)
}

async function requireBatch(deps: GatewayDeps, at: BatchAt): Promise<BatchRecord> {
  const batch = await deps.store.batches.get(at)
  if (batch === undefined) throw refusalOf('unknown')
  return batch
}

function readPage(request: FastifyRequest): { offset: number; limit: number } {
  return {
    offset: readCount(request, 'offset', { least: 0, most: 100_000, fallback: 0 }),
    limit: readCount(request, 'limit', { least: 1, most: MOST_LISTED, fallback: 50 }),
  }
}

function paramsOf(request: FastifyRequest): { readonly batchId: string; readonly requestId: string } {
  return request.params as { batchId: string; requestId: string }
}

type Kind = 'failed' | 'inProgress' | 'queued' | 'completed'
/** In the order in which they are listed. */
const KINDS: readonly Kind[] = ['failed', 'inProgress', 'queued', 'completed']
const KIND_OF: Readonly<Record<RequestState['status'], Kind>> = {
  FAILED: 'failed',
  TIMED_OUT: 'failed',
  CANCELLED: 'failed',
  IN_PROGRESS: 'inProgress',
  IN_QUEUE: 'queued',
  DRAFT: 'queued',
  COMPLETED: 'completed',
}

function countStates(states: readonly RequestState[]): BatchCounts {
  const of = (kind: Kind): number => states.filter(({ status }) => KIND_OF[status] === kind).length
  return { total: states.length, inProgress: of('inProgress'), completed: of('completed'), failed: of('failed') }
}

function inListedOrder(states: readonly RequestState[]): readonly RequestState[] {
  return KINDS.flatMap((kind) => states.filter(({ status }) => KIND_OF[status] === kind))
}

function toBatchBody(endpointId: string, { id, name, status, createdAt }: BatchRecord, counts: BatchCounts): BatchView {
  return {
    id,
    ...(name === undefined ? {} : { name }),
    endpointId,
    status,
    requestTotal: counts.total,
    requestInProgress: counts.inProgress,
    requestCompleted: counts.completed,
    requestFailed: counts.failed,
    createdAt,
  }
}

const NOTHING_LEFT = 'nothing of this request is left: its ttl ran out before it had ended, or its result made room for newer ones'

function toRequestJson(endpoint: Endpoint, { id, status }: RequestState, record: JobRecord | undefined): JsonText {
  if (record === undefined) return toJson(KIND_OF[status] === 'failed' ? { id, status, error: NOTHING_LEFT } : { id, status })
  const { output, error } = toJobBody(record, endpoint)
  const fields = {
    id,
    status: record.status,
    ...(error === undefined ? {} : { error }),
    ...(record.startedAt === undefined ? {} : { startedAt: record.startedAt }),
    ...(record.settledAt === undefined ? {} : { completedAt: record.settledAt }),
  }
  return record.status === 'COMPLETED' && output !== undefined ? withMember(fields, 'output', output) : toJson(fields)
}
