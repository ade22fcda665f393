// The settings of an owner: public SSH keys, in one record that the first save makes.
import { ACCOUNT_ID } from '@runyard/core'
import type { Store } from '@runyard/store'
import { MODEL_TOOLS } from './model-tools.ts'

export type AccountModel = ReturnType<typeof createAccountModel>

export function createAccountModel({ accounts }: Pick<Store['resources'], 'accounts'>, clock: () => number) {
  return {
    publicKeys: async (ownerId: string): Promise<readonly string[]> => (await accounts.find(ownerId, ACCOUNT_ID))?.publicKeys ?? [],
    /** Replaces all. @throws RunyardError('bad_request') */
    async setPublicKeys(ownerId: string, keys: readonly string[]): Promise<readonly string[]> {
      const now = clock()
      const current = await accounts.find(ownerId, ACCOUNT_ID)
      const base = current ?? { id: ACCOUNT_ID, name: ACCOUNT_ID, ownerId, createdAt: now }
      const edit = () => ({ ...base, publicKeys: [...keys] })
      return (await accounts.save({ ...MODEL_TOOLS, now, ownerId, id: current?.id, edit })).publicKeys
    },
  }
}
