// `/retry`, `/purge-queue`, `/requests`: another life for a job, an end for all that wait, a look at all of them (client-api §5.7, §5.8, §5.10).
import type { FastifyRequest } from 'fastify'
import { jobDurations } from '@runyard/core'
import { RunyardError } from '@runyard/schema'
import type { JobPage, ListedJob, PurgeView } from '@runyard/schema/api'
import type { JobSummary } from '@runyard/store'
import type { GatewayDeps } from '../parts/deps.ts'
import { recordUnread } from '../parts/journal.ts'
import { endpointOf, paramsOf } from './endpoint-of.ts'
import { jobNotFound } from './gone.ts'
import type { JobBody } from '../parts/job-body.ts'

type QueueDeps = Pick<GatewayDeps, 'store' | 'endpoints' | 'events' | 'log' | 'metrics' | 'closing'>

export function createRetry(deps: QueueDeps) {
  return async (request: FastifyRequest): Promise<JobBody> => {
    const endpoint = endpointOf(request)
    const { jobId } = paramsOf(request)
    const at = Date.now()
    const result = await deps.store.jobs.retry(endpoint.id, jobId)
    if (result === 'unknown') throw await jobNotFound(deps, endpoint.id, jobId)
    if (result === 'gone') throw new RunyardError('bad_request', 'this job cannot be retried: its input is not kept any more')
    if (result !== 'retried') throw new RunyardError('bad_request', `only a FAILED or TIMED_OUT job can be retried; this one is ${result}`)
    deps.log.info({ endpointId: endpoint.id, jobId }, 'job retried by its caller')
    deps.events.add({ at, endpointId: endpoint.id, kind: 'job_queued', jobId, message: 'retried by its caller' })
    return { id: jobId, status: 'IN_QUEUE' }
  }
}

export function createPurgeQueue(deps: QueueDeps) {
  return async (request: FastifyRequest): Promise<PurgeView> => {
    const endpoint = endpointOf(request)
    const at = Date.now()
    const removed = await deps.store.jobs.purge(endpoint.id)
    recordUnread(deps, endpoint, { cause: 'purged', status: 'CANCELLED', error: 'the queue was purged', at, jobs: removed })
    // A gateway that stops before the last one leaves the rest to the scaler's sweep.
    deps.store.jobs.endPurged(endpoint.id, deps.closing).catch((error: unknown) => {
      deps.log.warn({ err: error, endpointId: endpoint.id }, 'the ends of purged jobs are left to the next sweep')
    })
    return { removed, status: 'completed' }
  }
}

const DEFAULT_LIMIT = 50
const MOST_LIMIT = 200
const MOST_OFFSET = 100_000

export function createRequests(deps: QueueDeps) {
  return async (request: FastifyRequest): Promise<JobPage> => {
    const endpoint = endpointOf(request)
    const query = request.query as Record<string, unknown>
    const limit = readCount(query, 'limit', { least: 1, most: MOST_LIMIT, fallback: DEFAULT_LIMIT })
    const offset = readCount(query, 'offset', { least: 0, most: MOST_OFFSET, fallback: 0 })
    const { total, jobs } = await deps.store.jobs.list(endpoint.id, { offset, limit })
    return { requests: jobs.map(toListed), total, offset, limit, hasMore: offset + limit < total }
  }
}

/** @throws RunyardError('bad_request') */
export function readCount(query: Record<string, unknown>, name: string, range: { least: number; most: number; fallback: number }): number {
  const given = query[name]
  if (given === undefined || given === '') return range.fallback
  const count = Number(given)
  if (typeof given === 'string' && Number.isInteger(count) && count >= range.least && count <= range.most) return count
  throw new RunyardError('bad_request', `"${name}" must be a whole number from ${range.least} to ${range.most}`)
}

/** Times are whole epoch ms; what a job carries is left to `/status`. */
function toListed(job: JobSummary): ListedJob {
  const { id, status, submittedAt, startedAt, settledAt, workerId, retries } = job
  const { delayMs, executionMs } = jobDurations(job)
  return {
    id,
    status,
    createdAt: submittedAt,
    ...(startedAt === undefined ? {} : { startedAt, delayTime: delayMs }),
    ...(settledAt === undefined ? {} : { completedAt: settledAt, executionTime: executionMs }),
    ...(workerId === undefined ? {} : { workerId }),
    ...(retries > 0 ? { retries } : {}),
  }
}
