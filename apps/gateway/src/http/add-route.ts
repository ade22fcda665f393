// Registers a route together with its 405: a known path with a wrong method says so in JSON (client-api §3 "Methods").
import type { FastifyContextConfig, FastifyInstance, FastifyReply, FastifyRequest, onRequestAsyncHookHandler } from 'fastify'
import { RunyardError } from '@runyard/schema'

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
const METHODS: readonly (Method | 'HEAD')[] = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE']

export interface RouteOptions {
  readonly methods: readonly Method[]
  readonly url: string
  /** Largest body in bytes, where it differs from the app's. */
  readonly bodyLimit?: number
  readonly config?: FastifyContextConfig
  /** May refuse before the body is read, after the guard. */
  readonly onRequest?: onRequestAsyncHookHandler
  /** A value that is neither a reply nor a stream is sent as JSON with status 200. */
  readonly handler: (request: FastifyRequest, reply: FastifyReply) => unknown
}

export function addRoute(app: FastifyInstance, options: RouteOptions): void {
  const { methods, ...route } = options
  const { url } = route
  // HEAD must not run a GET route: a poll would take a job, a stream would claim chunks, and no client would get them.
  app.route({ method: [...methods], exposeHeadRoute: false, ...route })
  app.route({
    method: METHODS.filter((method) => method === 'HEAD' || !methods.includes(method)),
    url,
    onRequest: async (request, reply) => {
      void reply.header('allow', methods.join(', '))
      throw new RunyardError('method_not_allowed', `${request.method} is not allowed here; use ${methods.join(' or ')}`)
    },
    handler: unreachable,
  })
}

/** Of a route whose body is bounded by a setting, which its refusal names. */
export function boundedBody<Name extends string>({ limits }: { readonly limits: Readonly<Record<Name, number>> }, name: Name) {
  return { bodyLimit: limits[name], config: { bodySetting: `limits.${name}` } } as const
}

/** Of a route whose `onRequest` refuses every request. */
export function unreachable(): never {
  throw new Error('a route ran that refuses every request')
}
