// A typed client of the public listener: management, our own extensions, and the job plane. For the CLI and tests; users' programs have
// their SDKs.
import { createHistoryClient, type HistoryClient } from './history-client.ts'
import { callOpenai, request, requestText, toQuery, type OpenaiAnswer, type RequestOptions, type Send, type AnyTarget } from './http.ts'
import {
  createHostClient,
  createKeyClient,
  createSettingClient,
  type HostClient,
  type KeyClient,
  type SettingClient,
} from './operator-client.ts'
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
  WorkerView,
} from '@runyard/schema/api'

export interface SubmitOptions {
  /** The gateway holds the request for at most so long; absent: it answers at once. */
  readonly waitMs?: number
  /** The same key names one job, however often the request is sent. */
  readonly idempotencyKey: string
}

export interface JobClient {
  run(endpointId: string, body: JobBody): Promise<JobView>
  /** The gateway holds the request for at most `waitMs`, if given (client-api §5.2). */
  runsync(endpointId: string, body: JobBody, waitMs?: number): Promise<JobView>
  /** Submits a JSON text as its author wrote it. */
  submit(endpointId: string, text: string, options: SubmitOptions): Promise<JobView>
  /** Posts a JSON text to an OpenAI route of the endpoint: its answer, or each event of an answer that streams. */
  openai(endpointId: string, path: string, options: { readonly text: string; readonly signal: AbortSignal }): AsyncGenerator<OpenaiAnswer>
  status(endpointId: string, jobId: string): Promise<JobView>
  /** Waits at most `waitMs` for its end; else the job as it stands. */
  waitFor(endpointId: string, jobId: string, waitMs: number): Promise<JobView>
  cancel(endpointId: string, jobId: string): Promise<JobView>
  /** Runs a failed or timed-out job again. */
  retry(endpointId: string, jobId: string): Promise<JobView>
  /** Cancels all waiting jobs; returns how many. */
  purge(endpointId: string): Promise<number>
  /** The chunks that no earlier call has returned (client-api R5). */
  stream(endpointId: string, jobId: string): Promise<StreamView>
  health(endpointId: string): Promise<HealthView>
  /** Waiting, running, ended, each newest first. */
  list(endpointId: string, limit: number): Promise<JobPage>
  /** Newest first; at most 200. */
  batches(endpointId: string): Promise<readonly BatchView[]>
}

export interface SessionClient {
  /** A key, or a one-time code of `runyard open`, becomes the session of this browser. */
  begin(credentials: { readonly key: string } | { readonly code: string }): Promise<void>
  /** A one-time code that begins a session of this key: `/#c=CODE`. */
  createCode(): Promise<SessionCodeView>
  /** The key of the session. */
  read(): Promise<KeyView>
  end(): Promise<void>
}

export interface WebhookClient {
  /** The delivery log of an endpoint, newest first. */
  log(endpointId: string, limit?: number): Promise<WebhookLogView>
  /** Retries a waiting or dropped event now. */
  redeliver(endpointId: string, eventId: string): Promise<void>
  /** The secrets that sign webhooks, newest first. */
  secrets(): Promise<readonly string[]>
  rotateSecret(): Promise<readonly string[]>
}

export interface RegistryClient {
  list(): Promise<readonly RegistryView[]>
  add(registry: RegistryCredentials & { readonly name: string }): Promise<RegistryView>
  replace(id: string, credentials: RegistryCredentials): Promise<RegistryView>
  delete(id: string): Promise<void>
}

export interface VolumeClient {
  list(): Promise<readonly VolumeView[]>
  /** A network volume. `size`: GB. */
  create(body: { readonly name: string; readonly size: number }): Promise<NetworkVolumeView>
  /** Its data goes, too. */
  delete(volume: Pick<VolumeView, 'id' | 'kind'>): Promise<void>
}

export interface SecretClient {
  list(): Promise<readonly SecretView[]>
  /** Adds it, or gives the one of that name another value. */
  set(name: string, body: { readonly value: string; readonly description?: string }): Promise<SecretView>
  delete(name: string): Promise<void>
}

