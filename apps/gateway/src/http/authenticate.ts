// The one authentication of API keys: each scope says once that its routes need a key, and the guard keeps the key with the request. Unknown,
// revoked and missing keys are refused alike, and while the store cannot be asked no request is let in. A key sees the endpoints of its own owner
// only. A browser's session stands for its key (ADR 89). Workers have tokens instead of keys (`workers/sessions.ts`).
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { scopeRefusal } from '@runyard/core'
import { RunyardError, type Endpoint } from '@runyard/schema'
import type { NeededScope } from '@runyard/schema/api'
import type { ApiKey, Store } from '@runyard/store'
import { guardWith, type Access } from './access.ts'
import { followOpenRequests } from './open-requests.ts'

declare module 'fastify' {
  interface FastifyRequest {
    apiKey: ApiKey | null
    /** Of a request of the page. */
    session: string | null
  }
}

/** The part of a request that carries credentials. */
export interface Credentials {
  readonly headers: { readonly authorization?: string | undefined }
  /** A browser's; it counts instead of the header. */
  readonly session?: string | null
}

/** @throws RunyardError('unauthorized'), or 'store_unavailable' while Redis is away. */
export type Authenticate = (request: Credentials) => Promise<ApiKey>

/** The key in an Authorization header: `Bearer <key>` in any case, or the bare key (client-api §3, management §1.1). */
export function bearerOf(authorization: string | undefined): string | undefined {
  const value = authorization?.trim() ?? ''
  const key = /^bearer(\s+|$)/iu.test(value) ? value.slice('bearer'.length).trim() : value
  return key === '' ? undefined : key
}

export function createAuthentication(store: Pick<Store, 'keys' | 'sessions'>): Authenticate {
  return async (request) => {
    if (typeof request.session === 'string') return keyOfSession(store, request.session)
    const plain = bearerOf(request.headers.authorization)
    if (plain === undefined) throw new RunyardError('unauthorized', 'The request carries no API key; send "Authorization: Bearer <key>".')
    const key = await store.keys.verify(plain)
    if (key === undefined) throw new RunyardError('unauthorized', 'The API key is unknown or was revoked.')
    return key
  }
}

async function keyOfSession({ sessions }: Pick<Store, 'sessions'>, session: string): Promise<ApiKey> {
  const key = await sessions.verify(session)
  if (key === undefined) throw new RunyardError('unauthorized', 'The session has ended: sign in again.')
  return key
}

interface KeyGuard {
  /** Requests that need no key; default: none. */
  readonly isOpen?: (request: FastifyRequest) => boolean
  /** Where the key may stand; default: in the Authorization header alone. */
  readonly credentialsOf?: (request: FastifyRequest) => Credentials
  /** Whether a browser's session may stand for the key; default: it may, on a listener that has sessions. */
  readonly sessions?: 'with header' | 'refused'
  /** Runs once the caller is known; throws if the caller may not have what the request names. */
  readonly refuse?: Access
}

const ADMIN: NeededScope = ['admin']

/** Every route of the scope needs a key that may call it. The guard throws RunyardError('unauthorized' | 'forbidden'). */
export function requireApiKey(scope: FastifyInstance, store: Pick<Store, 'keys' | 'sessions' | 'subscribe'>, guard: KeyGuard = {}): void {
  const { isOpen, refuse } = guard
  const authenticate = createAuthentication(store)
  const requests = followOpenRequests(scope, store, authenticate)
  if (!scope.hasRequestDecorator('apiKey')) scope.decorateRequest('apiKey', null)
  if (!scope.hasRequestDecorator('session')) scope.decorateRequest('session', null)
  guardWith(scope, async (request, reply) => {
    if (isOpen?.(request) === true) return
    const credentials = findCredentials(scope, request, guard)
    request.apiKey = await authenticate(credentials)
    checkScope(request.apiKey, request.bounds?.scopes.get(request.method) ?? ADMIN)
    requests.add(credentials, reply)
    await refuse?.(request, reply)
  })
}

/** A key wins over a session. @throws RunyardError('forbidden') where a session is not the page's. */
function findCredentials(scope: FastifyInstance, request: FastifyRequest, { credentialsOf, sessions }: KeyGuard): Credentials {
  const credentials = credentialsOf === undefined ? request : credentialsOf(request)
  if (credentials.headers.authorization !== undefined || sessions === 'refused') return credentials
  request.session = scope.pageCookies?.read(request, sessions) ?? null
  return request
}

export function apiKeyOf(request: FastifyRequest): ApiKey {
  if (request.apiKey === null) throw new RunyardError('unauthorized', 'unauthorized')
  return request.apiKey
}

/** @throws RunyardError('forbidden') when the endpoint belongs to another owner (client-api §9). */
export function checkOwner(key: ApiKey, endpoint: Endpoint): void {
  if (endpoint.ownerId !== key.ownerId) throw noAccess()
}

/** @throws RunyardError('forbidden') when the key has none of the scopes (ADR 81). */
export function checkScope(key: ApiKey, needed: NeededScope): void {
  const refusal = scopeRefusal(key, needed)
  if (refusal !== undefined) throw new RunyardError('forbidden', refusal)
}

export function noAccess(): RunyardError {
  return new RunyardError('forbidden', 'forbidden: this API key has no access to this endpoint')
}
