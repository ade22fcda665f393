// The public listener's table of contents.
import type { FastifyInstance } from 'fastify'
import type { GatewayDeps } from './parts/deps.ts'
import { createApp } from './http/app.ts'
import { recordEnds } from './parts/journal.ts'
import { registerJobPlane } from './jobs/routes.ts'
import { registerManagement } from './management/index.ts'
import { registerProbes } from './observability/probes.ts'
import { registerMetrics } from './observability/scrape.ts'
import { registerWorkerLogs } from './observability/worker-logs.ts'

export async function buildPublicApp(deps: GatewayDeps): Promise<FastifyInstance> {
  const app = createApp({ log: deps.log, closing: deps.closing, connections: deps.config.limits.connections })
  registerProbes(app, deps)
  await registerMetrics(app, deps)
  await registerJobPlane(app, deps, { rates: deps.config.rateLimits, origins: deps.config.cors })
  await registerWorkerLogs(app, deps)
  await registerManagement(app, {
    ...deps,
    onDeleted: (endpoint, jobs) =>
      recordEnds(
        deps,
        endpoint,
        jobs.map((job) => ({ cause: 'endpoint_deleted', job })),
      ),
  })
  return app
}
