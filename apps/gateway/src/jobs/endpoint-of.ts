// The guard of every job-plane route: finds the endpoint of a request and checks whether its key may use it, so that no body is read for an endpoint
// that does not exist or belongs to another owner.
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { RunyardError, type Endpoint } from '@runyard/schema'
import type { Store } from '@runyard/store'
import type { EndpointCache } from '../parts/endpoint-cache.ts'
import { apiKeyOf, checkOwner, requireApiKey } from '../http/authenticate.ts'

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
  { store, endpoints }: { store: Pick<Store, 'keys' | 'subscribe'>; endpoints: EndpointCache },
): void {
  scope.decorateRequest('endpoint', null)
  requireApiKey(scope, store, {
    async refuse(request, reply) {
      const limit = request.bounds?.limit
      if (limit !== undefined) await limit(request, reply)
      request.endpoint = await findEndpoint(endpoints, request)
    },
  })
}

export function endpointOf({ endpoint }: FastifyRequest): Endpoint {
  if (endpoint === null) throw new Error('a route of an endpoint ran without its guard')
  return endpoint
}

/** @throws RunyardError('not_found' | 'forbidden' | 'bad_request') */
async function findEndpoint(endpoints: EndpointCache, request: FastifyRequest): Promise<Endpoint> {
  const { endpointId } = paramsOf(request)
  if (endpointId === 'flash') {
    throw new RunyardError(
      'not_found',
      'calls of deployed Flash apps are not served here yet; set FLASH_IS_LIVE_PROVISIONING=true to run the script live',
    )
  }
  const endpoint = endpoints.known(endpointId) ?? (await endpoints.require(endpointId))
  checkOwner(apiKeyOf(request), endpoint)
  if (endpoint.type === 'LOAD_BALANCER' && !isForAll(request)) throw new RunyardError('bad_request', 'not allowed for LB API')
  return endpoint
}

/** Clients look with `/health` whether an endpoint exists, whatever its type (management §11). */
function isForAll({ routeOptions }: FastifyRequest): boolean {
  return routeOptions.url?.endsWith('/:endpointId/health') === true
}
