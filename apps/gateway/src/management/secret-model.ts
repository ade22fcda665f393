// Secrets of the management model (ADR 67): their values go into the store and to workers, and into no answer.
import { editSecret, missingResource, RESOURCE_KINDS, type SecretEdit } from '@runyard/core'
import type { Secret } from '@runyard/schema'
import type { Store } from '@runyard/store'
import { MODEL_TOOLS } from './model-tools.ts'

export type SecretModel = ReturnType<typeof createSecretModel>

export function createSecretModel({ secrets }: Pick<Store['resources'], 'secrets'>, clock: () => number) {
  const save = (ownerId: string, id: string | undefined, edit: SecretEdit): Promise<Secret> => {
    const context = { ...MODEL_TOOLS, ownerId, now: clock() }
    return secrets.save({ ...context, id, edit: (current) => editSecret(current, edit, context) })
  }
  const idOf = async (ownerId: string, name: string): Promise<string | undefined> =>
    (await secrets.list(ownerId)).find((secret) => secret.name === name)?.id
  return {
    /** Oldest first. */
    list: async (ownerId: string): Promise<readonly Secret[]> =>
      (await secrets.list(ownerId)).toSorted((a, b) => a.createdAt - b.createdAt),
    /** @throws RunyardError('bad_request' | 'conflict') */
    add: (ownerId: string, edit: SecretEdit & { readonly name: string }): Promise<Secret> => save(ownerId, undefined, edit),
    /** Adds it, or gives the one of that name another value. @throws RunyardError('bad_request') */
    set: async (ownerId: string, name: string, edit: Omit<SecretEdit, 'name'>): Promise<Secret> =>
      save(ownerId, await idOf(ownerId, name), { ...edit, name }),
    /** @throws RunyardError('not_found') */
    async remove(ownerId: string, wanted: { readonly id: string } | { readonly name: string }): Promise<void> {
      if ('name' in wanted && (await idOf(ownerId, wanted.name)) === undefined) throw missingResource(RESOURCE_KINDS.secrets, wanted.name)
      await secrets.remove(ownerId, wanted)
    },
  }
}
