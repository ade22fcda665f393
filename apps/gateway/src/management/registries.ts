// Registry credentials of an owner, as every dialect uses them. What comes back never has a secret in it.
import type { Registry, RegistryCredentials } from '@runyard/schema'
import type { Store } from '@runyard/store'
import { decideAddRegistry, decideRemoveRegistry, decideReplaceCredentials, missingRegistry } from './model-registry.ts'
import type { RegistryEdit } from './model-registry.ts'

export interface RegistryModel {
  /** Oldest first. */
  list(ownerId: string): Promise<readonly Registry[]>
  /** @throws RunyardError('not_found') */
  get(ownerId: string, id: string): Promise<Registry>
  /** @throws RunyardError('bad_request' | 'conflict') */
  add(ownerId: string, edit: RegistryEdit): Promise<Registry>
  /** Those that could not pull with the old ones try again at once. @throws RunyardError('bad_request' | 'not_found') */
  replace(ownerId: string, id: string, credentials: RegistryCredentials): Promise<Registry>
  /** @throws RunyardError('not_found' | 'conflict') */
  remove(ownerId: string, id: string): Promise<void>
}

export function createRegistryModel({ registries }: Pick<Store, 'registries'>, clock: () => number): RegistryModel {
  const change = (ownerId: string, decide: Parameters<typeof registries.change>[0]) => registries.change(decide, ownerId)
  return {
    async list(ownerId) {
      return (await registries.list(ownerId)).toSorted((a, b) => a.createdAt - b.createdAt)
    },
    async get(ownerId, id) {
      const registry = await registries.get(ownerId, id)
      if (registry === undefined) throw missingRegistry(id)
      return registry
    },
    add: (ownerId, edit) => change(ownerId, (library) => decideAddRegistry(library, edit, { ownerId, now: clock() })),
    replace: (ownerId, id, credentials) =>
      change(ownerId, (library) => decideReplaceCredentials(library, { id, credentials }, { ownerId, now: clock() })),
    async remove(ownerId, id) {
      await change(ownerId, (library) => decideRemoveRegistry(library, ownerId, id))
    },
  }
}
