// REST v1 for older clients (management §2): endpoints, templates and registry credentials, as adapters onto the model without rules of
// their own. Lists are bare arrays, creating answers 200, bad input is 400 with `error` and `message`.
import type { FastifyInstance } from 'fastify'
import { DIALECTS } from '../../http/errors.ts'
import { NO_PODS } from '../out-of-scope.ts'
import type { ManagementModel } from '../model.ts'
import { keyOf, v1Routes, withRestConventions, type RestApp, type RestConventionDeps } from '../rest/conventions.ts'
import { registerOutOfScopeRoutes } from '../rest/out-of-scope-routes.ts'
import { registryReply } from '../rest/registry-routes.ts'
import type { UsageDeps } from '../usage-model.ts'
import { registerBillingRoutes } from './billing-routes.ts'
import { registerEndpointRoutes, type EndpointRouteDeps } from './endpoint-routes.ts'
import { registerTemplateRoutes } from './templates.ts'
import { registerVolumeRoutes } from './volume-routes.ts'

export type RestV1Deps = RestConventionDeps & EndpointRouteDeps & UsageDeps

const OUT_OF_SCOPE = { '/pods': NO_PODS } as const

/** Paths are relative to the prefix that the scope is registered under. */
export function registerRestV1(app: FastifyInstance, deps: RestV1Deps): void {
  const rest = withRestConventions(app, deps, DIALECTS.restV1)
  registerEndpointRoutes(rest, deps)
  registerTemplateRoutes(rest, deps.model)
  registerRegistryRoutes(rest, deps.model)
  registerVolumeRoutes(rest, deps.model)
  registerBillingRoutes(rest, deps)
  registerOutOfScopeRoutes(rest, OUT_OF_SCOPE)
}

/** /containerregistryauth (management §2.4): what /v2/registries is, as bare arrays and with 200 for a new one. There is no update. */
function registerRegistryRoutes(app: RestApp, { registries }: Pick<ManagementModel, 'registries'>): void {
  const route = v1Routes(app)
  const ownRoute = v1Routes(app, { find: (ownerId, id) => registries.get(ownerId, id) })
  route('GET /v1/containerregistryauth', async (request) => (await registries.list(keyOf(request).ownerId)).map(registryReply))

  route('POST /v1/containerregistryauth', async (request) => registryReply(await registries.add(keyOf(request).ownerId, request.body)))

  route('GET /v1/containerregistryauth/:id', async (request) =>
    registryReply(await registries.get(keyOf(request).ownerId, request.params.id)),
  )

  ownRoute('DELETE /v1/containerregistryauth/:id', async (request, reply) => {
    await registries.remove(keyOf(request).ownerId, request.params.id)
    return reply.code(204).send()
  })
}
