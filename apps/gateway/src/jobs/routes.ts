// The job plane's table of routes (client-api §5). GET and POST where Go posts what others get.
import type { FastifyInstance } from 'fastify'
import type { GatewayDeps } from '../deps.ts'
import { requireApiKey } from '../http/authenticate.ts'
import { addRoute } from '../http/routes.ts'
import { createEndpointMetrics, createHealth } from './health.ts'
import { createPurgeQueue, createRequests, createRetry } from './queue.ts'
import { createStatus, createStatusSync, createCancel } from './status.ts'
import { createStream } from './stream.ts'
import { createRun, createRunsync } from './submit.ts'

export async function registerJobPlane(app: FastifyInstance, deps: GatewayDeps): Promise<void> {
  const { limits } = deps.config
  await app.register(async (scope) => {
    requireApiKey(scope, deps.store)
    const base = '/v2/:endpointId'
    const read = ['GET', 'POST'] as const
    addRoute(scope, { methods: ['POST'], url: `${base}/run`, bodyLimit: limits.runBytes, handler: createRun(deps) })
    addRoute(scope, { methods: ['POST'], url: `${base}/runsync`, bodyLimit: limits.runsyncBytes, handler: createRunsync(deps) })
    addRoute(scope, { methods: read, url: `${base}/status/:jobId`, handler: createStatus(deps) })
    addRoute(scope, { methods: read, url: `${base}/status-sync/:jobId`, handler: createStatusSync(deps) })
    addRoute(scope, { methods: read, url: `${base}/stream/:jobId`, handler: createStream(deps) })
    addRoute(scope, { methods: ['POST'], url: `${base}/cancel/:jobId`, handler: createCancel(deps) })
    addRoute(scope, { methods: ['POST'], url: `${base}/retry/:jobId`, handler: createRetry(deps) })
    addRoute(scope, { methods: ['POST'], url: `${base}/purge-queue`, handler: createPurgeQueue(deps) })
    addRoute(scope, { methods: ['GET'], url: `${base}/requests`, handler: createRequests(deps) })
    addRoute(scope, { methods: ['GET'], url: `${base}/health`, handler: createHealth(deps) })
    addRoute(scope, { methods: ['GET'], url: `${base}/metrics`, handler: createEndpointMetrics(deps) })
  })
}
