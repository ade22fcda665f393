// The two listeners: what each serves, and how it is opened. The public one serves everything but the worker protocol. The worker plane serves that
// protocol to worker tokens and, so that functions can call functions, the job plane and the list of endpoints to API keys; no management and no
// metrics (ADR 6).
import cors from '@fastify/cors'
import type { FastifyInstance } from 'fastify'
import { systemCode, PLANE_NAMES, RunyardError, type Config, type RefusalReason } from '@runyard/schema'
import root from '../../../package.json' with { type: 'json' }
import type { Balancer } from './balancer/balancer.ts'
import { registerBalancer } from './balancer/routes.ts'
import { registerTasks } from './balancer/task-routes.ts'
import { createFindTarget } from './balancer/target.ts'
import { asksForWebSocket, forwardWebSockets } from './balancer/websockets.ts'
import { registerBatch } from './batch/routes.ts'
import { followRoutes, registerDocs } from './docs/routes.ts'
import { open } from './http/access.ts'
import { createApp } from './http/app.ts'
import { createTrust } from './http/base-url.ts'
import { acceptSessions, createPageCookies } from './http/page-cookies.ts'
import { readBodies } from './http/bodies.ts'
import { createRateLimits } from './http/rate-limit.ts'
import { isStoreAnswering, refuseReadsOfSilentStore, STORE_IS_SILENT } from './http/silent-store.ts'
import { requireEndpoint } from './jobs/endpoint-of.ts'
import { registerJobs } from './jobs/routes.ts'
import { registerHistory } from './history/routes.ts'
import { registerManagement, registerNestedManagement } from './management/index.ts'
import { registerMetrics } from './observability/metrics-route.ts'
import { registerWorkerLogs } from './observability/worker-logs.ts'
import { registerOpenai } from './openai/routes.ts'
import { answerPage, registerPage } from './page/routes.ts'
import type { GatewayDeps } from './parts/deps.ts'
import { recordEnds, traceparentsOf } from './parts/journal.ts'
import { countRequests } from './parts/metrics.ts'
import { acceptTunnels, asksForTunnel } from './workers/accept-tunnels.ts'
import { registerWorkerPlane } from './workers/routes.ts'

/** A ping names up to 64 KiB of jobs in its URL (worker-api §8). */
const PING_BYTES = 96 * 1024
const PREFLIGHT_KEPT_S = 600
/** Shorter than the patience of probes. */
const PROBE_MS = 2000
const NO_PAGES: Config['cors'] = { origins: [] }

export async function buildPublicApp(deps: Balancer): Promise<FastifyInstance> {
  const { log, closing, config } = deps
  const targetOf = createFindTarget(config.loadBalancing.names)
  const upgrades = asksForWebSocket(targetOf)
  const { basePath, trustedProxies } = config.listen
  const app = createApp({
    log,
    closing,
    connections: config.limits.connections,
    targetOf,
    upgrades,
    page: answerPage,
    basePath,
    isTrusted: createTrust(trustedProxies),
  })
  countRequests(app, deps.metrics)
  refuseReadsOfSilentStore(app, deps.store)
  const { id: instanceId } = await deps.store.instance()
  acceptSessions(app, createPageCookies({ instanceId, listen: config.listen, others: [...config.loadBalancing.names, config.tls.name] }))
  forwardWebSockets(app.server, deps, targetOf)
  app.addHook('onError', async (_request, _reply, error) => {
    const reason = refusalReasonOf(error)
    if (reason !== undefined) deps.metrics.refused(reason)
  })
  const routes = followRoutes(app)
  registerProbes(app, deps)
  registerDocs(app, { routes, version: root.version })
  await registerPage(app)
  await registerMetrics(app, deps, root.version)
  await registerJobPlane(app, deps, { rates: config.rateLimits, origins: config.cors })
  await registerBalancer(app, deps, config.cors)
  await registerTasks(app, deps)
  await registerWorkerLogs(app, deps)
  await registerHistory(app, deps)
  await registerManagement(app, {
    ...deps,
    onDelete: async (endpoint) => {
      const traceparents = await traceparentsOf(deps, endpoint.id)
      return (jobs) => {
        const ends = jobs.map((job) => ({ cause: 'endpoint_deleted', job, traceparent: traceparents.get(job.id) }) as const)
        recordEnds(deps, endpoint, ends)
      }
    },
  })
  return app
}

function refusalReasonOf(error: Error & { readonly code?: unknown }): RefusalReason | undefined {
  if (error instanceof RunyardError) return error.code === 'payload_too_large' ? 'body_size' : error.refusal
  return error.code === 'FST_ERR_CTP_BODY_TOO_LARGE' ? 'body_size' : undefined
}

