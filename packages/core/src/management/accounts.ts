// What an owner keeps beside resources: public SSH keys, which clients store and read back (management §3.1, §4.2). No worker uses them.
import { Account, quoted, RECORD_LIMITS, RunyardError } from '@runyard/schema'
import type { ResourceKind } from './resource-kind.ts'

/** One per owner. */
export const ACCOUNT_ID = 'account'
const LONGEST_KEY = 16_384
const PUBLIC_KEY = /^(?:ssh-|ecdsa-|sk-)[a-z0-9@.-]+ [A-Za-z0-9+/=]+(?: .*)?$/u

export const ACCOUNTS: ResourceKind<Account, Account> = {
  name: 'accounts',
  schema: Account,
  field: (ownerId, id) => JSON.stringify([ownerId, id]),
  show: (account) => account,
  check({ publicKeys }) {
    if (publicKeys.length > RECORD_LIMITS.listItems)
      throw new RunyardError('bad_request', `An account has at most ${RECORD_LIMITS.listItems} SSH keys; ${publicKeys.length} were given.`)
    const strange = publicKeys.find((key) => key.length > LONGEST_KEY || !PUBLIC_KEY.test(key))
    if (strange !== undefined)
      throw new RunyardError('bad_request', `${quoted(strange)} is no public SSH key; they look like "ssh-ed25519 AAAA… name".`)
  },
  usedBy: () => [],
  follow: (_account, users) => users,
  sentences: {
    many: 'accounts',
    missing: () => 'This account has no settings yet.',
    unknown: () => 'This account has no settings yet.',
    taken: () => 'The settings of this account were saved by somebody else at the same moment; try again.',
    inUse: () => 'The settings of an account cannot be deleted.',
  },
}

/** A text has one key per line (GraphQL `pubKey`). */
export function publicKeysIn(text: string): string[] {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
}
