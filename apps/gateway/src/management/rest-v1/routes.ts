// REST v1 for older clients (management §2): endpoints, templates and registry credentials, as adapters onto the model without rules of
// their own. Lists are bare arrays, creating answers 200, bad input is 400 with `error` and `message`.
import type { FastifyInstance } from 'fastify'
import { DIALECTS } from '../../http/errors.ts'
import { NO_PODS, NO_V1_BILLING, NO_VOLUMES } from '../out-of-scope.ts'
import { withRestConventions } from '../rest/conventions.ts'
import type { RestConventionDeps } from '../rest/conventions.ts'
import { registerOutOfScopeRoutes } from '../rest/out-of-scope-routes.ts'
import { registerEndpointRoutes, type EndpointRouteDeps } from './endpoint-routes.ts'
import { registerRegistryRoutes } from './registry-routes.ts'
import { registerTemplateRoutes } from './template-routes.ts'

export type RestV1Deps = RestConventionDeps & EndpointRouteDeps

const OUT_OF_SCOPE = { '/pods': NO_PODS, '/networkvolumes': NO_VOLUMES, '/billing': NO_V1_BILLING } as const

/** Paths are relative to the prefix that the scope is registered under. */
export function registerRestV1(app: FastifyInstance, deps: RestV1Deps): void {
  const rest = withRestConventions(app, deps, DIALECTS.restV1)
  registerEndpointRoutes(rest, deps)
  registerTemplateRoutes(rest, deps.model)
  registerRegistryRoutes(rest, deps.model)
  registerOutOfScopeRoutes(rest, OUT_OF_SCOPE)
}
