// Who is asking: turns the credentials of a request into an API key, or refuses. Unknown, revoked and missing keys are
// refused alike; while the store cannot be asked nobody is let in.
import { RunyardError } from '@runyard/schema'
import type { ApiKey, Store } from '@runyard/store'

/** The part of a request that carries credentials. */
export interface Credentials {
  readonly headers: { readonly authorization?: string | undefined }
}

/** @throws RunyardError('unauthorized'), or 'store_unavailable' while Redis is away. */
export type Authenticate = (request: Credentials) => Promise<ApiKey>

/** The key in an Authorization header: `Bearer <key>` in any case, or the bare key (client-api §3, management §1.1). */
export function bearerOf(authorization: string | undefined): string | undefined {
  const value = authorization?.trim() ?? ''
  const key = /^bearer(\s+|$)/iu.test(value) ? value.slice('bearer'.length).trim() : value
  return key === '' ? undefined : key
}

export function createAuthentication(store: Pick<Store, 'keys'>): Authenticate {
  return async (request) => {
    const plain = bearerOf(request.headers.authorization)
    if (plain === undefined) throw new RunyardError('unauthorized', 'The request carries no API key; send "Authorization: Bearer <key>".')
    const key = await store.keys.verify(plain)
    if (key === undefined) throw new RunyardError('unauthorized', 'The API key is unknown or was revoked.')
    return key
  }
}
