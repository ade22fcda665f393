// The guard of every job-plane route: finds the endpoint of a request and checks whether its key may use it, so that no body is read for an endpoint
// that does not exist or belongs to another owner.
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { RunyardError, type Endpoint } from '@runyard/schema'
import type { Store } from '@runyard/store'
import { SENTINEL, type DeployedEndpoints } from '../parts/deployed-endpoints.ts'
import type { EndpointCache } from '../parts/endpoint-cache.ts'
import { apiKeyOf, checkOwner, requireApiKey } from '../http/authenticate.ts'
import { queryOf } from '../http/query.ts'

declare module 'fastify' {
  interface FastifyRequest {
    endpoint: Endpoint | null
  }
}

export interface JobParams {
  readonly endpointId: string
  readonly jobId: string
}

export function paramsOf(request: FastifyRequest): JobParams {
  return request.params as JobParams
}

/** The guard of a scope whose routes all have `:endpointId`. */
export function requireEndpoint(
  scope: FastifyInstance,
  { store, ...found }: FindDeps & { readonly store: Pick<Store, 'keys' | 'sessions' | 'subscribe'> },
): void {
  scope.decorateRequest('endpoint', null)
  requireApiKey(scope, store, {
    // Here even a GET changes something: reading a stream takes its chunks away.
    sessions: 'with header',
    async refuse(request, reply) {
      const limit = request.bounds?.limit
      if (limit !== undefined) await limit(request, reply)
      request.endpoint = await findEndpoint(found, request)
    },
  })
}

export function endpointOf({ endpoint }: FastifyRequest): Endpoint {
  if (endpoint === null) throw new Error('a route of an endpoint ran without its guard')
  return endpoint
}

interface FindDeps {
  readonly endpoints: EndpointCache
  readonly deployed: DeployedEndpoints
}

/** What the clients of deployed apps call; the rest is asked of an endpoint by its id. */
const OF_SENTINEL = /\/:endpointId\/(?:run|runsync|status\/:jobId|status-sync\/:jobId|stream\/:jobId|cancel\/:jobId|retry\/:jobId)$/u

/** Flash's calls, which have no `wait`, take whatever comes first for the result, so it must be the end (flash-api §5.8). */
export function isHeldToTheEnd(request: FastifyRequest): boolean {
  return queryOf(request)['wait'] === undefined && paramsOf(request).endpointId === SENTINEL
}

/** @throws RunyardError('not_found' | 'forbidden' | 'bad_request') */
async function findEndpoint({ endpoints, deployed }: FindDeps, request: FastifyRequest): Promise<Endpoint> {
  const { endpointId } = paramsOf(request)
  const isSentinel = endpointId === SENTINEL && OF_SENTINEL.test(request.routeOptions.url ?? '')
  const endpoint = isSentinel
    ? await deployed.find(apiKeyOf(request).ownerId, request.headers)
    : (endpoints.known(endpointId) ?? (await endpoints.require(endpointId)))
  checkOwner(apiKeyOf(request), endpoint)
  if (endpoint.type === 'LOAD_BALANCER' && !isForAll(request)) throw new RunyardError('bad_request', 'not allowed for LB API')
  return endpoint
}

/** Clients look with `/health` whether an endpoint exists, whatever its type (management §11). */
function isForAll({ routeOptions }: FastifyRequest): boolean {
  return routeOptions.url?.endsWith('/:endpointId/health') === true
}
