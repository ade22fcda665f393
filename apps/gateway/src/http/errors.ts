// How a failure looks on the wire. `toWireError` is the one mapping from an error to a status and a sentence; a dialect says under which status and
// in which members its clients read them. Unknown failures are logged and answered with 500 in general words.
import { STATUS_CODES } from 'node:http'
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { hasZodFastifySchemaValidationErrors } from 'fastify-type-provider-zod'
import { RESERVED_ENDPOINT_IDS, RunyardError } from '@runyard/schema'
import type { Problem } from '@runyard/schema/api'
import { describeShape, type Given, type ShapeError, type ShapeFault } from './shape-error.ts'

export interface WireError {
  readonly httpStatus: number
  readonly sentence: string
  readonly retryAfterS: number | undefined
  /** Of a request that does not fit its shape: every member that is wrong. */
  readonly issues?: ShapeError['issues']
}

export interface Dialect {
  readonly contentType: string
  /** Default: the error's own status. */
  readonly statusOf?: (httpStatus: number) => number
  readonly bodyOf: (error: WireError, status: number) => Readonly<Record<string, unknown>>
}

const JSON_TYPE = 'application/json; charset=utf-8'

export const DIALECTS = {
  /**
   * The same sentence twice, since ai-sdk reads `message` first; never `status` nor `id`, which the asyncio SDK would take for a job
   * (client-api R15, §9).
   */
  plain: { contentType: JSON_TYPE, bodyOf: ({ sentence }) => ({ error: sentence, message: sentence }) },
  /** REST v2: RFC 9457 (management §1.1). */
  problem: {
    contentType: 'application/problem+json',
    bodyOf: ({ sentence, issues }, status): Omit<Problem, 'errors'> & { readonly errors: readonly string[] | undefined } => ({
      title: STATUS_CODES[status] ?? 'Error',
      status,
      detail: sentence,
      errors: issues?.map(({ location, message }) => `${location}: ${message}`),
    }),
  },
  /** REST v1 has no 422 (management §1.1). */
  restV1: {
    contentType: JSON_TYPE,
    statusOf: (httpStatus) => (httpStatus === 422 ? 400 : httpStatus),
    bodyOf: ({ sentence }, status) => ({ error: sentence, message: sentence, status }),
  },
  /** Failures are answers of GraphQL with status 200, except a bad key and a store that is away (flash-api §2, management §1.1). */
  graphql: {
    contentType: JSON_TYPE,
    statusOf: (httpStatus) => (httpStatus === 401 || httpStatus === 503 ? httpStatus : 200),
    bodyOf: ({ sentence }) => ({ errors: [{ message: sentence }] }),
  },
} as const satisfies Record<string, Dialect>

const RETRY_AFTER_S = 1

/** `given`: what a request that does not fit its shape held, so that the sentence can say it. */
export function toWireError(error: unknown, given?: (part: string) => Given | undefined): WireError {
  if (error instanceof RunyardError) {
    const retryAfterS = error.retryAfterS ?? (error.code === 'store_unavailable' ? RETRY_AFTER_S : undefined)
    return { httpStatus: error.httpStatus, sentence: error.message, retryAfterS }
  }
  if (hasZodFastifySchemaValidationErrors(error)) return toShapeError(error, given)
  const { code = '', message = 'bad request' } = error as Partial<FastifyError>
  const status = statusOfLibrary(error as Partial<FastifyError>)
  return status < 500
    ? wireError(status, PLAIN_WORDS[code] ?? message)
    : wireError(500, 'internal error; the log of the gateway has the details')
}

/** For sentences of Fastify that name its own parts. */
const PLAIN_WORDS: Readonly<Record<string, string>> = {
  FST_ERR_BAD_URL: 'the path has a "%" that is not followed by two hexadecimal digits of a character in UTF-8',
  FST_ERR_MAX_PARAM_LENGTH: 'a part of the path is too long to be a name or an id',
}

/** Refusals of Fastify carry their status. Those of GraphQL are known by name, since their class may be loaded twice. */
function statusOfLibrary({ statusCode = 500, name }: Partial<FastifyError>): number {
  return name === 'GraphQLError' ? 400 : statusCode
}

