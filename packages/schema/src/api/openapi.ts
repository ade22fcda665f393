// The OpenAPI document (3.1) of the operations that a listener has. Pure: which routes there are is an input, so that the document never
// names one that is not served (ADR 47).
import { z } from 'zod'
import { OPERATIONS } from './operations.ts'
import { repliesOf, TAGS, type ErrorShape, type Operation } from './operation.ts'
import { scopeOfRoute } from './route-scopes.ts'
import { GraphqlErrors, OpenaiError, V1Error } from './service-operations.ts'
import { JobPlaneError, Problem } from './shared.ts'

type Json = Readonly<Record<string, unknown>>

const ERRORS: Readonly<Record<ErrorShape, z.ZodType>> = { Problem, JobPlaneError, V1Error, GraphqlErrors, OpenaiError }

/** One operation with the named shapes that it refers to. */
export interface DescribedOperation {
  readonly path: string
  readonly method: string
  readonly operation: Json
  readonly components: Json
}

/** Takes a millisecond or two: a server describes its operations in turns. Undefined for a key that has no operation. */
export function describeOperation(key: string): DescribedOperation | undefined {
  const operation = Object.entries<Operation>(OPERATIONS).find(([known]) => known === key)?.[1]
  if (operation === undefined) return undefined
  const [method = '', url = ''] = key.split(' ')
  const { shapes, components } = convert(operation)
  return { path: toPath(url), method: method.toLowerCase(), operation: describe(key, operation, shapes), components }
}

export function describeApi(operations: readonly DescribedOperation[], version: string): Json {
  const paths: Record<string, Json> = {}
  for (const { path, method, operation } of operations) paths[path] = { ...paths[path], [method]: operation }
  return {
    openapi: '3.1.1',
    info: {
      title: 'Runyard',
      version,
      description: 'Serverless endpoints on your own GPU machines, with the API of Runpod.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/', description: 'The gateway that this document comes from.' }],
    security: [{ apiKey: [] }],
    tags: Object.entries(TAGS).map(([name, { description }]) => ({ name, description })),
    paths,
    components: {
      schemas: Object.assign({}, ...operations.map(({ components }) => components)) as Json,
      securitySchemes: {
        apiKey: {
          type: 'http',
          scheme: 'bearer',
          description:
            'An API key: `Authorization: Bearer <key>`. The key alone is read as well. The scopes of an operation: one of them is enough. `admin` has all, `operate` has `run` and `view`.',
        },
      },
    },
  }
}

/** By what each is of the operation: `querystring`, `body`, `events`, a status, or `default`. */
type Shapes = Readonly<Record<string, Json>>

function convert(operation: Operation): { shapes: Shapes; components: Json } {
  const { querystring, body, events, tag } = operation
  const all = {
    ...(querystring === undefined ? {} : { querystring }),
    ...(body === undefined ? {} : { body }),
    ...(events === undefined ? {} : { events }),
    ...repliesOf(operation),
    default: ERRORS[TAGS[tag].errors],
  }
  // As they are sent: a reply may have members that a client does not know yet, and a body is read before it is transformed.
  const converted = z.toJSONSchema(z.object(all), { io: 'input', override: ({ jsonSchema }) => tidy(jsonSchema) })
  const { properties, $defs } = JSON.parse(JSON.stringify(converted).replaceAll('#/$defs/', '#/components/schemas/')) as {
    properties: Shapes
    $defs: Json
  }
  return { shapes: properties, components: $defs }
}

/** What OpenAPI has another place for, and bounds that say only what JavaScript's numbers are. */
function tidy(schema: Record<string, unknown>): void {
  delete schema['id']
  if (schema['maximum'] === Number.MAX_SAFE_INTEGER) delete schema['maximum']
  if (schema['minimum'] === Number.MIN_SAFE_INTEGER) delete schema['minimum']
}

function describe(key: string, operation: Operation, shapes: Shapes): Json {
  const { id, tag, summary, description, open } = operation
  const { body } = shapes
  const [method = '', url = ''] = key.split(' ')
  const scopes = scopeOfRoute(method, url)
  return {
    operationId: id,
    tags: [tag],
    summary,
    ...(description === undefined ? {} : { description }),
    ...(open === true ? { security: [] } : typeof scopes === 'string' ? {} : { security: [{ apiKey: [...scopes] }] }),
    parameters: [...pathParameters(url), ...queryParameters(shapes['querystring'])],
    ...(body === undefined ? {} : { requestBody: { required: true, content: { 'application/json': { schema: body } } } }),
    responses: replies(operation, shapes),
  }
}

function replies(operation: Operation, shapes: Shapes): Json {
  const { tag, other = {}, events } = operation
  const json = repliesOf(operation) ?? {}
  const failureType = TAGS[tag].errors === 'Problem' ? 'application/problem+json' : 'application/json'
  const statuses = new Set([...Object.keys(json), ...Object.keys(other), ...(events === undefined ? [] : ['200'])])
  const contentOf = (status: string): Json => ({
    ...(status in json && { 'application/json': { schema: shapes[status] } }),
    ...(typeof other[Number(status)] === 'string' && { [String(other[Number(status)])]: { schema: TEXT } }),
    ...(status === '200' && events !== undefined && { 'text/event-stream': { schema: TEXT, 'x-event-data': shapes['events'] } }),
  })
  const failure = { description: 'It failed; the reply says why.', content: { [failureType]: { schema: shapes['default'] } } }
  return { ...Object.fromEntries([...statuses].map((status) => [status, reply(contentOf(status))])), default: failure }
}

const TEXT = { type: 'string' } as const

function reply(content: Json): Json {
  return Object.keys(content).length === 0 ? { description: 'Done; there is no body.' } : { description: 'Done.', content }
}

/** `/v2/:endpointId/openai/*` → `/v2/{endpointId}/openai/{path}` */
function toPath(url: string): string {
  return url.replaceAll(/:(\w+)/gu, '{$1}').replace(/\*$/u, '{path}')
}

function pathParameters(url: string): readonly Json[] {
  const names = [...toPath(url).matchAll(/\{(\w+)\}/gu)].map(([, name]) => name)
  return names.map((name) => ({ name, in: 'path', required: true, schema: { type: 'string' } }))
}

function queryParameters(shape: Json | undefined): readonly Json[] {
  if (shape === undefined) return []
  const { properties, required = [] } = shape as { properties: Record<string, Json>; required?: readonly string[] }
  return Object.entries(properties).map(([name, { description, ...schema }]) => ({
    name,
    in: 'query',
    required: required.includes(name),
    ...(description === undefined ? {} : { description }),
    schema,
  }))
}
