// The job plane's table of routes (client-api §5). GET and POST where Go posts what others get.
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { GatewayDeps } from '../parts/deps.ts'
import type { Operation, RateLimits } from '../http/rate-limit.ts'
import { addRoute, boundedBody, type RouteOptions } from '../http/add-route.ts'
import { createCancel, createPurgeQueue, createRetry } from './cancel-retry-purge.ts'
import { createEndpointMetrics, createHealth } from './health.ts'
import { createStatus, createStatusSync } from './status.ts'
import { createStream } from './stream.ts'
import { createRun, createRunsync } from './submit.ts'
import { jobDurations } from '@runyard/core'
import type { JobPage, ListedJob } from '@runyard/schema/api'
import type { JobSummary } from '@runyard/store'
import { readCount } from '../http/query.ts'
import { endpointOf } from './endpoint-of.ts'

/** Programs older than Runpod's documents, and some newer ones, call `/v1`; it means the same (ADR 29). */
const BASES = ['/v2', '/v1'] as const

/** In the job plane's scope, which asks for the key and the endpoint. */
export function registerJobs(scope: FastifyInstance, deps: GatewayDeps, limited: RateLimits): void {
  for (const { operation, ...route } of jobRoutes(deps)) {
    const limit = limited.get(operation)
    const config = { ...route.config, ...(limit !== undefined && { limit }) }
    for (const base of BASES) addRoute(scope, { ...route, url: `${base}/:endpointId/${route.url}`, config })
  }
}

function jobRoutes(deps: GatewayDeps): readonly (RouteOptions & { readonly operation: Operation })[] {
  const bounded = (name: 'runBytes' | 'runsyncBytes') => boundedBody(deps.config, name)
  const read = ['GET', 'POST'] as const
  return [
    { operation: 'run', methods: ['POST'], url: 'run', ...bounded('runBytes'), handler: createRun(deps) },
    { operation: 'runsync', methods: ['POST'], url: 'runsync', ...bounded('runsyncBytes'), handler: createRunsync(deps) },
    { operation: 'status', methods: read, url: 'status/:jobId', handler: createStatus(deps) },
    { operation: 'status', methods: read, url: 'status-sync/:jobId', handler: createStatusSync(deps) },
    { operation: 'status', methods: read, url: 'stream/:jobId', handler: createStream(deps) },
    { operation: 'cancel', methods: ['POST'], url: 'cancel/:jobId', handler: createCancel(deps) },
    { operation: 'retry', methods: ['POST'], url: 'retry/:jobId', handler: createRetry(deps) },
    { operation: 'purgeQueue', methods: ['POST'], url: 'purge-queue', handler: createPurgeQueue(deps) },
    { operation: 'requests', methods: ['GET'], url: 'requests', handler: createRequests(deps) },
    { operation: 'health', methods: ['GET'], url: 'health', handler: createHealth(deps) },
    { operation: 'health', methods: ['GET'], url: 'metrics', handler: createEndpointMetrics(deps) },
  ]
}

const DEFAULT_LIMIT = 50
const MOST_LIMIT = 200
const MOST_OFFSET = 100_000

/** `/requests`: all jobs of an endpoint, page by page (client-api §5.10). */
function createRequests({ store }: Pick<GatewayDeps, 'store'>) {
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
