// /v2/registries (management §3.5; sdk2-api §3.7, §7.2). Secrets go in and never come out. PATCH is ours: Runpod has one in GraphQL only.
import type { Registry } from '@runyard/schema'
import { z } from 'zod'
import type { ManagementModel } from '../model.ts'
import { IdParams, keyOf, registerRemoval } from './conventions.ts'
import type { RestApp } from './conventions.ts'
import { ONE_PAGE, Pagination } from './shapes.ts'

const Credentials = z.strictObject({ username: z.string().min(1), password: z.string().min(1) })
export const CreateRegistryBody = Credentials.extend({ name: z.string().min(1) })
const RegistryShape = z.object({ id: z.string(), name: z.string() })
const RegistryListShape = z.object({ registries: z.array(RegistryShape), pagination: Pagination })

export const registryReply = ({ id, name }: Registry): z.infer<typeof RegistryShape> => ({ id, name })

export function registerRegistryRoutes(app: RestApp, { registries }: Pick<ManagementModel, 'registries'>): void {
  app.route({
    method: 'GET',
    url: '/v2/registries',
    schema: { response: { 200: RegistryListShape } },
    handler: async (request) => ({ registries: (await registries.list(keyOf(request).ownerId)).map(registryReply), pagination: ONE_PAGE }),
  })

  app.route({
    method: 'POST',
    url: '/v2/registries',
    schema: { body: CreateRegistryBody, response: { 201: RegistryShape } },
    handler: async (request, reply) => reply.code(201).send(registryReply(await registries.add(keyOf(request).ownerId, request.body))),
  })

  app.route({
    method: 'GET',
    url: '/v2/registries/:id',
    schema: { params: IdParams, response: { 200: RegistryShape } },
    handler: async (request) => registryReply(await registries.get(keyOf(request).ownerId, request.params.id)),
  })

  app.route({
    method: 'PATCH',
    url: '/v2/registries/:id',
    config: { find: (ownerId, id) => registries.get(ownerId, id) },
    schema: { params: IdParams, body: Credentials, response: { 200: RegistryShape } },
    handler: async (request) => registryReply(await registries.replace(keyOf(request).ownerId, request.params.id, request.body)),
  })

  registerRemoval(app, '/v2/registries/:id', {
    find: (ownerId, id) => registries.get(ownerId, id),
    remove: (ownerId, id) => registries.remove(ownerId, id),
  })
}
