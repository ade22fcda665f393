// Guards that ask for an API key and keep it with the request. A key sees the endpoints of its own owner only.
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { RunyardError, type Endpoint } from '@runyard/schema'
import type { ApiKey, Store } from '@runyard/store'
import { createAuthentication, type Credentials } from '../authentication.ts'
import { guardWith, type Access } from './access.ts'
import { followOpenRequests } from './open-requests.ts'

declare module 'fastify' {
  interface FastifyRequest {
    apiKey: ApiKey | null
  }
}

interface KeyGuard {
  /** Needs no key; default: no request. */
  readonly isOpen?: (request: FastifyRequest) => boolean
  /** Where the key may stand; default: in the Authorization header alone. */
  readonly credentialsOf?: (request: FastifyRequest) => Credentials
  /** Refuses who may not have what the request names, now that its caller is known. */
  readonly refuse?: Access
}

/** Every route of the scope wants a key. The guard throws RunyardError('unauthorized'). */
export function requireApiKey(scope: FastifyInstance, store: Pick<Store, 'keys' | 'subscribe'>, guard: KeyGuard = {}): void {
  const { isOpen, credentialsOf, refuse } = guard
  const authenticate = createAuthentication(store)
  const requests = followOpenRequests(scope, store, authenticate)
  if (!scope.hasRequestDecorator('apiKey')) scope.decorateRequest('apiKey', null)
  guardWith(scope, async (request, reply) => {
    if (isOpen?.(request) === true) return
    const credentials = credentialsOf === undefined ? request : credentialsOf(request)
    request.apiKey = await authenticate(credentials)
    requests.add(credentials, reply)
    await refuse?.(request, reply)
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