export interface Client {
  readonly jobs: JobClient
  readonly history: HistoryClient
  readonly session: SessionClient
  readonly webhooks: WebhookClient
  readonly registries: RegistryClient
  readonly keys: KeyClient
  readonly settings: SettingClient
  readonly hosts: HostClient
  readonly secrets: SecretClient
  readonly volumes: VolumeClient
  listEndpoints(): Promise<readonly EndpointView[]>
  /** Updates the one with the same name, if it exists; with `isNew` that is refused. @throws RunyardError('conflict') */
  createEndpoint(body: EndpointBody, how?: { readonly isNew?: boolean }): Promise<EndpointView>
  /** The types that are known, with their pools. */
  gpuTypes(): Promise<GpuTypeListView['gpus']>
  listTemplates(): Promise<TemplateListView['templates']>
  updateEndpoint(id: string, change: EndpointBody): Promise<EndpointView>
  deleteEndpoint(id: string): Promise<void>
  /** Retries a failed start now. */
  retryEndpoint(id: string): Promise<void>
  /** Newest first. */
  listReleases(id: string): Promise<ReleaseListView>
  /** Saves an earlier release again; default: the one before the latest. */
  rollBack(id: string, version?: number): Promise<EndpointView>
  /** Why a job waits, or an endpoint has no further worker. `id`: of a job, or the id or name of an endpoint. */
  explain(id: string): Promise<ExplainView>
  listWorkers(endpointId: string): Promise<readonly WorkerView[]>
  /** Oldest first; the latest 200 where nothing else is asked for. */
  listEvents(endpointId: string, asked?: { readonly limit?: number; readonly about?: EventSubject }): Promise<EventListView['events']>
  /** The last lines of a worker, available until an hour after its end (flash-api §4.4). */
  workerLogs(workerId: string): Promise<WorkerLogsView>
  /** The version of the gateway that answers, and whether Redis is there. */
  liveness(): Promise<LivenessView>
  /** What needs a person now. */
  notices(): Promise<NoticeListView['notices']>
  /** Posts a test to each receiver of notices. */
  testNotices(): Promise<NoticeTestListView['receivers']>
  /** Billed and unbilled seconds of [from, to), both epoch ms. */
  usage(asked: UsageRange): Promise<UsageView>
  /** The same as CSV. */
  usageTable(asked: UsageRange): Promise<string>
  /** What an hour costs. */
  prices(): Promise<PricesView>
  /** Hosts with workers that wait for an endpoint, or that cannot start one. */
  standby(): Promise<StandbyView['hosts']>
  /** GraphQL's `data`. */
  graphql<T>(query: string, variables?: Record<string, unknown>): Promise<T>
}

export interface UsageRange {
  readonly from: number
  readonly to?: number
  /** Default: endpoint, GPU and state. */
  readonly by?: readonly UsageDimension[]
  /** Also how many billed seconds had no job. */
  readonly idle?: boolean
}

/** Every function throws RunyardError with one sentence. `signal` aborts all requests of the client. */
export function createClient(target: AnyTarget, options: Pick<RequestOptions, 'signal' | 'onAnswer'> = {}): Client {
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
    listEndpoints: async () => (await send<EndpointListView>('/v2/serverless')).endpoints,
    createEndpoint: (body, how) => send('/v2/serverless', { body, ...how }),
    gpuTypes: async () => (await send<GpuTypeListView>('/v2/catalog/gpus')).gpus,
    listTemplates: async () => (await send<TemplateListView>('/v2/templates')).templates,
    updateEndpoint: (id, body) => send(`/v2/serverless/${id}`, { method: 'PATCH', body }),
    deleteEndpoint: (id) => send(`/v2/serverless/${id}`, { method: 'DELETE' }),
    retryEndpoint: async (id) => void (await send(`/runyard/v1/endpoints/${id}/retry`, { method: 'POST' })),
    listReleases: (id) => send(`/v2/serverless/${id}/releases`),
    rollBack: (id, version) =>
      send(`/runyard/v1/endpoints/${id}/rollback`, { method: 'POST', body: version === undefined ? {} : { version } }),
    explain: (id) => send(`/runyard/v1/explain/${encodeURIComponent(id)}`),
    listWorkers: async (id) => (await send<WorkerListView>(`/v2/serverless/${id}/workers`)).workers,
    listEvents: async (id, asked = {}) => (await send<EventListView>(`/v2/serverless/${id}/events?${toQuery({ ...asked })}`)).events,
    workerLogs: (workerId) => send(`/hapi/v1/pod/${workerId}/logs`),
    liveness: () => send('/healthz'),
    notices: async () => (await send<NoticeListView>('/runyard/v1/notices')).notices,
    testNotices: async () => (await send<NoticeTestListView>('/runyard/v1/notices/test', { method: 'POST' })).receivers,
    usage: (asked) => send(`/runyard/v1/usage?${usageQuery(asked)}`),
    usageTable: (asked) => requestText(target, `/runyard/v1/usage?${usageQuery(asked)}&format=csv`, options),
    prices: () => send('/runyard/v1/prices'),
    standby: async () => (await send<StandbyView>('/runyard/v1/standby')).hosts,
    graphql: async <T>(query: string, variables: Record<string, unknown> = {}) =>
      (await send<{ data: T }>('/graphql', { body: { query, variables } })).data,
  }
}

