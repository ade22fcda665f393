// /containerregistryauth (management §2.4): what /v2/registries is, as bare arrays and with 200 for a new one. There is no update.
import type { ManagementModel } from '../model.ts'
import { keyOf, registerRemoval, v1Route } from '../rest/conventions.ts'
import type { RestApp } from '../rest/conventions.ts'
import { registryReply } from '../rest/registry-routes.ts'

export function registerRegistryRoutes(app: RestApp, { registries }: Pick<ManagementModel, 'registries'>): void {
  app.route({
    ...v1Route('GET /v1/containerregistryauth'),
    handler: async (request) => (await registries.list(keyOf(request).ownerId)).map(registryReply),
  })

  app.route({
    ...v1Route('POST /v1/containerregistryauth'),
    handler: async (request) => registryReply(await registries.add(keyOf(request).ownerId, request.body)),
  })

  app.route({
    ...v1Route('GET /v1/containerregistryauth/:id'),
    handler: async (request) => registryReply(await registries.get(keyOf(request).ownerId, request.params.id)),
  })

  registerRemoval(app, {
    route: v1Route('DELETE /v1/containerregistryauth/:id'),
    find: (ownerId, id) => registries.get(ownerId, id),
    remove: (ownerId, id) => registries.remove(ownerId, id),
  })
}
