// What scenarios ask the public listener of a stack for, beside the SDKs: raw requests, GraphQL by hand, endpoints, jobs and health.
import type { HealthView, JobView } from '@runyard/schema/api'
import { createRead, createSend, type Answer, type RequestOptions } from '@runyard/testing'
import { waitFor } from './wait.ts'

export interface ApiOptions extends RequestOptions {
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
  /** Ids of network volumes. */
  readonly volumes?: readonly string[]
}

export interface Api {
  readonly request: (path: string, options?: ApiOptions) => Promise<Answer>
  readonly post: (path: string, body: unknown) => Promise<Answer>
  readonly get: (path: string) => Promise<Answer>
  /** @throws unless the answer is 200. */
  readonly read: <T>(path: string) => Promise<T>
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
  const send = createSend(url)
  const request: Api['request'] = (path, { key: bearer = key, headers, ...options } = {}) =>
    send(path, { ...options, headers: { ...(bearer === null ? {} : { authorization: `Bearer ${bearer}` }), ...headers } })
  const post: Api['post'] = (path, body) => request(path, { method: 'POST', body })
  const get: Api['get'] = (path) => request(path)
  const read = createRead(get)
  const graphql: Api['graphql'] = async (query, variables = {}) => {
    const reply = await post('/graphql', { query, variables })
    if (reply.status !== 200 || 'errors' in reply.json) throw new Error(`GraphQL answered ${reply.status}: ${reply.text}`)
    return reply.json['data'] as Record<string, unknown>
  }
  return { request, post, get, read, graphql, ...management({ read, graphql }), ...jobs({ post, read }) }
}

function management(
  wire: Pick<Api, 'read' | 'graphql'>,
): Pick<Api, 'saveEndpoint' | 'deleteEndpoint' | 'endpoints' | 'health' | 'workersSeen' | 'untilZero'> {
  const health: Api['health'] = (id) => wire.read(`/v2/${id}/health`)
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
    endpoints: async () => (await wire.read<{ endpoints: { id: string; name: string }[] }>('/v2/serverless')).endpoints,
    health,
    workersSeen,
    untilZero: async (id, timeoutMs = 60_000) => {
      await waitFor(`${id} to scale to zero`, async () => (await workersSeen(id)) === 0, { timeoutMs, intervalMs: 100 })
    },
  }
}

const toVolumes = (ids: readonly string[] = []) => ids.map((networkVolumeId) => ({ networkVolumeId }))

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
    networkVolumeIds: toVolumes(endpoint.volumes),
    template: {
      name: endpoint.name,
      imageName: endpoint.image ?? 'runpod/queue:py3.12-latest',
      containerDiskInGb: 10,
      dockerArgs: endpoint.args ?? '',
      env: Object.entries(endpoint.env ?? {}).map(([name, value]) => ({ key: name, value })),
    },
  }
}

function jobs(wire: Pick<Api, 'post' | 'read'>): Pick<Api, 'run' | 'runsync' | 'status' | 'settled'> {
  const status: Api['status'] = (endpointId, jobId) => wire.read(`/v2/${endpointId}/status/${jobId}`)
  return {
    run: async (endpointId, input, more = {}) => (await posted(wire.post(`/v2/${endpointId}/run`, { input, ...more }))).id,
    runsync: (endpointId, input) => posted(wire.post(`/v2/${endpointId}/runsync`, { input })),
    status,
    settled: (endpointId, jobId, timeoutMs = 60_000) =>
      waitFor(
        `job ${jobId} to end`,
        async () => {
          // Held until the job ends: clients that ask all the time would take the processors from the workers.
          const job = await wire.read<JobView>(`/v2/${endpointId}/status-sync/${jobId}?wait=20000`)
          return TERMINAL.has(job.status) ? job : undefined
        },
        { timeoutMs },
      ),
  }
}

async function posted(pending: Promise<Answer>): Promise<JobView> {
  const answer = await pending
  if (answer.status !== 200) throw new Error(`answered ${answer.status}: ${answer.text}`)
  return answer.as<JobView>()
}
