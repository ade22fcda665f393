// /v2/registries (management §3.5; sdk2-api §3.7, §7.2). Secrets go in and never come out. PATCH is ours: Runpod has one in GraphQL only.
import type { Registry } from '@runyard/schema'
import { CreateRegistryBody, CredentialsBody, IdParams, ONE_PAGE, RegistryListView, RegistryView } from '@runyard/schema/api'
import type { ManagementModel } from '../model.ts'
import { keyOf, registerRemoval } from './conventions.ts'
import type { RestApp } from './conventions.ts'

export const registryReply = ({ id, name }: Registry): RegistryView => ({ id, name })

export function registerRegistryRoutes(app: RestApp, { registries }: Pick<ManagementModel, 'registries'>): void {
  app.route({
    method: 'GET',
    url: '/v2/registries',
    schema: { response: { 200: RegistryListView } },
    handler: async (request) => ({ registries: (await registries.list(keyOf(request).ownerId)).map(registryReply), pagination: ONE_PAGE }),
  })

  app.route({
    method: 'POST',
    url: '/v2/registries',
    schema: { body: CreateRegistryBody, response: { 201: RegistryView } },
    handler: async (request, reply) => reply.code(201).send(registryReply(await registries.add(keyOf(request).ownerId, request.body))),
  })

  app.route({
    method: 'GET',
    url: '/v2/registries/:id',
    schema: { params: IdParams, response: { 200: RegistryView } },
    handler: async (request) => registryReply(await registries.get(keyOf(request).ownerId, request.params.id)),
  })

  app.route({
    method: 'PATCH',
    url: '/v2/registries/:id',
    config: { find: (ownerId, id) => registries.get(ownerId, id) },
    schema: { params: IdParams, body: CredentialsBody, response: { 200: RegistryView } },
    handler: async (request) => registryReply(await registries.replace(keyOf(request).ownerId, request.params.id, request.body)),
  })

  registerRemoval(app, '/v2/registries/:id', {
    find: (ownerId, id) => registries.get(ownerId, id),
    remove: (ownerId, id) => registries.remove(ownerId, id),
  })
}
