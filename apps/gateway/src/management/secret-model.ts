// Secrets of the management model (ADR 67): their values go into the store and to workers, and into no answer.
import { editSecret, missingResource, RESOURCE_KINDS, type SecretEdit } from '@runyard/core'
import type { Secret } from '@runyard/schema'
import type { Store } from '@runyard/store'
import { MODEL_TOOLS } from './model-tools.ts'

export interface SecretModel {
  /** Oldest first. */
  list(ownerId: string): Promise<readonly Secret[]>
  /** @throws RunyardError('bad_request' | 'conflict') */
  add(ownerId: string, edit: SecretEdit & { readonly name: string }): Promise<Secret>
  /** Adds it, or gives the one of that name another value. @throws RunyardError('bad_request') */
  set(ownerId: string, name: string, edit: Omit<SecretEdit, 'name'>): Promise<Secret>
  /** @throws RunyardError('not_found') */
  remove(ownerId: string, wanted: { readonly id: string } | { readonly name: string }): Promise<void>
}

export function createSecretModel({ secrets }: Pick<Store['resources'], 'secrets'>, clock: () => number): SecretModel {
  const save = (ownerId: string, id: string | undefined, edit: SecretEdit): Promise<Secret> => {
    const context = { ...MODEL_TOOLS, ownerId, now: clock() }
    return secrets.save({ ...context, id, edit: (current) => editSecret(current, edit, context) })
  }
  const idOf = async (ownerId: string, name: string): Promise<string | undefined> =>
    (await secrets.list(ownerId)).find((secret) => secret.name === name)?.id
  return {
    list: async (ownerId) => (await secrets.list(ownerId)).toSorted((a, b) => a.createdAt - b.createdAt),
    add: (ownerId, edit) => save(ownerId, undefined, edit),
    set: async (ownerId, name, edit) => save(ownerId, await idOf(ownerId, name), { ...edit, name }),
    async remove(ownerId, wanted) {
      if ('name' in wanted && (await idOf(ownerId, wanted.name)) === undefined) throw missingResource(RESOURCE_KINDS.secrets, wanted.name)
      await secrets.remove(ownerId, wanted)
    },
  }
}
