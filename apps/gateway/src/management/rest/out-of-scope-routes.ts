// Resources of Runpod's REST that Runyard does not have: 404 with the sentence why, whatever is asked of them (management §3.1).
import { RunyardError } from '@runyard/schema'
import { unreachable } from '../../http/add-route.ts'
import { NO_PODS, NO_SSH_KEYS } from '../out-of-scope.ts'
import type { RestApp } from './conventions.ts'

const IN_V2 = {
  '/v2/pods': NO_PODS,
  '/v2/account/ssh-keys': NO_SSH_KEYS,
} as const

/** `sentences` by path. */
export function registerOutOfScopeRoutes(app: RestApp, sentences: Readonly<Record<string, string>> = IN_V2): void {
  for (const [path, sentence] of Object.entries(sentences)) {
    for (const url of [path, `${path}/*`]) {
      app.route({
        method: ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'],
        url,
        onRequest: async () => {
          throw new RunyardError('not_found', sentence)
        },
        handler: unreachable,
      })
    }
  }
}