function createJobClient(send: Send, target: AnyTarget): JobClient {
  return {
    run: (id, body) => send(`/v2/${id}/run`, { body }),
    runsync: (id, body, waitMs) => send(`/v2/${id}/runsync${waitMs === undefined ? '' : `?wait=${waitMs}`}`, { body }),
    submit: (id, text, { waitMs, idempotencyKey }) =>
      send(`/v2/${id}/${waitMs === undefined ? 'run' : `runsync?wait=${waitMs}`}`, { text, idempotencyKey }),
    openai: (id, path, options) => callOpenai(target, `/v2/${id}/openai/v1/${path}`, options),
    status: (id, jobId) => send(`/v2/${id}/status/${jobId}`),
    waitFor: (id, jobId, waitMs) => send(`/v2/${id}/status-sync/${jobId}?wait=${waitMs}`),
    retry: (id, jobId) => send(`/v2/${id}/retry/${jobId}`, { method: 'POST' }),
    purge: async (id) => (await send<PurgeView>(`/v2/${id}/purge-queue`, { method: 'POST' })).removed,
    cancel: (id, jobId) => send(`/v2/${id}/cancel/${jobId}`, { method: 'POST' }),
    stream: (id, jobId) => send(`/v2/${id}/stream/${jobId}`),
    health: (id) => send(`/v2/${id}/health`),
    list: (id, limit) => send(`/v2/${id}/requests?limit=${limit}`),
    batches: async (id) => (await send<BatchPage>(`/v2/${id}/batch?limit=200`)).batches,
  }
}

function createSessionClient(send: Send): SessionClient {
  return {
    begin: async (credentials) => void (await send('/runyard/v1/session', { body: credentials })),
    createCode: () => send('/runyard/v1/session/codes', { method: 'POST' }),
    read: () => send('/runyard/v1/keys/current'),
    end: async () => void (await send('/runyard/v1/session', { method: 'DELETE' })),
  }
}

function createWebhookClient(send: Send): WebhookClient {
  const secrets = '/runyard/v1/webhooks/secrets'
  return {
    log: (id, limit = 100) => send(`/v2/serverless/${id}/webhooks?limit=${limit}`),
    redeliver: (id, eventId) => send(`/v2/serverless/${id}/webhooks/${eventId}/redeliver`, { method: 'POST' }),
    secrets: async () => (await send<WebhookSecretsView>(secrets)).secrets,
    rotateSecret: async () => (await send<WebhookSecretsView>(`${secrets}/rotate`, { method: 'POST' })).secrets,
  }
}

function createRegistryClient(send: Send): RegistryClient {
  return {
    list: async () => (await send<RegistryListView>('/v2/registries')).registries,
    add: (body) => send('/v2/registries', { body }),
    replace: (id, body) => send(`/v2/registries/${id}`, { method: 'PATCH', body }),
    delete: (id) => send(`/v2/registries/${id}`, { method: 'DELETE' }),
  }
}

function createSecretClient(send: Send): SecretClient {
  const at = (name: string): string => `/runyard/v1/secrets/${encodeURIComponent(name)}`
  return {
    list: async () => (await send<SecretListView>('/runyard/v1/secrets')).secrets,
    set: (name, body) => send(at(name), { method: 'PUT', body }),
    delete: (name) => send(at(name), { method: 'DELETE' }),
  }
}

function createVolumeClient(send: Send): VolumeClient {
  return {
    list: async () => (await send<VolumeListView>('/runyard/v1/volumes')).volumes,
    create: (body) => send('/v2/network-volumes', { body }),
    delete: ({ id, kind }) => send(`/v2/${kind === 'GLOBAL' ? 'global' : 'network'}-volumes/${id}`, { method: 'DELETE' }),
  }
}

function usageQuery({ from, to, by, idle }: UsageRange): string {
  const grouped = by === undefined ? {} : { by: by.join(',') }
  return new URLSearchParams({ ...isoRange(from, to), ...grouped, ...(idle === true && { idle: 'true' }) }).toString()
}

function isoRange(from: number, to: number | undefined): Record<string, string> {
  return { from: new Date(from).toISOString(), ...(to === undefined ? {} : { to: new Date(to).toISOString() }) }
}
