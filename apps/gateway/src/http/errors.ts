// How a failure looks on the wire: JSON with `error` and `message` (the same sentence, ai-sdk reads `message` first), never `status`
// nor `id`, which the asyncio SDK would take for a job (client-api R15, §9). Unknown failures are logged and told as 500.
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Logger } from '@runyard/kit'
import { RunyardError } from '@runyard/schema'

export interface WireError {
  readonly httpStatus: number
  readonly sentence: string
  readonly retryAfterS: number | undefined
}

const RETRY_AFTER_S = 1

export function toWireError(error: unknown): WireError {
  if (error instanceof RunyardError) {
    const retryAfterS = error.retryAfterS ?? (error.code === 'store_unavailable' ? RETRY_AFTER_S : undefined)
    return { httpStatus: error.httpStatus, sentence: error.message, retryAfterS }
  }
  const { statusCode, code, message } = error as Partial<FastifyError>
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE') {
    return { httpStatus: 413, sentence: 'the request body is too large', retryAfterS: undefined }
  }
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500) {
    return { httpStatus: statusCode, sentence: message ?? 'bad request', retryAfterS: undefined }
  }
  return { httpStatus: 500, sentence: 'internal error; the log of the gateway has the details', retryAfterS: undefined }
}

export function sendError(reply: FastifyReply, error: WireError): FastifyReply {
  if (error.retryAfterS !== undefined) void reply.header('retry-after', String(Math.ceil(error.retryAfterS)))
  return reply.code(error.httpStatus).send({ error: error.sentence, message: error.sentence })
}

/** `send` may tell it in another shape. */
export function createErrorHandler(log: Logger, send = sendError) {
  return async (error: unknown, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    const wire = toWireError(error)
    if (wire.httpStatus === 500) log.error({ err: error, method: request.method, route: request.routeOptions.url }, 'a request failed')
    return send(reply, wire)
  }
}

/**
 * Unknown paths. They have no route and no guard, and Fastify would read and parse their body before it says so. Known paths with a wrong
 * method are answered by the routes themselves (`addRoute`).
 */
export function answerNotFound(app: FastifyInstance): void {
  app.addHook('onRequest', (request, _reply, next) => {
    next(request.is404 ? noSuchPath(request) : undefined)
  })
  app.setNotFoundHandler((request, reply) => sendError(reply, toWireError(noSuchPath(request))))
}

function noSuchPath({ method, url }: FastifyRequest): RunyardError {
  return new RunyardError('not_found', `there is no ${method} ${url.split('?', 1)[0]} here`)
}
