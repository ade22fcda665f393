// The management surfaces of the gateway: one model, spoken in GraphQL and in REST v2. Each registers in a scope of its own, so that its
// way of failing and of reading bodies touches nobody else's routes.
import type { Config } from '@runyard/schema'
import type { Store } from '@runyard/store'
import type { FastifyInstance } from 'fastify'
import { createAuthentication } from '../authentication.ts'
import type { ErrorLog } from './error-log.ts'
import { registerGraphql } from './graphql/plugin.ts'
import { createManagementModel } from './model.ts'
import { registerNestedRest, registerRest } from './rest/routes.ts'

export interface ManagementDeps {
  readonly store: Store
  readonly config: Config
  readonly log: ErrorLog
}

/** The public listener: /graphql, /v2/serverless…, /runyard/v1/…. */
export async function registerManagement(app: FastifyInstance, { store, config, log }: ManagementDeps): Promise<void> {
  const model = createManagementModel(store)
  const authenticate = createAuthentication(store)
  await app.register(async (scope) => registerGraphql(scope, { model, store, authenticate, log }))
  await app.register(async (scope) => registerRest(scope, { model, store, config, authenticate, log }))
}

/** The worker plane: the list that a dev worker searches for its siblings, and nothing else (sdk2-api §4.1). */
export async function registerNestedManagement(app: FastifyInstance, { store, log }: Pick<ManagementDeps, 'store' | 'log'>): Promise<void> {
  const model = createManagementModel(store)
  const authenticate = createAuthentication(store)
  await app.register(async (scope) => registerNestedRest(scope, { model, authenticate, log }))
}
