// Logins by approval (ADR 68): who may do what with a login request. The new key is made for the caller that consumes an approved request.
import { randomBytes } from 'node:crypto'
import { decideLogin, loginState, MOST_LOGINS, newLogin } from '@runyard/core'
import { RunyardError, type LoginRequest, type LoginState } from '@runyard/schema'
import type { ApiKey, Store } from '@runyard/store'

export interface LoginStatus {
  readonly id: string
  readonly status: LoginState
  readonly expiresAt: string
  readonly apiKey: string | null
}

export type LoginModel = ReturnType<typeof createLoginModel>

const ID_BYTES = 24

export function createLoginModel({ logins, keys }: Pick<Store, 'logins' | 'keys'>, clock: () => number = Date.now) {
  /** Undefined: another caller got it. */
  const consume = async (request: LoginRequest): Promise<string | undefined> => {
    const { ownerId = '', client, createdAt, grant } = request
    if (!(await logins.move(request, { ...request, state: 'CONSUMED' }))) return undefined
    const name = `login of ${new Date(createdAt).toISOString()}, ${client}`
    return (await keys.create({ name, ownerId, ...grant })).plain
  }
  return {
    find: (id: string): Promise<LoginRequest | undefined> => logins.get(id),
    /** @throws RunyardError('too_many_requests') */
    async create(from: { readonly address: string; readonly client: string }): Promise<LoginStatus> {
      const now = clock()
      const request = newLogin(randomBytes(ID_BYTES).toString('base64url'), from, now)
      if (await logins.create(request, { most: MOST_LOGINS, now })) return toStatus(request, request.state)
      throw new RunyardError('too_many_requests', `${MOST_LOGINS} logins wait for an approval, which is as many as may; try again later.`)
    },
    /** `isGuest`: the caller has no key, so an approved request gives it the new one. */
    async status(id: string, isGuest: boolean): Promise<LoginStatus> {
      const request = await logins.get(id)
      const state = loginState(request, clock())
      if (request === undefined) return { id, status: state, expiresAt: new Date(clock()).toISOString(), apiKey: null }
      if (state !== 'APPROVED' || !isGuest) return toStatus(request, state)
      const plain = await consume(request)
      return plain === undefined ? toStatus(request, 'CONSUMED') : toStatus(request, state, plain)
    },
    /** @throws RunyardError('conflict') where it is not open. */
    async decide(id: string, key: ApiKey, approve: boolean): Promise<void> {
      const before = await logins.get(id)
      const after = decideLogin(before, { approve, key, now: clock() })
      if (before === undefined || !(await logins.move(before, after)))
        throw new RunyardError('conflict', 'This login was decided by somebody else at the same moment.')
    },
  }
}

function toStatus({ id, expiresAt }: LoginRequest, status: LoginState, apiKey: string | null = null): LoginStatus {
  return { id, status, expiresAt: new Date(expiresAt).toISOString(), apiKey }
}
