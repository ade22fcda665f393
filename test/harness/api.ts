// A plain HTTP client of the public listener for requests that no SDK sends: raw bodies, bad input, GraphQL by hand, health and metrics.
import type { HealthView, JobView } from '@runyard/schema/api'
import { waitFor } from './wait.ts'

export interface Reply {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  /** The parsed body; undefined if it is not JSON. */
  readonly json: Record<string, unknown>
}

export interface RequestOptions {
  readonly method?: string
  readonly body?: string | Buffer
  readonly headers?: Readonly<Record<string, string>>
  /** null: send no key; default: the stack's key. */
  readonly key?: string | null
}

export interface EndpointRequest {
  readonly name: string
  readonly image?: string
  readonly args?: string
  readonly cpu?: string
  readonly gpuIds?: string
  readonly workersMin?: number
  readonly workersMax?: number
  readonly idleTimeout?: number
  readonly executionTimeoutMs?: number
  readonly env?: Readonly<Record<string, string>>
}

export interface Api {
  readonly request: (path: string, options?: RequestOptions) => Promise<Reply>
  readonly post: (path: string, body: unknown) => Promise<Reply>
  readonly get: (path: string) => Promise<Reply>
  /** @throws on GraphQL errors. */
  readonly graphql: (query: string, variables?: Record<string, unknown>) => Promise<Record<string, unknown>>
  /** Returns its id. */
  readonly saveEndpoint: (endpoint: EndpointRequest) => Promise<string>
  readonly deleteEndpoint: (id: string) => Promise<void>
  readonly endpoints: () => Promise<readonly { id: string; name: string }[]>
  readonly health: (endpointId: string) => Promise<HealthView>
  readonly workersSeen: (endpointId: string) => Promise<number>
  readonly run: (endpointId: string, input: unknown, more?: Record<string, unknown>) => Promise<string>
  readonly runsync: (endpointId: string, input: unknown) => Promise<JobView>
  readonly status: (endpointId: string, jobId: string) => Promise<JobView>
  /** The job once it is in a terminal state. */
  readonly settled: (endpointId: string, jobId: string, timeoutMs?: number) => Promise<JobView>
  /** Waits until no worker of the endpoint is left. */
  readonly untilZero: (endpointId: string, timeoutMs?: number) => Promise<void>
}

const TERMINAL = new Set(['COMPLETED', 'FAILED', 'CANCELLED', 'TIMED_OUT'])

export function createApi(url: string, key: string): Api {
  const request: Api['request'] = async (path, options = {}) => {
    const auth = options.key === null ? {} : { authorization: `Bearer ${options.key ?? key}` }
    const response = await fetch(`${url}${path}`, {
      method: options.method ?? (options.body === undefined ? 'GET' : 'POST'),
      headers: { ...auth, ...options.headers },
      ...(options.body === undefined ? {} : { body: options.body }),
    })
    const text = await response.text()
    return { status: response.status, headers: response.headers, text, json: parse(text) }
  }
  const post: Api['post'] = (path, body) =>
    request(path, { method: 'POST', body: JSON.stringify(body), headers: { 'content-type': 'application/json' } })
  const get: Api['get'] = (path) => request(path)
  const graphql: Api['graphql'] = async (query, variables = {}) => {
    const reply = await post('/graphql', { query, variables })
    if (reply.status !== 200 || 'errors' in reply.json) throw new Error(`GraphQL answered ${reply.status}: ${reply.text}`)
    return reply.json['data'] as Record<string, unknown>
  }
  return { request, post, get, graphql, ...management({ post, get, request, graphql }), ...jobs({ post, get }) }
}

type Wire = Pick<Api, 'post' | 'get' | 'request' | 'graphql'>

function management(wire: Wire): Pick<Api, 'saveEndpoint' | 'deleteEndpoint' | 'endpoints' | 'health' | 'workersSeen' | 'untilZero'> {
  const health: Api['health'] = async (id) => (await ok(wire.get(`/v2/${id}/health`))) as unknown as HealthView
  const workersSeen: Api['workersSeen'] = async (id) => {
    const { workers } = await health(id)
    return workers.idle + workers.initializing + workers.running
  }
  return {
    saveEndpoint: async (endpoint) => {
      const data = await wire.graphql('mutation saveEndpoint($input: EndpointInput!) { saveEndpoint(input: $input) { id name } }', {
        input: toEndpointInput(endpoint),
      })
      return (data['saveEndpoint'] as { id: string }).id
    },
    deleteEndpoint: async (id) => {
      await wire.graphql('mutation deleteEndpoint($id: String!) { deleteEndpoint(id: $id) }', { id })
    },
    endpoints: async () => ((await ok(wire.get('/v2/serverless')))['endpoints'] ?? []) as { id: string; name: string }[],
    health,
    workersSeen,
    untilZero: async (id, timeoutMs = 60_000) => {
      await waitFor(`${id} to scale to zero`, async () => (await workersSeen(id)) === 0, { timeoutMs, intervalMs: 100 })
    },
  }
}

/** A template travels with the endpoint, as SDK 2.0 sends it (sdk2-api §3.1). */
function toEndpointInput(endpoint: EndpointRequest): Record<string, unknown> {
  const hardware = endpoint.gpuIds === undefined ? { instanceIds: [endpoint.cpu ?? 'cpu3c-1-2'] } : { gpuIds: endpoint.gpuIds, gpuCount: 1 }
  return {
    name: endpoint.name,
    ...hardware,
    workersMin: endpoint.workersMin ?? 0,
    workersMax: endpoint.workersMax ?? 1,
    idleTimeout: endpoint.idleTimeout ?? 5,
    scalerType: 'QUEUE_DELAY',
    scalerValue: 1,
    executionTimeoutMs: endpoint.executionTimeoutMs ?? 0,
    networkVolumeIds: [],
    template: {
      name: endpoint.name,
      imageName: endpoint.image ?? 'runpod/queue:py3.12-latest',
      containerDiskInGb: 10,
      dockerArgs: endpoint.args ?? '',
      env: Object.entries(endpoint.env ?? {}).map(([name, value]) => ({ key: name, value })),
    },
  }
}

function jobs(wire: Pick<Api, 'post' | 'get'>): Pick<Api, 'run' | 'runsync' | 'status' | 'settled'> {
  const status: Api['status'] = async (endpointId, jobId) => (await ok(wire.get(`/v2/${endpointId}/status/${jobId}`))) as JobView
  return {
    run: async (endpointId, input, more = {}) => ((await ok(wire.post(`/v2/${endpointId}/run`, { input, ...more }))) as JobView).id,
    runsync: async (endpointId, input) => (await ok(wire.post(`/v2/${endpointId}/runsync`, { input }))) as JobView,
    status,
    settled: (endpointId, jobId, timeoutMs = 60_000) =>
      waitFor(
        `job ${jobId} to end`,
        async () => {
          // Held until the job ends: clients that ask all the time would take the processors from the workers.
          const job = (await ok(wire.get(`/v2/${endpointId}/status-sync/${jobId}?wait=20000`))) as JobView
          return TERMINAL.has(job.status) ? job : undefined
        },
        { timeoutMs },
      ),
  }
}

async function ok(pending: Promise<Reply>): Promise<Record<string, unknown>> {
  const reply = await pending
  if (reply.status !== 200) throw new Error(`answered ${reply.status}: ${reply.text}`)
  return reply.json
}

function parse(text: string): Record<string, unknown> {
  try {
    return JSON.parse(text) as Record<string, unknown>
  } catch {
    return {}
  }
}
