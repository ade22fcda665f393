// The account as clients ask for it (management §4.3): what runpodctl's `doctor`, `user` and `ssh` read. There is no money here and no mail.
import { publicKeysIn } from '@runyard/core'
import type { AccountModel } from '../account-model.ts'
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
      myself: (_: unknown, __: unknown, context: RequestContext) => user(context),
      ...HUB_QUERIES,
    },
    ofUser: {
      pubKey: async (_: unknown, __: unknown, { key, reads }: RequestContext) => {
        reads.step('read')
        return (await account.publicKeys(key.ownerId)).join('\n')
      },
    },
    mutations: {
      updateUserSettings: async (_: unknown, { input }: { input?: Input<'UpdateUserSettingsInput'> | null }, context: RequestContext) => {
        const { pubKey } = input ?? {}
        if (pubKey != null) await account.setPublicKeys(context.key.ownerId, publicKeysIn(pubKey))
        return user(context)
      },
    },
  }
}
