// Login in GraphQL (flash-api §1.2, ADR 68). A request without credentials may call these.
import type { LoginModel } from '../../login/login-model.ts'
import { GUEST } from './guests.ts'
import type { RequestContext } from './request-context.ts'

export function loginResolvers(logins: LoginModel) {
  return {
    query: {
      flashAuthRequestStatus: (_: unknown, { flashAuthRequestId: id }: { flashAuthRequestId: string }, { key, reads }: RequestContext) => {
        reads.step('read')
        return logins.status(id, key === GUEST)
      },
    },
    mutations: {
      createFlashAuthRequest: (_: unknown, __: unknown, { by, agent }: RequestContext) =>
        logins.create({ address: by.address ?? '', client: agent }),
    },
  }
}
