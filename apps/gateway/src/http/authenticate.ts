// Requires an API key on every route of a scope and keeps it with the request. A key sees the endpoints of its own owner only.
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { RunyardError, type Endpoint } from '@runyard/schema'
import type { ApiKey, Store } from '@runyard/store'
import { createAuthentication } from '../authentication.ts'

declare module 'fastify' {
  interface FastifyRequest {
    apiKey: ApiKey | null
  }
}

/** Refuses before the body is read. @throws RunyardError('unauthorized') */
export function requireApiKey(app: FastifyInstance, store: Pick<Store, 'keys'>): void {
  const authenticate = createAuthentication(store)
  if (!app.hasRequestDecorator('apiKey')) app.decorateRequest('apiKey', null)
  app.addHook('onRequest', async (request) => {
    request.apiKey = await authenticate(request)
  })
}

export function apiKeyOf(request: FastifyRequest): ApiKey {
  if (request.apiKey === null) throw new RunyardError('unauthorized', 'unauthorized')
  return request.apiKey
}

/** @throws RunyardError('forbidden') when the endpoint belongs to another owner (client-api §9). */
export function checkOwner(key: ApiKey, endpoint: Endpoint): void {
  if (endpoint.ownerId !== key.ownerId) throw noAccess()
}

export function noAccess(): RunyardError {
  return new RunyardError('forbidden', 'forbidden: this API key has no access to this endpoint')
}
