// What all REST routes of ours share: Zod shapes, failures as problem+json, and the key looked at before anything else.
import { HIDDEN_VALUE, MANAGEMENT_BODY_BYTES, mayCall } from '@runyard/core'
import type {
  FastifyContextConfig,
  FastifyInstance,
  FastifySchema,
  preHandlerHookHandler,
  FastifyRequest,
  RawReplyDefaultExpression,
  RawRequestDefaultExpression,
  RawServerDefault,
  RouteGenericInterface,
  RouteHandlerMethod,
} from 'fastify'
import { serializerCompiler, validatorCompiler, type ZodTypeProvider } from 'fastify-type-provider-zod'
import { IdParams, METHODS, REST_OPERATIONS, routeSchema, V1_OPERATIONS, type Operation, type RouteSchema } from '@runyard/schema/api'
import type { Store } from '@runyard/store'
import { apiKeyOf, requireApiKey } from '../../http/authenticate.ts'
import { readBodies } from '../../http/bodies.ts'
import { answerErrors, DIALECTS, type Dialect } from '../../http/errors.ts'
import type { ErrorLog } from '../error-log.ts'
import { closestWord } from '@runyard/kit'
import { quoted, RunyardError } from '@runyard/schema'
import { z } from 'zod'
import { queryOf } from '../../http/query.ts'

export type RestApp = ReturnType<typeof withRestConventions>

/** Whose request this is; known before anything of it is looked at. */
export const keyOf = apiKeyOf

export interface RestConventionDeps {
  readonly store: Pick<Store, 'keys' | 'sessions' | 'subscribe'>
  readonly log: ErrorLog
}

/** Bodiless requests that call themselves JSON are fine: SDK 2.0 deletes so (sdk2-api §2). */
export function withRestConventions(app: FastifyInstance, { store, log }: RestConventionDeps, dialect: Dialect = DIALECTS.problem) {
  app.setValidatorCompiler(validatorCompiler)
  app.setSerializerCompiler(serializerCompiler)
  answerErrors(app, { log, dialect })
  app.addHook('onRoute', (route) => {
    route.bodyLimit ??= MANAGEMENT_BODY_BYTES
  })
  requireApiKey(app, store, { refuse: findOwned })
  refuseUnknownParameters(app)
  readBodies(app, 'shape')
  app.addHook('preSerialization', async ({ apiKey }, _reply, payload) =>
    apiKey === null || mayCall(apiKey, ['admin']) ? payload : hideValues(payload),
  )
  return app.withTypeProvider<ZodTypeProvider>()
}

/** Values of environment variables are for keys that may change them (ADR 81). The names stay. */
function hideValues(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(hideValues)
  // Dates and the like are no records.
  if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== Object.prototype) return value
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, name === 'env' ? hidden(member) : hideValues(member)]))
}

function hidden(env: unknown): unknown {
  if (typeof env !== 'object' || env === null) return env
  return Object.fromEntries(Object.keys(env).map((name) => [name, HIDDEN_VALUE]))
}

/** What `:id` names is the caller's own, or the request ends before its body is read. */
async function findOwned(request: FastifyRequest): Promise<void> {
  const { find } = request.routeOptions.config
  if (find !== undefined) await find(keyOf(request).ownerId, IdParams.parse(request.params).id)
}

type Handler<S extends FastifySchema> = RouteHandlerMethod<
  RawServerDefault,
  RawRequestDefaultExpression,
  RawReplyDefaultExpression,
  RouteGenericInterface,
  FastifyContextConfig,
  S,
  ZodTypeProvider
>

/** Serves operations of REST v2, or of ours. What `find` looks up is the caller's own, or the request ends before its body is read. */
export function restRoutes(app: RestApp, config: FastifyContextConfig = {}) {
  return <K extends keyof typeof REST_OPERATIONS>(key: K, handler: Handler<RouteSchema<(typeof REST_OPERATIONS)[K]>>): void => {
    app.route({ ...routeOf(key, REST_OPERATIONS[key]), config, handler })
  }
}

