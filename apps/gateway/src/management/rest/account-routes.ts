// /v2/account and the lists that are empty here (management §3.1): clients ask for them and go on.
import { ONE_PAGE } from '@runyard/schema/api'
import type { ManagementModel } from '../model.ts'
import { keyOf, restRoute } from './conventions.ts'
import type { RestApp } from './conventions.ts'

export function registerAccountRoutes(app: RestApp, model: Pick<ManagementModel, 'account' | 'get'>): void {
  app.route({
    ...restRoute('GET /v2/account/ssh-keys'),
    handler: async (request) => ({ keys: [...(await model.account.publicKeys(keyOf(request).ownerId))] }),
  })

  app.route({
    ...restRoute('PUT /v2/account/ssh-keys'),
    handler: async (request) => ({ keys: [...(await model.account.setPublicKeys(keyOf(request).ownerId, request.body.keys))] }),
  })

  app.route({ ...restRoute('GET /v2/clusters'), handler: () => ({ clusters: [], pagination: ONE_PAGE }) })
  app.route({ ...restRoute('GET /v2/registries/delegations'), handler: () => ({ delegations: [], pagination: ONE_PAGE }) })
  app.route({ ...restRoute('GET /v2/catalog/templates'), handler: () => ({ templates: [], pagination: ONE_PAGE }) })
  app.route({
    ...restRoute('GET /v2/serverless/:id/builds'),
    config: { find: (ownerId, id) => model.get(ownerId, id) },
    handler: () => ({ builds: [], pagination: ONE_PAGE }),
  })
}
