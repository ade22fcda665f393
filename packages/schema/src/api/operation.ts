// What one route does, in the words of OpenAPI and of Fastify: the same record validates requests and documents them.
import type { z } from 'zod'

export const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] as const
export type Method = (typeof METHODS)[number]

/** As Fastify writes it: `GET /v2/serverless/:id`. */
export type OperationKey = `${Method} /${string}`

/** How a failure looks. The keys name components of the document. */
export type ErrorShape = 'Problem' | 'JobPlaneError' | 'V1Error' | 'GraphqlErrors' | 'OpenaiError'

export const TAGS = {
  jobs: { description: 'Submit jobs to an endpoint and read what they come to.', errors: 'JobPlaneError' },
  batches: { description: 'Requests that are collected first and become jobs together (beta).', errors: 'JobPlaneError' },
  openai: { description: 'Programs that speak to OpenAI’s API; each request becomes a job.', errors: 'OpenaiError' },
  'load-balancing': { description: 'Servers inside workers, reached without a queue.', errors: 'JobPlaneError' },
  endpoints: { description: 'What runs, on which hardware, with how many workers.', errors: 'Problem' },
  templates: { description: 'Containers that endpoints share.', errors: 'Problem' },
  registries: { description: 'Credentials for private images.', errors: 'Problem' },
  volumes: { description: 'Directories that outlive workers.', errors: 'Problem' },
  secrets: { description: 'Values that environment variables name as `{{ RUNPOD_SECRET_name }}`.', errors: 'Problem' },
  pods: { description: 'Tasks of SDK 2; no other pods are served.', errors: 'Problem' },
  workers: { description: 'The workers of an endpoint, their logs and its history.', errors: 'Problem' },
  catalog: { description: 'GPU types and the pools that they belong to.', errors: 'Problem' },
  webhooks: { description: 'Deliveries of webhooks, and the secrets that sign them.', errors: 'Problem' },
  account: { description: 'What was used, SSH keys, and lists that are empty here.', errors: 'Problem' },
  keys: { description: 'API keys and their scopes.', errors: 'Problem' },
  history: { description: 'What happened: jobs, failures and workers of all endpoints.', errors: 'Problem' },
  notices: { description: 'What needs a person, and its receivers.', errors: 'Problem' },
  settings: { description: 'The effective configuration, and cordons of hosts.', errors: 'Problem' },
  usage: { description: 'Seconds of workers, billed and unbilled.', errors: 'Problem' },
  'rest-v1': { description: 'Runpod’s older REST API, for programs that use it already.', errors: 'V1Error' },
  graphql: { description: 'What runpod, runpod-flash, rp and runpodctl call.', errors: 'GraphqlErrors' },
  service: { description: 'Probes, metrics and this document.', errors: 'JobPlaneError' },
} as const satisfies Record<string, { readonly description: string; readonly errors: ErrorShape }>
export type Tag = keyof typeof TAGS

export interface Operation {
  /** Unique: generated clients name a function after it. */
  readonly id: string
  readonly tag: Tag
  readonly summary: string
  readonly description?: string
  readonly params?: z.ZodObject
  readonly querystring?: z.ZodObject
  readonly body?: z.ZodType
  /** With 200. */
  readonly reply?: z.ZodType
  /** Where there are others than 200. */
  readonly replies?: Readonly<Record<number, z.ZodType>>
  /** The reply may also be server-sent events. The data of each is JSON of this shape. */
  readonly events?: z.ZodType
  /** Replies that are not JSON: content type by status; null: no body. */
  readonly other?: Readonly<Record<number, string | null>>
  /** Needs no key. */
  readonly open?: true
}

export type Operations = Readonly<Record<OperationKey, Operation>>

/** Operations of one tag, each a row. */
export function tagged<T extends Tag, const O extends Readonly<Record<OperationKey, Omit<Operation, 'tag'>>>>(tag: T, operations: O) {
  const entries = Object.entries(operations).map(([key, operation]) => [key, { ...operation, tag }])
  return Object.fromEntries(entries) as { readonly [K in keyof O]: O[K] & { readonly tag: T } }
}

type Replies<O> = O extends { readonly reply: infer R }
  ? { readonly response: { readonly 200: R } }
  : O extends { readonly replies: infer R }
    ? { readonly response: R }
    : unknown

/** What Fastify validates requests and writes replies with. */
export type RouteSchema<O> = Pick<O, keyof O & ('params' | 'querystring' | 'body')> & Replies<O>

export function routeSchema<O extends Operation>(operation: O): RouteSchema<O> {
  const { params, querystring, body } = operation
  const given = Object.entries({ params, querystring, body, response: repliesOf(operation) }).filter(([, shape]) => shape !== undefined)
  return Object.fromEntries(given) as RouteSchema<O>
}

export function repliesOf({ reply, replies }: Operation): Readonly<Record<number, z.ZodType>> | undefined {
  return reply === undefined ? replies : { 200: reply }
}
