// Load-balanced endpoints (management §11): any method and any path below `/lb/{endpoint}`, and WebSockets. The key and the endpoint are checked before a
// byte of the body is read. Requests by Host arrive here with their path rewritten (`target.ts`).
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { RunyardError, type Config, type Endpoint } from '@runyard/schema'
import type { ApiKey } from '@runyard/store'
import { apiKeyOf, checkOwner, requireApiKey } from '../http/authenticate.ts'
import { clientGone } from '../http/answer.ts'
import type { RouteCount } from '../parts/metrics.ts'
import { SENTINEL } from '../parts/deployed-endpoints.ts'
import type { Balancer } from './balancer.ts'
import { exchange } from './forward.ts'
import { parseAffinity, takeTurn } from './rotation.ts'
import { pathBelow } from './target.ts'

const TRIES = 3
const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const

/** `cors`: web pages that may call. */
export async function registerBalancer(app: FastifyInstance, balancer: Balancer, cors: Config['cors']): Promise<void> {
  const { store, config } = balancer
  const allowOrigin = createAllowOrigin(cors)
  await app.register(async (scope) => {
    if (cors.origins.length > 0) allowPages(scope, allowOrigin)
    requireApiKey(scope, store, {
      sessions: 'refused',
      async refuse(request) {
        const { endpointId } = request.params as { endpointId: string }
        request.endpoint = await findBalanced(balancer, apiKeyOf(request), { endpointId, headers: request.headers })
      },
    })
    if (!scope.hasRequestDecorator('endpoint')) scope.decorateRequest('endpoint', null)
    // Bodies are neither read nor parsed here.
    scope.removeAllContentTypeParsers()
    scope.addContentTypeParser('*', (_request, _payload, done) => done(null))
    const bodyLimit = config.loadBalancing.bodyBytes
    for (const url of ['/lb/:endpointId', '/lb/:endpointId/*']) {
      scope.route({ method: [...METHODS], url, bodyLimit, exposeHeadRoute: false, handler: createHandler(balancer, allowOrigin) })
    }
  })
}

/** @throws RunyardError('not_found' | 'forbidden' | 'bad_request') */
export async function findBalanced(
  { endpoints, deployed }: Pick<Balancer, 'endpoints' | 'deployed'>,
  key: ApiKey,
  { endpointId, headers }: { readonly endpointId: string; readonly headers: IncomingHttpHeaders },
): Promise<Endpoint> {
  // `flash.<base name>`: deployed apps are called by their names (flash-api §5.8).
  const endpoint =
    endpointId === SENTINEL
      ? await deployed.find(key.ownerId, headers)
      : (endpoints.known(endpointId) ?? (await endpoints.require(endpointId)))
  checkOwner(key, endpoint)
  if (endpoint.type !== 'LOAD_BALANCER') throw new RunyardError('bad_request', 'not allowed for QB API')
  return endpoint
}

function createHandler(balancer: Balancer, allowOrigin: AllowOrigin) {
  const count = createCount(balancer)
  return async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    const { endpoint } = request
    if (endpoint === null) throw new Error('a route of an endpoint ran without its guard')
    refuseLarge(request, balancer.config.loadBalancing.bodyBytes)
    await answer(balancer, endpoint, { request, reply, allowOrigin })
    // The answer went out past Fastify, which counts only its own ones.
    count(request, reply)
    return reply.hijack()
  }
}

/** Requests by method and status, with the time until the answer had ended. */
function createCount({ metrics }: Pick<Balancer, 'metrics'>) {
  const byMethod = new Map<string, RouteCount>()
  return ({ method, arrivedAt }: FastifyRequest, { raw }: FastifyReply): void => {
    const add = byMethod.get(method) ?? metrics.route('/lb/:endpointId/*', method)
    byMethod.set(method, add)
    add(raw.statusCode, (performance.now() - (arrivedAt ?? performance.now())) / 1000)
  }
}

function refuseLarge({ headers }: FastifyRequest, most: number): void {
  if (Number(headers['content-length'] ?? 0) <= most) return
  throw new RunyardError('payload_too_large', `the request body is larger than ${most} bytes (loadBalancing.bodyBytes)`)
}

async function answer(
  balancer: Balancer,
  endpoint: Endpoint,
  { request, reply, allowOrigin }: { readonly request: FastifyRequest; readonly reply: FastifyReply; readonly allowOrigin: AllowOrigin },
): Promise<void> {
  const { holdS, requestS, bodyBytes: mostBytes } = balancer.config.loadBalancing
  const tried = new Set<string>()
  const affinity = parseAffinity(request.headers['x-runpod-worker-id'])
  const wish = { endpoint, affinity, tried, deadline: Date.now() + holdS * 1000, signal: clientGone(reply) }
  const path = pathBelow(request.raw.url ?? '')
  const moreAnswer = allowOrigin(request.raw)
  const body = await balancer.devSyncs.take(endpoint, request.raw, path)
  for (;;) {
    const turn = await takeTurn(balancer, wish)
    if (turn === undefined) return
    const { workerId } = turn
    try {
      const agent = balancer.agentOf(endpoint, workerId)
      if (body === undefined) await balancer.devSyncs.ensure(endpoint, workerId, agent)
      const parts = {
        request: request.raw,
        response: reply.raw,
        body,
        path,
        workerId,
        agent,
        mostBytes,
        mostMs: requestS * 1000,
        moreAnswer,
      }
      const result = await exchange(parts)
      if (result === 'done' && body !== undefined && reply.raw.statusCode === 200) balancer.devSyncs.noteSynced(endpoint, workerId)
      if (result === 'done') return
      tried.add(workerId)
      if (tried.size >= TRIES) throw result.again
    } finally {
      turn.end()
    }
  }
}

/** How long a browser need not ask again. */
const PREFLIGHT_KEPT_S = 600

/** Names and values alternate; empty: the request is from no page that may call. */
type AllowOrigin = (request: Pick<IncomingMessage, 'headers'>) => readonly string[]

/** Pages call from the origins in `cors.origins`, as they call jobs. An app that has CORS headers of its own keeps them. */
function createAllowOrigin({ origins }: Config['cors']): AllowOrigin {
  const allowed = new Set(origins)
  return ({ headers: { origin } }) => {
    if (origin === undefined || !(allowed.has('*') || allowed.has(origin))) return []
    const expose = ['access-control-expose-headers', 'x-runpod-worker-id, retry-after']
    return ['access-control-allow-origin', allowed.has('*') ? '*' : origin, ...expose, 'vary', 'Origin']
  }
}

/**
 * Answers preflights, which bear no key; any other OPTIONS goes to the app. Before the guard of the scope, so that a page can also read a refusal.
 */
function allowPages(scope: FastifyInstance, allowOrigin: AllowOrigin): void {
  scope.addHook('onRequest', async ({ raw }, reply) => {
    const headers = allowOrigin(raw)
    for (let at = 0; at + 1 < headers.length; at += 2) reply.header(headers[at] ?? '', headers[at + 1])
    const asked = raw.headers['access-control-request-method']
    if (raw.method !== 'OPTIONS' || headers.length === 0 || asked === undefined) return
    const names = raw.headers['access-control-request-headers']
    if (names !== undefined) reply.header('access-control-allow-headers', names)
    await reply.header('access-control-allow-methods', asked).header('access-control-max-age', PREFLIGHT_KEPT_S).code(204).send()
  })
}
