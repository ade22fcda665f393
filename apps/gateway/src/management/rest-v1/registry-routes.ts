// /containerregistryauth (management §2.4): what /v2/registries is, as bare arrays and with 200 for a new one. There is no update.
import { CreateRegistryBody, IdParams } from '@runyard/schema/api'
import type { ManagementModel } from '../model.ts'
import { keyOf, registerRemoval } from '../rest/conventions.ts'
import type { RestApp } from '../rest/conventions.ts'
import { registryReply } from '../rest/registry-routes.ts'

export function registerRegistryRoutes(app: RestApp, { registries }: Pick<ManagementModel, 'registries'>): void {
  app.route({
    method: 'GET',
    url: '/containerregistryauth',
    handler: async (request) => (await registries.list(keyOf(request).ownerId)).map(registryReply),
  })

  app.route({
    method: 'POST',
    url: '/containerregistryauth',
    schema: { body: CreateRegistryBody },
    handler: async (request) => registryReply(await registries.add(keyOf(request).ownerId, request.body)),
  })

  app.route({
    method: 'GET',
    url: '/containerregistryauth/:id',
    schema: { params: IdParams },
    handler: async (request) => registryReply(await registries.get(keyOf(request).ownerId, request.params.id)),
  })

  registerRemoval(app, '/containerregistryauth/:id', {
    find: (ownerId, id) => registries.get(ownerId, id),
    remove: (ownerId, id) => registries.remove(ownerId, id),
  })
}
