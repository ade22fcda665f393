// /runyard/v1/secrets: for `runyard secrets`. Clients of Runpod use GraphQL (sdk2-api §3.7).
import type { Secret } from '@runyard/schema'
import { ONE_PAGE, type SecretView } from '@runyard/schema/api'
import type { ManagementModel } from '../model.ts'
import { keyOf, restRoutes } from './conventions.ts'
import type { RestApp } from './conventions.ts'

function secretReply({ id, name, description, createdAt, updatedAt }: Secret): SecretView {
  return { id, name, description, createdAt: new Date(createdAt).toISOString(), updatedAt: new Date(updatedAt).toISOString() }
}

export function registerSecretRoutes(app: RestApp, { secrets }: Pick<ManagementModel, 'secrets'>): void {
  const route = restRoutes(app)
  route('GET /runyard/v1/secrets', async (request) => ({
    secrets: (await secrets.list(keyOf(request).ownerId)).map(secretReply),
    pagination: ONE_PAGE,
  }))

  route('PUT /runyard/v1/secrets/:name', async (request) =>
    secretReply(await secrets.set(keyOf(request).ownerId, request.params.name, request.body)),
  )

  route('DELETE /runyard/v1/secrets/:name', async (request, reply) => {
    await secrets.remove(keyOf(request).ownerId, { name: request.params.name })
    return reply.code(204).send()
  })
}
