// Resources of Runpod's REST that Runyard does not have: 404 with the sentence why, whatever is asked of them (management §3.1). Their lists are empty
// and have routes of their own.
import { RunyardError } from '@runyard/schema'
import { unreachable } from '../../http/add-route.ts'
import { NO_BUILDS, NO_CLUSTERS, NO_DELEGATIONS } from '../out-of-scope.ts'
import type { RestApp } from './conventions.ts'

const IN_V2 = {
  '/v2/clusters': NO_CLUSTERS,
  '/v2/registries/delegations': NO_DELEGATIONS,
  '/v2/serverless/:id/builds': NO_BUILDS,
} as const

/** `sentences` by path. */
export function registerOutOfScopeRoutes(app: RestApp, sentences: Readonly<Record<string, string>> = IN_V2): void {
  for (const [path, sentence] of Object.entries(sentences)) {
    for (const url of [path, `${path}/*`]) {
      const methods = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] as const
      app.route({
        method: methods.filter((method) => !app.hasRoute({ method, url: `${app.prefix}${url}` })),
        url,
        onRequest: async () => {
          throw new RunyardError('not_found', sentence)
        },
        handler: unreachable,
      })
    }
  }
}
