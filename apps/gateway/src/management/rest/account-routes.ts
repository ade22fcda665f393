// /v2/account and the lists that are empty here (management §3.1): clients ask for them and go on.
import { ONE_PAGE } from '@runyard/schema/api'
import type { ManagementModel } from '../model.ts'
import { keyOf, restRoutes, type RestApp } from './conventions.ts'

export function registerAccountRoutes(app: RestApp, model: Pick<ManagementModel, 'account' | 'get'>): void {
  const route = restRoutes(app)
  const ownRoute = restRoutes(app, { find: (ownerId, id) => model.get(ownerId, id) })
  route('GET /v2/account/ssh-keys', async (request) => ({ keys: [...(await model.account.publicKeys(keyOf(request).ownerId))] }))

  route('PUT /v2/account/ssh-keys', async (request) => ({
    keys: [...(await model.account.setPublicKeys(keyOf(request).ownerId, request.body.keys))],
  }))

  route('GET /v2/clusters', () => ({ clusters: [], pagination: ONE_PAGE }))
  route('GET /v2/registries/delegations', () => ({ delegations: [], pagination: ONE_PAGE }))
  route('GET /v2/catalog/templates', () => ({ templates: [], pagination: ONE_PAGE }))
  ownRoute('GET /v2/serverless/:id/builds', () => ({ builds: [], pagination: ONE_PAGE }))
}
