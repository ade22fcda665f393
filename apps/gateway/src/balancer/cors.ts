// Pages in a browser call load-balanced endpoints from the origins in `cors.origins`, as they call jobs. The gateway answers their preflight, which bears
// no key; any other OPTIONS goes to the app. An app that has CORS headers of its own keeps them.
import type { IncomingMessage } from 'node:http'
import type { FastifyInstance } from 'fastify'
import type { Config } from '@runyard/schema'

const PREFLIGHT_KEPT_S = 600

/** Names and values alternate; empty: the request is from no page that may call. */
export type AllowOrigin = (request: Pick<IncomingMessage, 'headers'>) => readonly string[]

export function createAllowOrigin({ origins }: Config['cors']): AllowOrigin {
  const allowed = new Set(origins)
  return ({ headers: { origin } }) => {
    if (origin === undefined || !(allowed.has('*') || allowed.has(origin))) return []
    const expose = ['access-control-expose-headers', 'x-runpod-worker-id, retry-after']
    return ['access-control-allow-origin', allowed.has('*') ? '*' : origin, ...expose, 'vary', 'Origin']
  }
}

/** Before the guard of the scope, so that a page can also read a refusal. */
export function allowPages(scope: FastifyInstance, allowOrigin: AllowOrigin): void {
  scope.addHook('onRequest', async ({ raw }, reply) => {
    const headers = allowOrigin(raw)
    for (let at = 0; at + 1 < headers.length; at += 2) reply.header(headers[at] ?? '', headers[at + 1])
    const asked = raw.headers['access-control-request-method']
    if (raw.method !== 'OPTIONS' || headers.length === 0 || asked === undefined) return
    const names = raw.headers['access-control-request-headers']
    if (names !== undefined) reply.header('access-control-allow-headers', names)
    await reply.header('access-control-allow-methods', asked).header('access-control-max-age', PREFLIGHT_KEPT_S).code(204).send()
  })
}