/** The same of REST v1, below the prefix of the scope. */
export function v1Routes(app: RestApp, config: FastifyContextConfig = {}) {
  return <K extends keyof typeof V1_OPERATIONS>(key: K, handler: Handler<RouteSchema<(typeof V1_OPERATIONS)[K]>>): void => {
    const { url, ...route } = routeOf(key, V1_OPERATIONS[key])
    app.route({ ...route, url: url.slice('/v1'.length), config, handler })
  }
}

function routeOf<O extends Operation>(key: string, operation: O) {
  const method = METHODS.find((candidate) => key.startsWith(`${candidate} `))
  if (method === undefined) throw new Error(`"${key}" does not begin with a method`)
  const status = statusOf(operation)
  const preHandler: preHandlerHookHandler = (_request, reply, done) => {
    reply.code(status)
    done()
  }
  return { method, url: key.slice(method.length + 1), schema: routeSchema(operation), ...(status !== 200 && { preHandler }) }
}

/** That of a reply, where there is only one: 201 for a new record, 204 without a body. Else the handler sets it. */
function statusOf({ replies, other }: Operation): number {
  const [status = 200, ...more] = Object.keys({ ...replies, ...other }).map(Number)
  return more.length === 0 ? status : 200
}

/** How the client reached us. */
export function originOf(request: FastifyRequest): string {
  return `${request.protocol}://${request.host}`
}

const TWINS: Readonly<Record<string, string>> = { since: 'from', from: 'since', until: 'to', to: 'until' }
const LONGEST_TYPO = 3

/**
 * Of our own routes, and bodies of those that take none. A misspelt one would be ignored, and the answer would be that to another question, or
 * `dryRun` would not be one. The ends of a range have two names, and each route takes both.
 */
function refuseUnknownParameters(app: FastifyInstance): void {
  app.addHook('onRoute', (route) => {
    if (!route.url.startsWith('/runyard/v1/')) return
    const { querystring, body } = (route.schema ?? {}) as { readonly querystring?: unknown; readonly body?: unknown }
    const known = querystring instanceof z.ZodObject ? Object.keys(querystring.shape) : []
    route.preValidation = [
      ...[route.preValidation ?? []].flat(),
      async (request: FastifyRequest) => {
        request.query = withKnownNames(queryOf(request), known)
        if (body === undefined) refuseMembers(request.body)
      },
    ]
  })
}

/** @throws RunyardError('unprocessable') */
function refuseMembers(body: unknown): void {
  const [name] = typeof body === 'object' && body !== null ? Object.keys(body) : []
  if (name !== undefined) throw new RunyardError('unprocessable', `There is no member ${quoted(name)}: this route takes no body.`)
}

/** @throws RunyardError('bad_request') */
function withKnownNames(query: Readonly<Record<string, unknown>>, known: readonly string[]): Readonly<Record<string, unknown>> {
  const named = Object.entries(query).map(([name, value]) => [known.includes(name) ? name : knownTwin(name, known), value] as const)
  const names = named.map(([name]) => name)
  const twice = names.find((name, index) => names.indexOf(name) !== index)
  if (twice !== undefined) throw new RunyardError('bad_request', `"${twice}" and "${TWINS[twice]}" are the same: give one of them.`)
  return Object.fromEntries(named)
}

/** @throws RunyardError('bad_request') */
function knownTwin(name: string, known: readonly string[]): string {
  const twin = TWINS[name]
  if (twin !== undefined && known.includes(twin)) return twin
  if (known.length === 0) throw new RunyardError('bad_request', `There is no parameter ${quoted(name)}: this route takes none.`)
  const all = known.flatMap((one) => (TWINS[one] === undefined ? [one] : [`${one} (or ${TWINS[one]})`]))
  const near = closestWord(name, [...known, ...known.flatMap((one) => TWINS[one] ?? [])], LONGEST_TYPO)
  const hint = near === undefined ? '' : ` Did you mean "${near}"?`
  throw new RunyardError('bad_request', `There is no parameter ${quoted(name)}; this route takes ${all.join(', ')}.${hint}`)
}
