// Registry credentials in GraphQL, as runpod-python 1.x speaks it and 2.0 still does for updates (management §4.2, sdk2-api §7.2).
import type { Registry } from '@runyard/schema'
import type { ManagementModel } from '../model.ts'
import type { Input } from './inputs.ts'
import type { RequestContext } from './request-context.ts'

export const registryReply = ({ id, name }: Registry): Record<string, unknown> => ({ id, name })

export function registryMutations({ registries }: Pick<ManagementModel, 'registries'>) {
  return {
    saveRegistryAuth: async (_: unknown, { input }: { input: Input<'SaveRegistryAuthInput'> }, { key }: RequestContext) =>
      registryReply(await registries.add(key.ownerId, { ...input })),
    updateRegistryAuth: async (
      _: unknown,
      { input: { id, ...credentials } }: { input: Input<'UpdateRegistryAuthInput'> },
      { key }: RequestContext,
    ) => registryReply(await registries.replace(key.ownerId, id, credentials)),
    deleteRegistryAuth: async (_: unknown, { registryAuthId }: { registryAuthId: string }, { key }: RequestContext) => {
      await registries.remove(key.ownerId, registryAuthId)
      return true
    },
  }
}
