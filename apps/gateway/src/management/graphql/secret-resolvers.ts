// Secrets in GraphQL (sdk2-api §3.7).
import type { Secret } from '@runyard/schema'
import type { SecretModel } from '../secret-model.ts'
import type { Input } from './inputs.ts'
import type { RequestContext } from './request-context.ts'

export function secretResolvers(secrets: SecretModel) {
  return {
    ofUser: {
      secrets: async (_: unknown, __: unknown, { key, reads }: RequestContext) => {
        reads.step('read')
        return reads.rows(await secrets.list(key.ownerId)).map(secretReply)
      },
    },
    mutations: {
      secretCreate: async (_: unknown, { input }: { input: Input<'SecretCreateInput'> }, { key }: RequestContext) =>
        secretReply(await secrets.add(key.ownerId, { ...input, description: input.description ?? '' })),
      secretDelete: async (_: unknown, { id }: { id: string }, { key }: RequestContext) => {
        await secrets.remove(key.ownerId, { id })
        return true
      },
    },
  }
}

function secretReply({ id, name, description, createdAt }: Secret): Record<string, unknown> {
  return { id, name, description, createdAt: new Date(createdAt).toISOString() }
}
