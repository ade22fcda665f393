// `/requests`: all jobs of an endpoint, page by page (client-api §5.10).
import type { FastifyRequest } from 'fastify'
import { jobDurations } from '@runyard/core'
import type { JobPage, ListedJob } from '@runyard/schema/api'
import type { JobSummary } from '@runyard/store'
import { readCount } from '../http/query.ts'
import type { GatewayDeps } from '../parts/deps.ts'
import { endpointOf } from './endpoint-of.ts'

const DEFAULT_LIMIT = 50
const MOST_LIMIT = 200
const MOST_OFFSET = 100_000

export function createRequests({ store }: Pick<GatewayDeps, 'store'>) {
  return async (request: FastifyRequest): Promise<JobPage> => {
    const endpoint = endpointOf(request)
    const limit = readCount(request, 'limit', { least: 1, most: MOST_LIMIT, fallback: DEFAULT_LIMIT })
    const offset = readCount(request, 'offset', { least: 0, most: MOST_OFFSET, fallback: 0 })
    const { total, jobs } = await store.jobs.list(endpoint.id, { offset, limit })
    return { requests: jobs.map(toListed), total, offset, limit, hasMore: offset + limit < total }
  }
}

/** Times are whole epoch ms; inputs and outputs are left to `/status`. */
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
