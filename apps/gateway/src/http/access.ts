// Who may call a route, decided before any of its body is read (ADR 35). A route names its guard itself (`config.access`) or uses the guard of its
// scope (`app.guard`). A route with neither is a mistake, and the app does not start. A guard refuses by throwing.
// Job ids in a path become parts of the names of Redis keys. An id that cannot be one is refused after the guard and before the body is read: asked
// for a job called `wait`, Redis would read BullMQ's own list of that name.
import type { FastifyInstance, FastifyReply, FastifyRequest, onRequestAsyncHookHandler, onRequestHookHandler, RouteOptions } from 'fastify'
import { JobId, RunyardError } from '@runyard/schema'
import { scopeOfRoute, type NeededScope } from '@runyard/schema/api'
import { unreachable } from './add-route.ts'

export type Access = (request: FastifyRequest, reply: FastifyReply) => Promise<void>

declare module 'fastify' {
  interface FastifyContextConfig {
    readonly access?: Access
    /** Throws if the owner does not have what `:id` names. Runs after the guard. */
    readonly find?: (ownerId: string, id: string) => Promise<unknown>
    /** How often callers may ask. Runs once the caller is known. */
    readonly limit?: Access
    /** The setting that bounds the body. */
    readonly bodySetting?: string
  }
  interface FastifyInstance {
    readonly guard?: Access
    /** Number of requests that were let in so far, with or without a body. */
    readonly admitted: { count: number }
  }
  interface FastifyRequest {
    /** All hooks let the request in, and its body is being read. */
    isAdmitted: boolean
    /** Of the request's route. Fastify rebuilds `routeOptions` at each access. */
    bounds: RouteBounds | null
  }
}

export interface RouteBounds {
  /** Largest body. */
  readonly bytes: number
  /** The setting that says so. */
  readonly bodySetting?: string | undefined
  /** How often callers may ask. */
  readonly limit: Access | undefined
  /** Which keys may call it, by method (ADR 81). */
  readonly scopes: ReadonlyMap<string, NeededScope>
}

/** For probes alone: their answers concern no user. */
export const open: Access = async () => {}

/** Sets the guard of a scope's routes that name none. Call it before the scope has any route. */
export function guardWith(scope: FastifyInstance, access: Access): void {
  scope.decorate('guard', access)
}

/** Puts the guard of each route before all its other hooks. Call it on the root, before any route. */
export function requireGuards(app: FastifyInstance): void {
  app.decorate('admitted', { count: 0 })
  app.decorateRequest('isAdmitted', false)
  app.decorateRequest('bounds', null)
  app.addHook('onRoute', function addGuard(this: FastifyInstance, route) {
    const access = route.config?.access ?? this.guard
    if (access === undefined) throw new Error(`the route ${String(route.method)} ${route.url} does not say who may call it`)
    const guard = hasJobIds(route.url) ? withKnownIds(access) : access
    route.onRequest = [withBounds(guard, route, this.initialConfig.bodyLimit), ...hooksOf(route), admit]
  })
}

/** Reads the bounds at the first request: the `onRoute` hooks of scopes, which run later, may set them. */
function withBounds(access: Access, route: RouteOptions, bodyLimit = 0): Access {
  let bounds: RouteBounds | undefined
  return (request, reply) => {
    bounds ??= {
      bytes: route.bodyLimit ?? bodyLimit,
      bodySetting: route.config?.bodySetting,
      limit: route.config?.limit,
      scopes: neededScopes(route),
    }
    request.bounds = bounds
    return access(request, reply)
  }
}

/** By method. A route that refuses every request says why to any key. */
function neededScopes({ method, url, handler }: Pick<RouteOptions, 'method' | 'url' | 'handler'>): ReadonlyMap<string, NeededScope> {
  return new Map([method].flat().map((one) => [one, handler === unreachable ? 'any key' : scopeOfRoute(one, url)]))
}

function withKnownIds(access: Access): Access {
  return async (request, reply) => {
    await access(request, reply)
    refuseOddIds(request)
  }
}

/** The last hook before the body is read. Bodies are JSON whatever their content type says: Fastify would refuse one that is no media type. */
const admit: onRequestHookHandler = (request, _reply, next) => {
  request.server.admitted.count += 1
  request.isAdmitted = true
  request.headers['content-type'] = 'application/json'
  next()
}

function hooksOf({ onRequest = [] }: RouteOptions): readonly onRequestAsyncHookHandler[] {
  return [onRequest].flat() as onRequestAsyncHookHandler[]
}

interface JobIds {
  readonly jobId?: string
  readonly batchId?: string
  /** Of a batch; the id of the job that it becomes. */
  readonly requestId?: string
}

function hasJobIds(url: string): boolean {
  return /:(?:jobId|batchId|requestId)\b/.test(url)
}

/** @throws RunyardError('not_found') */
function refuseOddIds(request: FastifyRequest): void {
  const { jobId, batchId, requestId } = request.params as JobIds
  const odd = [jobId, batchId, requestId].find((id) => id !== undefined && !isJobId(id))
  if (odd !== undefined) throw new RunyardError('not_found', `not found: ${odd}`)
}

export function isJobId(text: string): boolean {
  return JobId.safeParse(text).success
}
