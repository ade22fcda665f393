// How a GraphQL request fails on the wire: HTTP 200 with `errors[].message`, except 401 for a bad key and 503 while the store is away
// (flash-api §2, management §1.1). Bugs go to the log and are told in general words.
import { RunyardError } from '@runyard/schema'
import type { FastifyReply } from 'fastify'
import type { ErrorLog } from '../error-log.ts'
import { unsupportedSentence } from './unsupported.ts'

export interface Failures {
  /** Logs what is a bug of ours, asks for patience where that helps, and says the HTTP status. */
  report(errors: readonly unknown[], reply: FastifyReply): number
  /** Answers what went wrong before or instead of execution: credentials, body, syntax, validation. */
  send(error: unknown, reply: FastifyReply): FastifyReply
}

export function createFailures(log: ErrorLog): Failures {
  const report: Failures['report'] = (errors, reply) => {
    for (const error of errors) {
      if (!isExpected(error)) log.error({ err: error }, 'GraphQL operation failed')
      if (error instanceof RunyardError && error.retryAfterS !== undefined) void reply.header('retry-after', error.retryAfterS)
    }
    const statuses = errors.filter((error) => error instanceof RunyardError).map((error) => error.httpStatus)
    return statuses.find((status) => status === 401 || status === 503) ?? 200
  }
  return {
    report,
    send(error, reply) {
      const invalid = validationErrorsOf(error)
      const unsupported = unsupportedSentence(invalid?.map(messageOf) ?? [])
      const causes = unsupported === undefined ? (invalid ?? [error]) : [new RunyardError('bad_request', unsupported)]
      return reply.code(report(causes, reply)).send({ errors: causes.map((cause) => ({ message: messageOf(cause) })) })
    },
  }
}

function validationErrorsOf(error: unknown): readonly unknown[] | undefined {
  const { errors } = error as { errors?: unknown }
  return Array.isArray(errors) && errors.length > 0 ? errors : undefined
}

/** Fastify's own refusals (too large, not JSON) carry a status below 500. GraphQL's are known by name: its class may be loaded twice. */
function isExpected(error: unknown): error is Error {
  const { name, statusCode = 500 } = error as { name?: string; statusCode?: number }
  return error instanceof RunyardError || name === 'GraphQLError' || statusCode < 500
}

export function messageOf(error: unknown): string {
  return isExpected(error) ? error.message : 'Something failed inside Runyard; its log says what.'
}
