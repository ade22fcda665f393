// A typed client of the public listener: management, our own extensions, and the job plane. For the CLI and tests; users' programs have
// their SDKs.
import { createHistoryClient } from './history-client.ts'
import { callOpenai, request, requestText, toQuery, type RequestOptions, type Send, type AnyTarget } from './http.ts'
import { createHostClient, createKeyClient, createSettingClient } from './operator-client.ts'
import type { EventSubject, RegistryCredentials } from '@runyard/schema'
import type {
  BatchPage,
  BatchView,
  EndpointBody,
  EndpointListView,
  EndpointView,
  EventListView,
  ExplainView,
  GpuTypeListView,
  HealthView,
  JobBody,
  JobPage,
  JobView,
  KeyView,
  LivenessView,
  NetworkVolumeView,
  PurgeView,
  RegistryListView,
  RegistryView,
  SecretListView,
  SessionCodeView,
  SecretView,
  ReleaseListView,
  StreamView,
  TemplateListView,
  StandbyView,
  NoticeListView,
  NoticeTestListView,
  PricesView,
  UsageDimension,
  UsageView,
  VolumeListView,
  VolumeView,
  WebhookLogView,
  WebhookSecretsView,
  WorkerListView,
  WorkerLogsView,
} from '@runyard/schema/api'

export interface SubmitOptions {
  /** The gateway holds the request for at most so long; absent: it answers at once. */
  readonly waitMs?: number
  /** The same key names one job, however often the request is sent. */
  readonly idempotencyKey: string
}

export interface UsageRange {
  readonly from: number
  readonly to?: number
  /** Default: endpoint, GPU and state. */
  readonly by?: readonly UsageDimension[]
  /** Also how many billed seconds had no job. */
  readonly idle?: boolean
}

export type Client = ReturnType<typeof createClient>

/** Every function throws RunyardError with one sentence. `signal` aborts all requests of the client. */
export function createClient(target: AnyTarget, options: Pick<RequestOptions, 'signal' | 'onAnswer'> = {}) {
  const send = <T>(path: string, more: RequestOptions = {}): Promise<T> => request<T>(target, path, { ...options, ...more })
  return {
    jobs: createJobClient(send, target),
    history: createHistoryClient(send, target),
    session: createSessionClient(send),
    webhooks: createWebhookClient(send),
    registries: createRegistryClient(send),
    keys: createKeyClient(send),
    settings: createSettingClient(send),
    hosts: createHostClient(send),
    secrets: createSecretClient(send),
    volumes: createVolumeClient(send),
    ...createEndpointClient(send),
    /** The types that are known, with their pools. */
    gpuTypes: async () => (await send<GpuTypeListView>('/v2/catalog/gpus')).gpus,
    listTemplates: async () => (await send<TemplateListView>('/v2/templates')).templates,
    /** Why a job waits, or an endpoint has no further worker. `id`: of a job, or the id or name of an endpoint. */
    explain: (id: string) => send<ExplainView>(`/runyard/v1/explain/${encodeURIComponent(id)}`),
    /** The last lines of a worker, available until an hour after its end (flash-api §4.4). */
    workerLogs: (workerId: string) => send<WorkerLogsView>(`/hapi/v1/pod/${workerId}/logs`),
    /** The version of the gateway that answers, and whether Redis is there. */
    liveness: () => send<LivenessView>('/healthz'),
    /** What needs a person now. */
    notices: async () => (await send<NoticeListView>('/runyard/v1/notices')).notices,
    /** Posts a test to each receiver of notices. */
    testNotices: async () => (await send<NoticeTestListView>('/runyard/v1/notices/test', { method: 'POST' })).receivers,
    /** Billed and unbilled seconds of [from, to), both epoch ms. */
    usage: (asked: UsageRange) => send<UsageView>(`/runyard/v1/usage?${usageQuery(asked)}`),
    /** The same as CSV. */
    usageTable: (asked: UsageRange) => requestText(target, `/runyard/v1/usage?${usageQuery(asked)}&format=csv`, options),
    /** What an hour costs. */
    prices: () => send<PricesView>('/runyard/v1/prices'),
    /** Hosts with workers that wait for an endpoint, or that cannot start one. */
    standby: async () => (await send<StandbyView>('/runyard/v1/standby')).hosts,
    /** GraphQL's `data`. */
    graphql: async <T>(query: string, variables: Record<string, unknown> = {}) =>
      (await send<{ data: T }>('/graphql', { body: { query, variables } })).data,
  }
}

