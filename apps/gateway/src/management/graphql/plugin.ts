// POST /graphql. Success carries no `errors` key at all; failures are HTTP 200 with `errors[].message`, except 401 for a bad key and
// 503 while the store is away (flash-api §2, sdk2-api §2, management §1.1).
import { MANAGEMENT_BODY_BYTES, type GpuCatalogue } from '@runyard/core'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { GraphQLError, parse } from 'graphql'
import mercurius from 'mercurius'
import type { z } from 'zod'
import { RunyardError, RECORD_LIMITS } from '@runyard/schema'
import { GraphqlBody } from '@runyard/schema/api'
import type { Store } from '@runyard/store'
import { requireApiKey, type Credentials } from '../../http/authenticate.ts'
import { answerErrors, DIALECTS, sendError, setRetryAfter, toWireError, type Failure, type WireError } from '../../http/errors.ts'
import { baseOf } from '../../http/base-url.ts'
import { agentOf, callerOf, giveNotice } from '../caller.ts'
import type { LoginModel } from '../../login/login-model.ts'
import type { ErrorLog } from '../error-log.ts'
import type { ReadDataCenters } from '../data-centers.ts'
import type { ManagementModel } from '../model.ts'
import type { TaskModel } from '../task-model.ts'
import { createStock } from '../stock.ts'
import { createGuestEntrance, guestFor, noKey } from './guests.ts'
import { createReads } from './reads.ts'
import { createResolvers } from './resolvers.ts'
import { TYPE_DEFINITIONS } from './type-definitions.ts'
import { unsupportedSentence } from './unsupported.ts'

/** Each alias is executed again: a few hundred bytes of text must not become thousands of reads. Introspection takes 300 tokens and 15 levels. */
const MOST_TOKENS = 1000
/** Levels of a query, and of its variables. */
const DEEPEST = 20
/** Items of a list in the variables. Lists in the text are bounded by its tokens; these are not, and each item may be answered. */
const MOST = { env: RECORD_LIMITS.variables, other: RECORD_LIMITS.listItems, manifest: 20_000 } as const

export interface GraphqlDeps {
  readonly model: ManagementModel
  readonly catalogue: GpuCatalogue
  readonly readDataCenters: ReadDataCenters
  readonly tasks: TaskModel
  readonly logins: LoginModel
  readonly store: Pick<Store, 'status' | 'keys' | 'sessions' | 'subscribe'>
  readonly log: ErrorLog
}

export async function registerGraphql(app: FastifyInstance, deps: GraphqlDeps): Promise<void> {
  const readStock = createStock(deps)
  await app.register(mercurius, {
    schema: TYPE_DEFINITIONS,
    resolvers: createResolvers(deps),
    routes: false,
    // It would keep texts of any size, comments included, for ever.
    cache: false,
    queryDepth: DEEPEST,
    errorFormatter: ({ errors }, { reply }) => {
      const failed = errors.map((error) => ({ path: error.path, wire: toLoggedError(deps.log, error.originalError ?? error) }))
      for (const { wire } of failed) setRetryAfter(reply, wire)
      const statuses = failed.map(({ wire }) => DIALECTS.graphql.statusOf(wire.httpStatus))
      return {
        statusCode: statuses.find((status) => status !== 200) ?? 200,
        response: { data: null, errors: failed.map(({ path, wire }) => new GraphQLError(wire.sentence, { path })) },
      }
    },
  })
  answerErrors(app, { log: deps.log, dialect: DIALECTS.graphql, special: answerInvalid })
  requireApiKey(app, deps.store, { credentialsOf: withQueryKey, isOpen: createGuestEntrance() })
  app.post('/graphql', { bodyLimit: MANAGEMENT_BODY_BYTES }, async (request, reply) => {
    const { query, variables, operationName } = parseBody(request.body)
    const document = parse(query, { maxTokens: MOST_TOKENS })
    request.apiKey ??= guestFor(document)
    checkVariables(variables)
    const key = request.apiKey
    const reads = createReads({ model: deps.model, readStock }, key.ownerId)
    const notices: string[] = []
    const result = await reply.graphql(
      query,
      { key, reads, by: callerOf(request), agent: agentOf(request), base: baseOf(request), notices },
      variables ?? {},
      operationName ?? undefined,
    )
    if (notices.length === 0) return result
    giveNotice(reply, notices.join('; '))
    return { ...result, extensions: { runyard: { notices } } }
  })
}

function toLoggedError(log: ErrorLog, error: unknown): WireError {
  const wire = toWireError(error)
  if (wire.httpStatus === 500) log.error({ err: error }, 'GraphQL operation failed')
  return wire
}

/** A document that does not fit the schema has a list of errors, or one sentence where it names what Runyard has no meaning for. */
function answerInvalid({ error, wire, request, reply }: Failure): FastifyReply | undefined {
  // Of a guest whose body is no request: whether it has a fault concerns callers with a key.
  if (request.apiKey === null && [400, 413].includes(wire.httpStatus)) return sendError(reply, toWireError(noKey()), DIALECTS.graphql)
  const { errors } = error as { errors?: unknown }
  if (!Array.isArray(errors) || errors.length === 0) return undefined
  const sentences = errors.map((one) => withoutValue(toWireError(one).sentence))
  const unsupported = unsupportedSentence(sentences)
  return reply.send({ errors: (unsupported === undefined ? sentences : [unsupported]).map((message) => ({ message })) })
}

/** GraphQL repeats the value of a variable that does not fit, which may be a secret or a password. */
function withoutValue(sentence: string): string {
  return sentence.replace(/ got invalid value .*?(?<where> at "[^"]+")?; (?=[^;]*$)/su, ' is not valid$<where>: ')
}

/** Old clients put the key into the URL (management §1.1). The header wins. */
function withQueryKey(request: FastifyRequest): Credentials {
  const { api_key: inUrl } = request.query as { readonly api_key?: string | readonly string[] }
  return request.headers.authorization === undefined && typeof inUrl === 'string' ? { headers: { authorization: inUrl } } : request
}

function parseBody(body: unknown): z.infer<typeof GraphqlBody> {
  const parsed = GraphqlBody.safeParse(body)
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  const problem = issue === undefined || issue.path.length === 0 ? '' : `; ${issue.path.join('.')} ${issue.message}`
  throw new RunyardError('bad_request', `A GraphQL request is a JSON object with "query" and "variables"${problem}.`)
}

/** @throws RunyardError('bad_request') */
function checkVariables(value: unknown, name = 'variables', depth = 0): void {
  if (typeof value !== 'object' || value === null) return
  if (depth > DEEPEST) throw new RunyardError('bad_request', `The variables of this request are nested deeper than ${DEEPEST} levels.`)
  const isList = Array.isArray(value)
  if (isList) checkLength(value, name)
  // A manifest is stored as it is, whatever its lists are called.
  for (const [key, member] of Object.entries(value)) checkVariables(member, isList || name === 'manifest' ? name : key, depth + 1)
}

function checkLength({ length }: readonly unknown[], name: string): void {
  const most = name === 'env' || name === 'manifest' ? MOST[name] : MOST.other
  if (length > most) throw new RunyardError('bad_request', `The list "${name}" has ${length} items; at most ${most} are allowed.`)
}
