// Failures of the REST surface as application/problem+json (RFC 9457, management §1.1): one clear sentence in `detail`, and for a body
// that does not fit its shape a 422 with every member that is wrong.
import { STATUS_CODES } from 'node:http'
import { RunyardError } from '@runyard/schema'
import type { Problem as ProblemReply } from '@runyard/schema/api'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { hasZodFastifySchemaValidationErrors } from 'fastify-type-provider-zod'
import type { ErrorLog } from '../error-log.ts'

export type Problem = Omit<ProblemReply, 'title'>
type Send = (reply: FastifyReply, problem: Problem) => FastifyReply

/** `send` may tell it in another shape. */
export function createProblemHandler(log: ErrorLog, send: Send = sendProblem) {
  return (error: unknown, _request: FastifyRequest, reply: FastifyReply): FastifyReply => {
    const problem = toProblem(error)
    if (problem.status === 500) log.error({ err: error }, 'management request failed')
    if (error instanceof RunyardError && error.retryAfterS !== undefined) void reply.header('retry-after', error.retryAfterS)
    return send(reply, problem)
  }
}

function sendProblem(reply: FastifyReply, { status, ...problem }: Problem): FastifyReply {
  return reply
    .code(status)
    .header('content-type', 'application/problem+json')
    .serializer(JSON.stringify)
    .send({ title: STATUS_CODES[status] ?? 'Error', status, ...problem })
}

function toProblem(error: unknown): Problem {
  if (error instanceof RunyardError) return { status: error.httpStatus, detail: error.message }
  if (hasZodFastifySchemaValidationErrors(error)) {
    const errors = error.validation.map(({ instancePath, message }) => ({
      location: [error.validationContext ?? 'request', ...instancePath.split('/')].filter((part) => part !== '').join('.'),
      message: message ?? 'is not valid',
    }))
    const [first] = errors
    return { status: 422, detail: `${first?.location ?? 'The request'}: ${first?.message ?? 'is not valid'}`, errors }
  }
  const { statusCode = 500, message } = error as { statusCode?: number; message?: string }
  return statusCode < 500 && message !== undefined
    ? { status: statusCode, detail: message }
    : { status: 500, detail: 'Something failed inside Runyard; its log says what.' }
}