function createEndpointClient(send: Send) {
  return {
    listEndpoints: async () => (await send<EndpointListView>('/v2/serverless')).endpoints,
    /** Updates the one with the same name, if it exists; with `isNew` that is refused. @throws RunyardError('conflict') */
    createEndpoint: (body: EndpointBody, how?: { readonly isNew?: boolean }) => send<EndpointView>('/v2/serverless', { body, ...how }),
    updateEndpoint: (id: string, body: EndpointBody) => send<EndpointView>(`/v2/serverless/${id}`, { method: 'PATCH', body }),
    deleteEndpoint: (id: string) => send<void>(`/v2/serverless/${id}`, { method: 'DELETE' }),
    /** Retries a failed start now. */
    retryEndpoint: (id: string) => send<unknown>(`/runyard/v1/endpoints/${id}/retry`, { method: 'POST' }),
    /** Newest first. */
    listReleases: (id: string) => send<ReleaseListView>(`/v2/serverless/${id}/releases`),
    /** Saves an earlier release again; default: the one before the latest. */
    rollBack: (id: string, version?: number) =>
      send<EndpointView>(`/runyard/v1/endpoints/${id}/rollback`, { method: 'POST', body: version === undefined ? {} : { version } }),
    listWorkers: async (id: string) => (await send<WorkerListView>(`/v2/serverless/${id}/workers`)).workers,
    /** Oldest first; the latest 200 where nothing else is asked for. */
    listEvents: async (id: string, asked: { readonly limit?: number; readonly about?: EventSubject } = {}) =>
      (await send<EventListView>(`/v2/serverless/${id}/events?${toQuery({ ...asked })}`)).events,
  }
}

function createJobClient(send: Send, target: AnyTarget) {
  return {
    run: (id: string, body: JobBody) => send<JobView>(`/v2/${id}/run`, { body }),
    /** The gateway holds the request for at most `waitMs`, if given (client-api §5.2). */
    runsync: (id: string, body: JobBody, waitMs?: number) =>
      send<JobView>(`/v2/${id}/runsync${waitMs === undefined ? '' : `?wait=${waitMs}`}`, { body }),
    /** Submits a JSON text as its author wrote it. */
    submit: (id: string, text: string, { waitMs, idempotencyKey }: SubmitOptions) =>
      send<JobView>(`/v2/${id}/${waitMs === undefined ? 'run' : `runsync?wait=${waitMs}`}`, { text, idempotencyKey }),
    /** Posts a JSON text to an OpenAI route of the endpoint: its answer, or each event of an answer that streams. */
    openai: (id: string, path: string, options: { readonly text: string; readonly signal: AbortSignal }) =>
      callOpenai(target, `/v2/${id}/openai/v1/${path}`, options),
    status: (id: string, jobId: string) => send<JobView>(`/v2/${id}/status/${jobId}`),
    /** Waits at most `waitMs` for its end; else the job as it stands. */
    waitFor: (id: string, jobId: string, waitMs: number) => send<JobView>(`/v2/${id}/status-sync/${jobId}?wait=${waitMs}`),
    /** Runs a failed or timed-out job again. */
    retry: (id: string, jobId: string) => send<JobView>(`/v2/${id}/retry/${jobId}`, { method: 'POST' }),
    /** Cancels all waiting jobs; returns how many. */
    purge: async (id: string) => (await send<PurgeView>(`/v2/${id}/purge-queue`, { method: 'POST' })).removed,
    cancel: (id: string, jobId: string) => send<JobView>(`/v2/${id}/cancel/${jobId}`, { method: 'POST' }),
    /** The chunks that no earlier call has returned (client-api R5). */
    stream: (id: string, jobId: string) => send<StreamView>(`/v2/${id}/stream/${jobId}`),
    health: (id: string) => send<HealthView>(`/v2/${id}/health`),
    /** Waiting, running, ended, each newest first. */
    list: (id: string, limit: number) => send<JobPage>(`/v2/${id}/requests?limit=${limit}`),
    /** Newest first; at most 200. */
    batches: async (id: string): Promise<readonly BatchView[]> => (await send<BatchPage>(`/v2/${id}/batch?limit=200`)).batches,
  }
}

