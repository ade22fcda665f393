// Login requests (ADR 68): PENDING → APPROVED → CONSUMED, or PENDING → DENIED; each is EXPIRED once its time is over.
import { RunyardError, shown, type ApiKey, type LoginRequest, type LoginState } from '@runyard/schema'

const OPEN_MS = 10 * 60_000
/** Of all that are open, over all gateways. */
export const MOST_LOGINS = 500

export function newLogin(id: string, from: { readonly address: string; readonly client: string }, now: number): LoginRequest {
  return { id, state: 'PENDING', createdAt: now, expiresAt: now + OPEN_MS, address: shown(from.address), client: shown(from.client) }
}

export function loginState(request: LoginRequest | undefined, now: number): LoginState {
  return request === undefined || (now >= request.expiresAt && request.state !== 'CONSUMED') ? 'EXPIRED' : request.state
}

const CLOSED: Readonly<Record<LoginState, string>> = {
  PENDING: '',
  APPROVED: 'This login was approved already.',
  DENIED: 'This login was denied already.',
  CONSUMED: 'This login was approved already, and the client has its key.',
  EXPIRED: 'There is no such login request, or not any more: it is open for ten minutes. Start the login again.',
}

/** Why it cannot be approved or denied; undefined: it can. */
export function closedBecause(request: LoginRequest | undefined, now: number): string | undefined {
  return CLOSED[loginState(request, now)] || undefined
}

/** `key`: the one that decides; the new key may do no more than this one. @throws RunyardError('conflict') */
export function decideLogin(
  request: LoginRequest | undefined,
  { approve, key, now }: { readonly approve: boolean; readonly key: ApiKey; readonly now: number },
): LoginRequest {
  const closed = closedBecause(request, now)
  if (request === undefined || closed !== undefined) throw new RunyardError('conflict', closed ?? CLOSED.EXPIRED)
  return approve ? { ...request, state: 'APPROVED', ownerId: key.ownerId, grant: grantOf(key) } : { ...request, state: 'DENIED' }
}

function grantOf({ id, scopes, expiresAt, limits }: ApiKey): LoginRequest['grant'] {
  return {
    madeBy: id,
    ...(scopes === undefined ? {} : { scopes }),
    ...(expiresAt === undefined ? {} : { expiresAt }),
    ...(limits === undefined ? {} : { limits }),
  }
}
