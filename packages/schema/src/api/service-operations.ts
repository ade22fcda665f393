// GraphQL, OpenAI's API, the logs as Flash reads them, probes, metrics and the documents themselves. What GraphQL and OpenAI's API let in is
// theirs to say; here stands what a client must know to call them.
import { z } from 'zod'
import { METHODS, tagged, type Operation, type Operations } from './operation.ts'
import { WorkerLogsView } from './workers.ts'
import { aliases } from './job-operations.ts'

export const GraphqlBody = z
  .object({
    query: z.string('must be the text of a GraphQL operation'),
    variables: z.record(z.string(), z.unknown(), 'must be an object that holds each variable under its name').nullish(),
    operationName: z.string('must be the name of an operation in the query').nullish(),
  })
  .meta({ id: 'GraphqlBody' })

const GraphqlReply = z.object({ data: z.unknown().optional(), errors: z.array(z.object({ message: z.string() })).optional() })

export const GraphqlErrors = z
  .object({ errors: z.array(z.object({ message: z.string() })) })
  .meta({ id: 'GraphqlErrors', description: 'A failure of GraphQL: 200 with `errors`, but 401 for a bad key and 503 while Redis is away.' })

export const OpenaiError = z
  .object({
    error: z.object({
      message: z.string(),
      type: z.string(),
      code: z.union([z.string(), z.number()]).nullable(),
      param: z.string().nullable(),
    }),
  })
  .meta({ id: 'OpenaiError', description: 'A failure as OpenAI’s clients read it.' })

export const V1Error = z
  .object({ error: z.string(), message: z.string(), status: z.int() })
  .meta({ id: 'V1Error', description: 'A failure of REST v1.' })

const OpenaiBody = z.looseObject({ stream: z.boolean().optional() })

const OpenaiValue = z.unknown().meta({
  id: 'OpenaiValue',
  description: 'What the worker yields, unchanged. A failure never stands here: it is an `OpenaiError`.',
  not: { required: ['error'], properties: { error: { type: 'object' } }, additionalProperties: true },
})

function openaiOperation(method: (typeof METHODS)[number]): Omit<Operation, 'tag'> {
  const operation = {
    id: `openai${method.charAt(0)}${method.slice(1).toLowerCase()}`,
    summary: `${method} of OpenAI’s API, answered by a worker`,
    reply: OpenaiValue,
    // Where the worker yields text that is not JSON.
    other: { 200: 'text/plain' },
  } as const
  if (method === 'GET') return operation
  return {
    ...operation,
    description:
      'Of a request with `stream` the reply is server-sent events. A failure after the first of them is one event with the error, and the last; otherwise `[DONE]` is the last.',
    ...(method === 'DELETE' ? {} : { body: OpenaiBody }),
    events: z.union([OpenaiValue, OpenaiError]),
  }
}

const OPENAI: Operations = tagged(
  'openai',
  Object.fromEntries(METHODS.map((method) => [`${method} /v2/:endpointId/openai/*`, openaiOperation(method)])),
)

const LOGS: Operations = tagged('workers', {
  'GET /hapi/v1/pod/:workerId/logs': {
    id: 'readWorkerLogs',
    summary: 'Read the latest lines of a worker’s log',
    description: 'Also of a worker that is gone since less than an hour. Failures look as those of the job plane.',
    querystring: z.object({
      type: z.enum(['all', 'container', 'system']).optional(),
      tail: z.int().min(1).max(1000).optional().describe('How many lines of each; 100 where it is absent.'),
    }),
    reply: WorkerLogsView,
  },
})

const Probe = z.object({ ok: z.boolean() })
export const LivenessView = Probe.extend({ redis: z.enum(['up', 'away']), version: z.string().describe('Of Runyard.') })
export type LivenessView = z.infer<typeof LivenessView>

const GRAPHQL: Operations = tagged('graphql', {
  'POST /graphql': {
    id: 'graphql',
    summary: 'A GraphQL query or mutation',
    description: 'Introspection describes what there is.',
    body: GraphqlBody,
    reply: GraphqlReply,
  },
})

const SERVICE: Operations = tagged('service', {
  'PUT /runyard/v1/uploads/:upload': {
    id: 'uploadArtifact',
    summary: 'Upload the artifact of a build',
    description: 'To a URL from `prepareFlashArtifactUpload`, which is the credential; the body is a gzip tar of the announced size.',
    querystring: z.object({ signature: z.string() }),
    other: { 204: null },
    open: true,
  },
  'GET /healthz': {
    id: 'getLiveness',
    summary: 'Whether the process lives',
    reply: LivenessView,
    open: true,
  },
  'GET /readyz': {
    id: 'getReadiness',
    summary: 'Whether it can do its work',
    replies: { 200: z.looseObject(Probe.shape), 503: Probe.extend({ error: z.string(), problems: z.array(z.string()) }) },
    open: true,
  },
  'GET /metrics': {
    id: 'getMetrics',
    summary: 'Metrics for Prometheus',
    description: 'On a listener that only this machine reaches no key is needed (`metrics.open`).',
    other: { 200: 'text/plain' },
  },
  'GET /flash/login': {
    id: 'getLoginPage',
    summary: 'A page that shows who asks for a key',
    other: { 200: 'text/html', 404: 'text/html' },
    open: true,
  },
  'POST /flash/login': {
    id: 'decideLogin',
    summary: 'The form of that page: approve or deny, with an API key',
    other: { 200: 'text/html' },
    open: true,
  },
  'GET /assets/*': { id: 'getPageFile', summary: 'A file of the page that is at `/`', other: { 200: 'text/javascript' }, open: true },
  'GET /openapi.json': { id: 'getOpenapi', summary: 'This document', reply: z.looseObject({ openapi: z.string() }), open: true },
  'GET /docs': { id: 'getDocs', summary: 'A page that shows this document', other: { 200: 'text/html' }, open: true },
  'GET /docs/:file': { id: 'getDocsFile', summary: 'A file of that page', other: { 200: 'text/javascript' }, open: true },
})

export const SERVICE_OPERATIONS: Operations = {
  ...GRAPHQL,
  ...OPENAI,
  ...LOGS,
  ...aliases(LOGS, 'AtV1', (key) => key.replace('/hapi/v1/', '/v1/')),
  ...SERVICE,
}
