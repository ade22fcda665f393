// /v2/registries (management §3.5; sdk2-api §3.7, §7.2). Secrets go in and never come out. PATCH is ours: Runpod has one in GraphQL only.
import type { Registry } from '@runyard/schema'
import { ONE_PAGE, type RegistryView } from '@runyard/schema/api'
import type { ManagementModel } from '../model.ts'
import { keyOf, restRoutes } from './conventions.ts'
import type { RestApp } from './conventions.ts'

export const registryReply = ({ id, name }: Registry): RegistryView => ({ id, name })

export function registerRegistryRoutes(app: RestApp, { registries }: Pick<ManagementModel, 'registries'>): void {
  const route = restRoutes(app)
  const ownRoute = restRoutes(app, { find: (ownerId, id) => registries.get(ownerId, id) })
  route('GET /v2/registries', async (request) => ({
    registries: (await registries.list(keyOf(request).ownerId)).map(registryReply),
    pagination: ONE_PAGE,
  }))

  route('POST /v2/registries', async (request, reply) =>
    reply.code(201).send(registryReply(await registries.add(keyOf(request).ownerId, request.body))),
  )

  route('GET /v2/registries/:id', async (request) => registryReply(await registries.get(keyOf(request).ownerId, request.params.id)))

  ownRoute('PATCH /v2/registries/:id', async (request) =>
    registryReply(await registries.replace(keyOf(request).ownerId, request.params.id, request.body)),
  )

  ownRoute('DELETE /v2/registries/:id', async (request, reply) => {
    await registries.remove(keyOf(request).ownerId, request.params.id)
    return reply.code(204).send()
  })
}
