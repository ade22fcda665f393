// /v2/registries (management §3.5; sdk2-api §3.7, §7.2), and /runyard/v1/secrets: values go in and never come out. PATCH of a registry and the routes
// of secrets are ours: Runpod has those in GraphQL only.
import type { Registry, Secret } from '@runyard/schema'
import { ONE_PAGE, type RegistryView, type SecretView } from '@runyard/schema/api'
import type { ManagementModel } from '../model.ts'
import { keyOf, restRoutes, type RestApp } from './conventions.ts'

export const registryReply = ({ id, name }: Registry): RegistryView => ({ id, name })

export function registerRegistryRoutes(app: RestApp, { registries }: Pick<ManagementModel, 'registries'>): void {
  const route = restRoutes(app)
  const ownRoute = restRoutes(app, { find: (ownerId, id) => registries.get(ownerId, id) })
  route('GET /v2/registries', async (request) => ({
    registries: (await registries.list(keyOf(request).ownerId)).map(registryReply),
    pagination: ONE_PAGE,
  }))

  route('POST /v2/registries', async (request) => ({
    ...registryReply(await registries.add(keyOf(request).ownerId, request.body)),
    username: request.body.username,
  }))

  route('GET /v2/registries/:id', async (request) => registryReply(await registries.get(keyOf(request).ownerId, request.params.id)))

  ownRoute('PATCH /v2/registries/:id', async (request) =>
    registryReply(await registries.replace(keyOf(request).ownerId, request.params.id, request.body)),
  )

  ownRoute('DELETE /v2/registries/:id', (request) => registries.remove(keyOf(request).ownerId, request.params.id))
}

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

  route('DELETE /runyard/v1/secrets/:name', (request) => secrets.remove(keyOf(request).ownerId, { name: request.params.name }))
}
