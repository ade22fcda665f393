// Which endpoint a request means, and whether its key may use it. Every job-plane route starts here.
import type { FastifyRequest } from 'fastify'
import { RunyardError, type Endpoint } from '@runyard/schema'
import type { EndpointCache } from '../endpoint-cache.ts'
import { apiKeyOf, checkOwner } from '../http/authenticate.ts'

export interface JobParams {
  readonly endpointId: string
  readonly jobId: string
}

export function paramsOf(request: FastifyRequest): JobParams {
  return request.params as JobParams
}

/** @throws RunyardError('not_found' | 'forbidden' | 'bad_request') */
export async function endpointOf(endpoints: EndpointCache, request: FastifyRequest): Promise<Endpoint> {
  const { endpointId } = paramsOf(request)
  if (endpointId === 'flash') {
    throw new RunyardError(
      'not_found',
      'calls of deployed Flash apps are not served here yet; set FLASH_IS_LIVE_PROVISIONING=true to run the script live',
    )
  }
  const endpoint = await endpoints.require(endpointId)
  checkOwner(apiKeyOf(request), endpoint)
  if (endpoint.type === 'LOAD_BALANCER') throw new RunyardError('bad_request', 'not allowed for LB API')
  return endpoint
}
