// The account as clients ask for it (management §4.3), with its logins and secrets: what runpodctl's `doctor`, `user` and `ssh` read. There is no money here
// and no mail.
import { publicKeysIn } from '@runyard/core'
import type { Secret } from '@runyard/schema'
import type { LoginModel } from '../../login/login-model.ts'
import type { AccountModel } from '../account-model.ts'
import type { SecretModel } from '../secret-model.ts'
import { GUEST } from './guests.ts'
import { HUB_QUERIES } from './hub.ts'
import type { Input } from './inputs.ts'
import type { RequestContext } from './request-context.ts'

const USER = {
  email: '',
  clientBalance: 0,
  currentSpendPerHr: 0,
  spendLimit: 0,
  notifyPodsStale: false,
  notifyPodsGeneral: false,
  notifyLowBalance: false,
  myModels: [],
} as const

export function accountResolvers(account: AccountModel) {
  const user = ({ key }: RequestContext) => ({ ...USER, id: key.ownerId })
  return {
    query: {
      myself: (_: unknown, context: RequestContext) => user(context),
      ...HUB_QUERIES,
    },
    ofUser: {
      pubKey: async (_: unknown, { key, reads }: RequestContext) => {
        reads.step('read')
        return (await account.publicKeys(key.ownerId)).join('\n')
      },
    },
    mutations: {
      updateUserSettings: async ({ input }: { input?: Input<'UpdateUserSettingsInput'> | null }, context: RequestContext) => {
        const { pubKey } = input ?? {}
        if (pubKey != null) await account.setPublicKeys(context.key.ownerId, publicKeysIn(pubKey))
        return user(context)
      },
    },
  }
}

/** flash-api §1.2, ADR 68. A request without credentials may call these. */
export function loginResolvers(logins: LoginModel) {
  return {
    query: {
      flashAuthRequestStatus: ({ flashAuthRequestId: id }: { flashAuthRequestId: string }, { key, reads }: RequestContext) => {
        reads.step('read')
        return logins.status(id, key === GUEST)
      },
    },
    mutations: {
      createFlashAuthRequest: (_: unknown, { by, agent }: RequestContext) => logins.create({ address: by.address ?? '', client: agent }),
    },
  }
}

/** sdk2-api §3.7 */
export function secretResolvers(secrets: SecretModel) {
  return {
    ofUser: {
      secrets: async (_: unknown, { key, reads }: RequestContext) => {
        reads.step('read')
        return reads.rows(await secrets.list(key.ownerId)).map(secretReply)
      },
    },
    mutations: {
      secretCreate: async ({ input }: { input: Input<'SecretCreateInput'> }, { key }: RequestContext) =>
        secretReply(await secrets.add(key.ownerId, { ...input, description: input.description ?? '' })),
      secretDelete: async ({ id }: { id: string }, { key }: RequestContext) => {
        await secrets.remove(key.ownerId, { id })
        return true
      },
    },
  }
}

function secretReply({ id, name, description, createdAt }: Secret): Record<string, unknown> {
  return { id, name, description, createdAt: new Date(createdAt).toISOString() }
}
