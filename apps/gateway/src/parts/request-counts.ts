// Counts requests by route pattern. Each route gets a hook with its own cells when it is registered, so that a request costs two additions, and nothing is
// allocated for it. The time ends when the answer is ready to be sent: waiting for the socket would need two listeners per request. A path that no route
// serves is not counted, since it could have any name, nor is an answer that is written past Fastify (followed logs).
import type { FastifyInstance, onSendHookHandler } from 'fastify'
import type { GatewayMetrics, RouteCount } from './metrics.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** Of `performance.now`. */
    arrivedAt: number
  }
}

/** Call it on the root, before any route. */
export function countRequests(app: FastifyInstance, metrics: Pick<GatewayMetrics, 'route'>): void {
  app.decorateRequest('arrivedAt', 0)
  app.addHook('onRequest', (request, _reply, done) => {
    request.arrivedAt = performance.now()
    done()
  })
  app.addHook('onRoute', (route) => {
    const byMethod = new Map<string, RouteCount>()
    const count: onSendHookHandler = (request, reply, ...[payload, next]) => {
      const known = byMethod.get(request.method)
      const add = known ?? metrics.route(route.url, request.method)
      if (known === undefined) byMethod.set(request.method, add)
      add(reply.statusCode, (performance.now() - request.arrivedAt) / 1000)
      next(null, payload)
    }
    const { onSend = [] } = route
    route.onSend = [...(Array.isArray(onSend) ? onSend : [onSend]), count]
  })
}
