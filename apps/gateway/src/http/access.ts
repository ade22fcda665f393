// Who may call a route, decided before anything of its body is read (ADR 35). A route names its guard itself (`config.access`) or takes
// that of its scope (`app.guard`). A route with neither is a mistake, and the app does not start. A guard refuses by throwing.
import type { FastifyInstance, FastifyReply, FastifyRequest, onRequestAsyncHookHandler, onRequestHookHandler, RouteOptions } from 'fastify'
import { hasIds, refuseOddIds } from './odd-ids.ts'

export type Access = (request: FastifyRequest, reply: FastifyReply) => Promise<void>

declare module 'fastify' {
  interface FastifyContextConfig {
    readonly access?: Access
    /** Whether the owner has what `:id` names; throws where not. Runs after the guard. */
    readonly find?: (ownerId: string, id: string) => Promise<unknown>
    /** How often its callers may ask. Runs once they are known. */
    readonly limit?: Access
  }
  interface FastifyInstance {
    readonly guard?: Access
    /** Requests that were let in so far, with a body or without one. */
    readonly admitted: { count: number }
  }
  interface FastifyRequest {
    /** Every hook let it in, and its body is being read. */
    isAdmitted: boolean
    /** Of its route. Fastify makes `routeOptions` anew each time that it is asked for. */
    bounds: RouteBounds | null
  }
}

export interface RouteBounds {
  /** Of a body. */
  readonly bytes: number
  /** How often callers may ask. */
  readonly limit: Access | undefined
}

/** For probes alone: they say nothing about anybody. */
export const open: Access = async () => {}

/** The guard of a scope's routes, unless they name their own. Call it before the scope has any route. */
export function guardWith(scope: FastifyInstance, access: Access): void {
  scope.decorate('guard', access)
}

/** To be called on the root, before any route: puts the guard of each route before everything else of that route. */
export function requireGuards(app: FastifyInstance): void {
  app.decorate('admitted', { count: 0 })
  app.decorateRequest('isAdmitted', false)
  app.decorateRequest('bounds', null)
  app.addHook('onRoute', function addGuard(this: FastifyInstance, route) {
    const access = route.config?.access ?? this.guard
    if (access === undefined) throw new Error(`the route ${String(route.method)} ${route.url} does not say who may call it`)
    const bounds = { bytes: route.bodyLimit ?? this.initialConfig.bodyLimit ?? 0, limit: route.config?.limit }
    route.onRequest = [withBounds(hasIds(route.url) ? withKnownIds(access) : access, bounds), ...hooksOf(route), admit]
  })
}

function withBounds(access: Access, bounds: RouteBounds): Access {
  return (request, reply) => {
    request.bounds = bounds
    return access(request, reply)
  }
}

function withKnownIds(access: Access): Access {
  return async (request, reply) => {
    await access(request, reply)
    refuseOddIds(request)
  }
}

/** The last before the body is read, which is JSON whatever its content type says: Fastify would refuse one that is no media type. */
const admit: onRequestHookHandler = (request, _reply, next) => {
  request.server.admitted.count += 1
  request.isAdmitted = true
  request.headers['content-type'] = 'application/json'
  next()
}

function hooksOf({ onRequest = [] }: RouteOptions): readonly onRequestAsyncHookHandler[] {
  return [onRequest].flat() as onRequestAsyncHookHandler[]
}