export async function buildWorkerPlaneApp(deps: Balancer): Promise<FastifyInstance> {
  const { log, closing, config } = deps
  const targetOf = createFindTarget(PLANE_NAMES)
  const { connections } = config.limits
  const app = createApp({ log, closing, connections, headerBytes: PING_BYTES, targetOf, upgrades: asksForTunnel })
  acceptTunnels(app.server, deps)
  countRequests(app, deps.metrics)
  registerProbes(app, deps)
  await registerWorkerPlane(app, deps)
  // Functions that call functions are known callers: no limits, no browsers.
  await registerJobPlane(app, deps, { rates: { preset: 'off', concurrent: {} }, origins: NO_PAGES })
  await registerBalancer(app, deps, NO_PAGES)
  await registerNestedManagement(app, deps)
  return app
}

/**
 * `/healthz`: the process lives, its version, and whether it is connected to Redis; costs nothing. `/readyz`: it can also do its work, and how far Redis is from its
 * memory limit; else 503 with one sentence per problem.
 */
function registerProbes(app: FastifyInstance, { store }: Pick<GatewayDeps, 'store'>): void {
  app.get('/healthz', { config: { access: open } }, () => ({
    ok: true,
    redis: store.isUp() ? 'up' : 'away',
    version: root.version,
  }))
  app.get('/readyz', { config: { access: open } }, async (_request, reply) => {
    const problems = await readProblems(store)
    if (problems.length === 0) return { ok: true, redisMemory: await store.redisMemory().catch(() => undefined) }
    return reply.code(503).send({ ok: false, error: problems.join('; '), problems })
  })
}

/** One sentence each. */
async function readProblems(store: GatewayDeps['store']): Promise<readonly string[]> {
  if (!store.isUp()) return ['Redis cannot be reached']
  if (!(await isStoreAnswering(store, PROBE_MS))) return [STORE_IS_SILENT]
  return (await store.problems()).map(({ message }) => message)
}

/** All that callers do with jobs, in one scope whose guard asks for the key and the endpoint. */
async function registerJobPlane(
  app: FastifyInstance,
  deps: GatewayDeps,
  { rates, origins }: { readonly rates: Config['rateLimits']; readonly origins: Config['cors'] },
): Promise<void> {
  await app.register(async (scope) => {
    requireEndpoint(scope, deps)
    await allowOrigins(scope, origins)
    readBodies(scope, 'bytes')
    const limited = createRateLimits(rates)
    registerJobs(scope, deps, limited)
    await registerOpenai(scope, deps, limited)
    registerBatch(scope, deps)
  })
}

/**
 * Lets web pages of the configured origins call the job plane, as the JS SDK in a browser does: its preflight asks for `authorization`, `content-type`
 * and `user-agent` (client-api §3). Off by default: a page in the operator's browser must not reach a gateway on loopback. As a hook of the scope it runs
 * before the guards of its routes: a preflight bears no key, and the page must be able to read a 401.
 */
async function allowOrigins(app: FastifyInstance, { origins }: Config['cors']): Promise<void> {
  if (origins.length === 0) return
  await app.register(cors, {
    origin: origins.includes('*') ? '*' : [...origins],
    methods: ['GET', 'POST', 'PUT', 'DELETE'],
    exposedHeaders: ['retry-after', 'idempotency-replayed', 'x-request-id', 'x-should-retry'],
    maxAge: PREFLIGHT_KEPT_S,
  })
}

interface Address {
  readonly host: string
  readonly port: number
}

/** Resolves with the URL that was bound (port 0 picks a free one). @throws RunyardError('conflict') with one sentence and how to mend it */
export async function listen(app: FastifyInstance, address: Address, setting: string): Promise<string> {
  try {
    return await app.listen({ ...address })
  } catch (error) {
    throw new RunyardError('conflict', explain(systemCode(error), address, setting), { cause: error })
  }
}

function explain(code: string | undefined, { host, port }: Address, setting: string): string {
  switch (code ?? 'unknown') {
    case 'EADDRINUSE':
      return `Port ${port} on ${host} is taken by another program: stop it, or set ${setting}.port to another port.`
    case 'EADDRNOTAVAIL':
      return `This machine has no address ${host}: set ${setting}.host to one that it has.`
    case 'EACCES':
      return `Port ${port} needs more rights than this user has: set ${setting}.port to one above 1023.`
    default:
      return `Cannot listen on ${host}:${port} (${code ?? 'unknown error'}).`
  }
}
