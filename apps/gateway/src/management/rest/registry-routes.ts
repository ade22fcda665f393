// /v2/registries (management §3.5; sdk2-api §3.7, §7.2). Secrets go in and never come out. PATCH is ours: Runpod has one in GraphQL only.
import type { Registry } from '@runyard/schema'
import { ONE_PAGE, type RegistryView } from '@runyard/schema/api'
import type { ManagementModel } from '../model.ts'
import { keyOf, registerRemoval, restRoute } from './conventions.ts'
import type { RestApp } from './conventions.ts'

export const registryReply = ({ id, name }: Registry): RegistryView => ({ id, name })

export function registerRegistryRoutes(app: RestApp, { registries }: Pick<ManagementModel, 'registries'>): void {
  app.route({
    ...restRoute('GET /v2/registries'),
    handler: async (request) => ({ registries: (await registries.list(keyOf(request).ownerId)).map(registryReply), pagination: ONE_PAGE }),
  })

  app.route({
    ...restRoute('POST /v2/registries'),
    handler: async (request, reply) => reply.code(201).send(registryReply(await registries.add(keyOf(request).ownerId, request.body))),
  })

  app.route({
    ...restRoute('GET /v2/registries/:id'),
    handler: async (request) => registryReply(await registries.get(keyOf(request).ownerId, request.params.id)),
  })

  app.route({
    ...restRoute('PATCH /v2/registries/:id'),
    config: { find: (ownerId, id) => registries.get(ownerId, id) },
    handler: async (request) => registryReply(await registries.replace(keyOf(request).ownerId, request.params.id, request.body)),
  })

  registerRemoval(app, {
    route: restRoute('DELETE /v2/registries/:id'),
    find: (ownerId, id) => registries.get(ownerId, id),
    remove: (ownerId, id) => registries.remove(ownerId, id),
  })
}
