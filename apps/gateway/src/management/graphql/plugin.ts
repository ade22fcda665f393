// POST /graphql. Success carries no `errors` key at all; failures are HTTP 200 with `errors[].message`, except 401 for a bad key and
// 503 while the store is away (flash-api §2, sdk2-api §2, management §1.1).
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { GraphQLError } from 'graphql'
import mercurius from 'mercurius'
import { z } from 'zod'
import { RunyardError } from '@runyard/schema'
import type { Store } from '@runyard/store'
import type { Authenticate } from '../../authentication.ts'
import type { ManagementModel } from '../model.ts'
import { createResolvers } from './resolvers.ts'
import { TYPE_DEFINITIONS } from './type-definitions.ts'

/** A manifest is tens of kB, a template's environment may be larger; far above both. */
const BODY_LIMIT_BYTES = 16 * 1024 * 1024

export interface GraphqlDeps {
  readonly model: ManagementModel
  readonly store: Pick<Store, 'status'>
  readonly authenticate: Authenticate
}

const GraphqlBody = z.object({
  query: z.string('must be the text of a GraphQL operation'),
  variables: z.record(z.string(), z.unknown()).nullish(),
  operationName: z.string().nullish(),
})

export async function registerGraphql(app: FastifyInstance, deps: GraphqlDeps): Promise<void> {
  await app.register(mercurius, {
    schema: TYPE_DEFINITIONS,
    resolvers: createResolvers(deps),
    routes: false,
    errorFormatter: ({ errors }, { reply }) => ({
      statusCode: reportFailure(
        errors.map((error) => error.originalError ?? error),
        reply,
      ),
      response: {
        data: null,
        errors: errors.map((error) => new GraphQLError(messageOf(error.originalError ?? error), { path: error.path })),
      },
    }),
  })
  app.setErrorHandler((error, _request, reply) => sendFailure(error, reply))
  app.post('/graphql', { bodyLimit: BODY_LIMIT_BYTES }, async (request, reply) => {
    const key = await deps.authenticate(withQueryKey(request))
    const { query, variables, operationName } = parseBody(request.body)
    return reply.graphql(query, { key }, variables ?? {}, operationName ?? undefined)
  })
}

/** Old clients put the key into the URL (management §1.1). The header wins. */
function withQueryKey(request: FastifyRequest): Parameters<Authenticate>[0] {
  const { api_key: inUrl } = request.query as { api_key?: string }
  return request.headers.authorization === undefined && inUrl !== undefined ? { headers: { authorization: inUrl } } : request
}

function parseBody(body: unknown): z.infer<typeof GraphqlBody> {
  const parsed = GraphqlBody.safeParse(body)
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  throw new RunyardError(
    'bad_request',
    `A GraphQL request is JSON with "query" and "variables"; ${issue?.path.join('.') || 'it'} ${issue?.message}.`,
  )
}

/** What went wrong before or instead of execution: credentials, body, syntax, validation. */
function sendFailure(error: unknown, reply: FastifyReply): FastifyReply {
  const causes = validationErrorsOf(error) ?? [error]
  return reply.code(reportFailure(causes, reply)).send({ errors: causes.map((cause) => ({ message: messageOf(cause) })) })
}

function validationErrorsOf(error: unknown): readonly unknown[] | undefined {
  const { errors } = error as { errors?: unknown }
  return Array.isArray(errors) && errors.length > 0 ? errors : undefined
}

/** Logs what is a bug of ours, asks for patience where that helps, and says the HTTP status. */
function reportFailure(errors: readonly unknown[], reply: FastifyReply): number {
  for (const error of errors) {
    if (!isExpected(error)) reply.request.log.error({ err: error }, 'GraphQL operation failed')
    if (error instanceof RunyardError && error.retryAfterS !== undefined) void reply.header('retry-after', error.retryAfterS)
  }
  const statuses = errors.filter((error) => error instanceof RunyardError).map((error) => error.httpStatus)
  return statuses.find((status) => status === 401 || status === 503) ?? 200
}

/** Fastify's own refusals (too large, not JSON) carry a status below 500. GraphQL's are known by name: its class may be loaded twice. */
function isExpected(error: unknown): error is Error {
  const { name, statusCode = 500 } = error as { name?: string; statusCode?: number }
  return error instanceof RunyardError || name === 'GraphQLError' || statusCode < 500
}

/** A bug's text is for the log, not for the client. */
function messageOf(error: unknown): string {
  return isExpected(error) ? error.message : 'Something failed inside Runyard; its log says what.'
}
