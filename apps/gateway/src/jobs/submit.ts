// `/run` and `/runsync`: accepts a job and, for `/runsync`, waits for its end (client-api §5.1, §5.2). Accepted means that Redis has it;
// from then on every answer has the job's id, whatever happens to Redis or to the wait.
import type { FastifyReply, FastifyRequest } from 'fastify'
import { RunyardError, type JobRecord, type JobSubmission } from '@runyard/schema'
import type { GatewayDeps } from '../parts/deps.ts'
import { apiKeyOf } from '../http/authenticate.ts'
import { clientGone, sendJson } from '../http/answer.ts'
import { bytesOf } from '../http/json-body.ts'
import { readWaitMs } from '../http/query.ts'
import { jobKey, startKey, type Ticket } from '../parts/waiters.ts'
import { allowedAddresses } from '../webhooks/target.ts'
import { endpointOf, isHeldToTheEnd } from './endpoint-of.ts'
import { countedKeyOf } from './key-limit.ts'
import { readIdempotency, readSubmission } from './read-submission.ts'
import { isTerminal, toJobBody, toJobJson, type JobBody } from '../parts/job-body.ts'
import { jobNotFound, requireJob } from './find-job.ts'
import { isOver, nextLook, waitForEnd } from './status.ts'

/** `rp flash dev` asks with this wait and follows the worker's log from the first answer that names the worker (sdk2-api §3.3). */
const EARLY_ANSWER_WAIT_MS = 1000

/** A client that waits longer than this has gone. */
const LONGEST_HOLD_MS = 24 * 60 * 60 * 1000

/** Header of an answer about a job that an earlier request made. */
const REPLAYED = 'idempotency-replayed'

type SubmitDeps = Pick<GatewayDeps, 'config' | 'store' | 'endpoints' | 'events' | 'metrics' | 'waiters'>

export function createRun(deps: SubmitDeps) {
  const isAllowed = allowedAddresses(deps.config.webhooks)
  return async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    const endpoint = endpointOf(request)
    const submission = await readSubmission(bytesOf(request), { ...originOf(request), sync: false, isAllowed })
    const repeated = await accept(deps, { endpointId: endpoint.id, submission }, request)
    if (repeated !== undefined) {
      const { id, status } = await requireJob(deps, endpoint.id, repeated)
      return reply.header(REPLAYED, 'true').send({ id, status })
    }
    return reply.type('application/json').send(`{"id":"${submission.id}","status":"IN_QUEUE"}`)
  }
}

export function createRunsync(deps: SubmitDeps) {
  const isAllowed = allowedAddresses(deps.config.webhooks)
  return async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    const endpoint = endpointOf(request)
    const toTheEnd = isHeldToTheEnd(request)
    const waitMs = readWaitMs(request, toTheEnd ? LONGEST_HOLD_MS : deps.config.holds.runsyncS * 1000)
    const deadline = Date.now() + waitMs
    const submission = await readSubmission(bytesOf(request), { ...originOf(request), sync: true, isAllowed })
    const early = waitMs <= EARLY_ANSWER_WAIT_MS
    const keys = [jobKey(endpoint.id, submission.id), ...(early ? [startKey(endpoint.id, submission.id)] : [])]
    using ticket = deps.waiters.open(keys, clientGone(reply))
    const repeated = await accept(deps, { endpointId: endpoint.id, submission }, request)
    if (repeated !== undefined) {
      void reply.header(REPLAYED, 'true')
      const ended = await waitForEnd(deps, { endpointId: endpoint.id, jobId: repeated, deadline }, reply)
      return sendJson(reply, toJobJson(toJobBody(ended, endpoint)))
    }
    const enough = early ? hasWorker : hasEnded
    const wait = { ticket, deadline, endsAt: endOf(submission), enough }
    const record = await waitForJob(() => deps.store.jobs.get(endpoint.id, submission.id), wait)
    if (record === 'gone') throw await jobNotFound(deps, endpoint.id, submission.id)
    if (toTheEnd && (record === undefined || !hasEnded(record))) throw holdBroken(submission.id)
    const body: JobBody = record === undefined ? { id: submission.id, status: 'IN_QUEUE' } : toJobBody(record, endpoint)
    return sendJson(reply, toJobJson(body))
  }
}

/** Whose submission it is, and of which trace. */
export const originOf = (request: FastifyRequest) => ({ key: apiKeyOf(request), traceparent: request.headers['traceparent'] })

/** Of a caller that would take the state of a job for its result. */
function holdBroken(jobId: string): RunyardError {
  return new RunyardError('store_unavailable', `the gateway stops waiting before the job ${jobId} ends; the job goes on`)
}

/** Resolves when Redis has the job; to the id of an earlier one where its idempotency key stands for that. */
async function accept(
  deps: SubmitDeps,
  { endpointId, submission }: { endpointId: string; submission: JobSubmission },
  request: FastifyRequest,
): Promise<string | undefined> {
  const at = Date.now()
  const idempotency = readIdempotency(request, submission)
  const counted = countedKeyOf(request, deps.config)
  if (idempotency === undefined) await deps.store.jobs.submit(endpointId, submission, counted)
  else {
    const once = { ...idempotency, windowMs: deps.config.idempotencyWindowS * 1000, counted }
    const result = await deps.store.jobs.submitOnce(endpointId, submission, once)
    if (result.kind === 'repeated') return result.jobId
    if (result.kind === 'differs') {
      throw new RunyardError('unprocessable', 'this Idempotency-Key was used with another request; use a new key for a new job')
    }
  }
  noteAccepted(deps, endpointId, { at, jobId: submission.id })
  return undefined
}

/** Records a job that Redis has accepted. */
export function noteAccepted(
  deps: Pick<GatewayDeps, 'metrics' | 'events'>,
  endpointId: string,
  { at, jobId }: { at: number; jobId: string },
): void {
  deps.metrics.jobAccepted(endpointId)
  deps.events.add({ at, endpointId, kind: 'job_queued', jobId })
}

const hasEnded = (record: JobRecord): boolean => isTerminal(record.status)
const hasWorker = (record: JobRecord): boolean => record.status !== 'IN_QUEUE'

/** When its ttl ends the job; without a ttl, after every wait. */
const endOf = ({ policy }: JobSubmission): number => Date.now() + (policy.ttlMs ?? Infinity)

interface Wait {
  readonly ticket: Ticket
  readonly deadline: number
  readonly endsAt: number
  readonly enough: (record: JobRecord) => boolean
}

/**
 * Waits for news before the first read, since a job that was just accepted has none. While Redis is away, nothing is known yet. A job that is not there
 * any more was ended by its ttl.
 */
async function waitForJob(read: () => Promise<JobRecord | undefined>, wait: Wait): Promise<JobRecord | 'gone' | undefined> {
  for (;;) {
    const lookAt = nextLook(wait.deadline, wait.endsAt)
    const news = await wait.ticket.next(lookAt)
    const record = await read().then((found) => found ?? ('gone' as const), unknownWhileAway)
    if (record === 'gone' || (record !== undefined && wait.enough(record))) return record
    if (!news && isOver(lookAt, wait.deadline)) return record
  }
}

function unknownWhileAway(error: unknown): undefined {
  if (error instanceof RunyardError && error.code === 'store_unavailable') return undefined
  throw error
}