function wireError(httpStatus: number, sentence: string): WireError {
  return { httpStatus, sentence, retryAfterS: undefined }
}

function toShapeError(fault: ShapeFault, given: (part: string) => Given | undefined = () => undefined): WireError {
  const { sentence, issues } = describeShape(fault, given(fault.validationContext ?? ''))
  return { ...wireError(422, sentence), issues }
}

/** By Fastify's word for the part of a request. */
function givenIn(request: FastifyRequest): (part: string) => Given | undefined {
  const schema: { readonly body?: unknown; readonly querystring?: unknown } = request.routeOptions.schema ?? {}
  const parts: Readonly<Record<string, Given>> = {
    body: { value: request.body, shape: schema.body },
    querystring: { value: request.query, shape: schema.querystring },
  }
  return (part) => parts[part]
}

export function sendError(reply: FastifyReply, error: WireError, dialect: Dialect = DIALECTS.plain): FastifyReply {
  setRetryAfter(reply, error)
  const status = dialect.statusOf?.(error.httpStatus) ?? error.httpStatus
  return reply
    .code(status)
    .type(dialect.contentType)
    .send(JSON.stringify(dialect.bodyOf(error, status)))
}

export function setRetryAfter(reply: FastifyReply, { retryAfterS }: WireError): void {
  if (retryAfterS !== undefined) void reply.header('retry-after', String(Math.ceil(retryAfterS)))
}

export interface Failure {
  readonly error: unknown
  readonly wire: WireError
  readonly request: FastifyRequest
  readonly reply: FastifyReply
}

interface ErrorAnswers {
  readonly log: { error(fields: Readonly<Record<string, unknown>>, message: string): void }
  /** Default: plain. */
  readonly dialect?: Dialect
  /** Answers some failures of the scope in its own way; undefined leaves a failure to the dialect. */
  readonly special?: (failure: Failure) => FastifyReply | undefined | Promise<FastifyReply | undefined>
}

/** Answers all failures of the scope's routes. */
export function answerErrors(scope: FastifyInstance, { log, dialect, special }: ErrorAnswers): void {
  scope.setErrorHandler(async (error, request, reply): Promise<FastifyReply> => {
    const wire = toWireError(error, givenIn(request))
    const answered = await special?.({ error, wire, request, reply })
    if (answered !== undefined) return answered
    if (wire.httpStatus === 500) log.error({ err: error, method: request.method, route: request.routeOptions.url }, 'a request failed')
    return sendError(reply, wire, dialect)
  })
}

/**
 * Unknown paths. They have no route and no guard, and Fastify would read and parse their body before it answers. Known paths with a wrong
 * method are answered by the routes themselves (`addRoute`).
 */
export function answerNotFound(app: FastifyInstance, page: PageAnswer = () => undefined): void {
  app.addHook('onRequest', (request, _reply, next) => {
    next(request.is404 && page(request) === undefined ? noSuchPath(request) : undefined)
  })
  app.setNotFoundHandler((request, reply) => {
    const send = page(request)
    return send === undefined ? sendError(reply, toWireError(noSuchPath(request)), dialectOf(request)) : send(reply)
  })
}

/** What answers a path that has no route, where it is the address of a page. */
export type PageAnswer = (request: FastifyRequest) => ((reply: FastifyReply) => FastifyReply | Promise<FastifyReply>) | undefined

const MANAGED = new RegExp(`^/v2/(?:${RESERVED_ENDPOINT_IDS.filter((word) => word !== 'flash').join('|')})(?:/|$)`, 'u')

/** Clients of REST v2 look for `detail`; those of jobs, whose paths begin with an endpoint's id, for `error`. */
function dialectOf({ url }: FastifyRequest): Dialect {
  return MANAGED.test(url.split('?', 1)[0] ?? '') ? DIALECTS.problem : DIALECTS.plain
}

function noSuchPath({ method, url }: FastifyRequest): RunyardError {
  return new RunyardError('not_found', `there is no ${method} ${url.split('?', 1)[0]} here`)
}
