// The worker plane: the worker protocol for worker tokens and, so that functions can call functions, the job plane and the list of endpoints
// for API keys. No management, no metrics (ADR 6).
import type { FastifyInstance } from 'fastify'
import type { GatewayDeps } from './parts/deps.ts'
import { createApp } from './http/app.ts'
import { registerJobPlane } from './jobs/routes.ts'
import { registerNestedManagement } from './management/index.ts'
import { registerProbes } from './observability/probes.ts'
import { registerWorkerPlane } from './workers/routes.ts'

/** A ping names up to 64 KiB of jobs in its URL (worker-api §8). */
const PING_BYTES = 96 * 1024

export async function buildWorkerPlaneApp(deps: GatewayDeps): Promise<FastifyInstance> {
  const { log, closing, config } = deps
  const app = createApp({ log, closing, connections: config.limits.connections, headerBytes: PING_BYTES })
  registerProbes(app, deps)
  await registerWorkerPlane(app, deps)
  // Functions that call functions are no strangers: no limits, no browsers.
  await registerJobPlane(app, deps, { rates: { preset: 'off', concurrent: {} }, origins: { origins: [] } })
  await registerNestedManagement(app, deps)
  return app
}