function createSessionClient(send: Send) {
  return {
    /** A key, or a one-time code of `runyard open`, becomes the session of this browser. */
    begin: (body: { readonly key: string } | { readonly code: string }) => send<void>('/runyard/v1/session', { body }),
    /** A one-time code that begins a session of this key: `/#c=CODE`. */
    createCode: () => send<SessionCodeView>('/runyard/v1/session/codes', { method: 'POST' }),
    /** The key of the session. */
    read: () => send<KeyView>('/runyard/v1/keys/current'),
    end: () => send<void>('/runyard/v1/session', { method: 'DELETE' }),
  }
}

function createWebhookClient(send: Send) {
  const secrets = '/runyard/v1/webhooks/secrets'
  return {
    /** The delivery log of an endpoint, newest first. */
    log: (id: string, limit = 100) => send<WebhookLogView>(`/v2/serverless/${id}/webhooks?limit=${limit}`),
    /** Retries a waiting or dropped event now. */
    redeliver: (id: string, eventId: string) => send<void>(`/v2/serverless/${id}/webhooks/${eventId}/redeliver`, { method: 'POST' }),
    /** The secrets that sign webhooks, newest first. */
    secrets: async () => (await send<WebhookSecretsView>(secrets)).secrets,
    rotateSecret: async () => (await send<WebhookSecretsView>(`${secrets}/rotate`, { method: 'POST' })).secrets,
  }
}

function createRegistryClient(send: Send) {
  return {
    list: async () => (await send<RegistryListView>('/v2/registries')).registries,
    add: (body: RegistryCredentials & { readonly name: string }) => send<RegistryView>('/v2/registries', { body }),
    replace: (id: string, body: RegistryCredentials) => send<RegistryView>(`/v2/registries/${id}`, { method: 'PATCH', body }),
    delete: (id: string) => send<void>(`/v2/registries/${id}`, { method: 'DELETE' }),
  }
}

function createSecretClient(send: Send) {
  const at = (name: string): string => `/runyard/v1/secrets/${encodeURIComponent(name)}`
  return {
    list: async () => (await send<SecretListView>('/runyard/v1/secrets')).secrets,
    /** Adds it, or gives the one of that name another value. */
    set: (name: string, body: { readonly value: string; readonly description?: string }) =>
      send<SecretView>(at(name), { method: 'PUT', body }),
    delete: (name: string) => send<void>(at(name), { method: 'DELETE' }),
  }
}

function createVolumeClient(send: Send) {
  return {
    list: async () => (await send<VolumeListView>('/runyard/v1/volumes')).volumes,
    /** A network volume. `size`: GB. */
    create: (body: { readonly name: string; readonly size: number }) => send<NetworkVolumeView>('/v2/network-volumes', { body }),
    /** Its data goes, too. */
    delete: ({ id, kind }: Pick<VolumeView, 'id' | 'kind'>) =>
      send<void>(`/v2/${kind === 'GLOBAL' ? 'global' : 'network'}-volumes/${id}`, { method: 'DELETE' }),
  }
}

function usageQuery({ from, to, by, idle }: UsageRange): string {
  const grouped = by === undefined ? {} : { by: by.join(',') }
  return new URLSearchParams({ ...isoRange(from, to), ...grouped, ...(idle === true && { idle: 'true' }) }).toString()
}

function isoRange(from: number, to: number | undefined): Record<string, string> {
  return { from: new Date(from).toISOString(), ...(to === undefined ? {} : { to: new Date(to).toISOString() }) }
}
