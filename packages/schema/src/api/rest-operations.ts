// The operations of REST v2 (management §3) and of what only Runyard has. Each route of the gateway takes its schema from here.
import { ACCOUNT_OPERATIONS } from './account-operations.ts'
import {
  CatalogQuery,
  CpuFlavorListView,
  CpuFlavorView,
  DataCenterListView,
  DataCenterView,
  GpuTypeListView,
  GpuTypeView,
} from './catalog.ts'
import { CreateEndpointBody, EndpointListView, EndpointView, UpdateEndpointBody } from './endpoints.ts'
import { ExplainParams, ExplainView } from './explain.ts'
import { LIVE_OPERATIONS } from './live.ts'
import { tagged } from './operation.ts'
import { PodListView, PodView } from './pods.ts'
import { POOL_OPERATIONS } from './pool.ts'
import { HISTORY_OPERATIONS } from './history.ts'
import { NOTICE_OPERATIONS } from './notices.ts'
import { KEY_OPERATIONS } from './keys.ts'
import { CreateRegistryBody, CredentialsBody, NewRegistryView, RegistryListView, RegistryView } from './secrets.ts'
import { SecretBody, SecretListView, SecretParams, SecretView } from './secrets.ts'
import { IdParams } from './shared.ts'
import { CreateTemplateBody, TemplateListView, TemplateView, UpdateTemplateBody } from './templates.ts'
import { RELEASE_OPERATIONS } from './releases.ts'
import { SETTING_OPERATIONS } from './settings.ts'
import { USAGE_OPERATIONS } from './usage.ts'
import { VOLUME_OPERATIONS } from './volumes.ts'
import { AttemptQuery, WebhookEventParams, WebhookLogView, WebhookSecretsView } from './webhooks.ts'
import { EventListView, EventQuery, LogEventView, LogParams, LogQuery, RetryView, WorkerListView } from './workers.ts'

const ENDPOINTS = tagged('endpoints', {
  'GET /v2/serverless': { id: 'listEndpoints', summary: 'List endpoints, oldest first', reply: EndpointListView },
  'POST /v2/serverless': {
    id: 'saveEndpoint',
    summary: 'Create an endpoint, or update the one of that name',
    description:
      '201: it is new. 200: it was there; the header `x-runyard-notice` says what has changed. ' +
      'With `If-None-Match: *` an endpoint that is there is not changed: 409.',
    body: CreateEndpointBody,
    replies: { 200: EndpointView, 201: EndpointView },
  },
  'GET /v2/serverless/:id': { id: 'getEndpoint', summary: 'Read an endpoint', params: IdParams, reply: EndpointView },
  'PATCH /v2/serverless/:id': {
    id: 'updateEndpoint',
    summary: 'Change an endpoint',
    description: 'A change of the container or its hardware replaces idle workers and drains busy ones.',
    params: IdParams,
    body: UpdateEndpointBody,
    reply: EndpointView,
  },
  'DELETE /v2/serverless/:id': {
    id: 'deleteEndpoint',
    summary: 'Delete an endpoint',
    description: 'Its waiting and running jobs are cancelled and its workers stopped.',
    params: IdParams,
    other: { 204: null },
  },
  'POST /runyard/v1/endpoints/:id/retry': {
    id: 'retryEndpoint',
    summary: 'Try failed starts again now',
    description: 'Forgets failed starts, and replaces workers whose image was rebuilt under the same name.',
    params: IdParams,
    reply: RetryView,
  },
  'GET /runyard/v1/explain/:id': {
    id: 'explain',
    summary: 'Why a job waits, or an endpoint has no further worker',
    description: 'What was tried, why each host and each GPU refuses, and what would change it.',
    params: ExplainParams,
    reply: ExplainView,
  },
})

const TEMPLATES = tagged('templates', {
  'GET /v2/templates': {
    id: 'listTemplates',
    summary: 'List templates, oldest first',
    description: 'Without those that belong to one endpoint.',
    reply: TemplateListView,
  },
  'POST /v2/templates': { id: 'createTemplate', summary: 'Create a template', body: CreateTemplateBody, replies: { 201: TemplateView } },
  'GET /v2/templates/:id': { id: 'getTemplate', summary: 'Read a template', params: IdParams, reply: TemplateView },
  'PATCH /v2/templates/:id': {
    id: 'updateTemplate',
    summary: 'Change a template',
    description: 'The endpoints that use it change with it.',
    params: IdParams,
    body: UpdateTemplateBody,
    reply: TemplateView,
  },
  'DELETE /v2/templates/:id': {
    id: 'deleteTemplate',
    summary: 'Delete a template that no endpoint uses',
    params: IdParams,
    other: { 204: null },
  },
})

const REGISTRIES = tagged('registries', {
  'GET /v2/registries': { id: 'listRegistries', summary: 'List registry credentials, oldest first', reply: RegistryListView },
  'POST /v2/registries': {
    id: 'createRegistry',
    summary: 'Save registry credentials under a new name',
    body: CreateRegistryBody,
    replies: { 201: NewRegistryView },
  },
  'GET /v2/registries/:id': { id: 'getRegistry', summary: 'Read the name of registry credentials', params: IdParams, reply: RegistryView },
  'PATCH /v2/registries/:id': {
    id: 'replaceRegistry',
    summary: 'Replace the user and password',
    description: 'Workers whose image could not be pulled with the old ones start again at once.',
    params: IdParams,
    body: CredentialsBody,
    reply: RegistryView,
  },
  'DELETE /v2/registries/:id': {
    id: 'deleteRegistry',
    summary: 'Delete registry credentials that no endpoint uses',
    params: IdParams,
    other: { 204: null },
  },
})

const SECRETS = tagged('secrets', {
  'GET /runyard/v1/secrets': { id: 'listSecrets', summary: 'List secrets, oldest first', reply: SecretListView },
  'PUT /runyard/v1/secrets/:name': {
    id: 'setSecret',
    summary: 'Keep a value under a name',
    description: 'Workers that start from now on get it. Endpoints that could not start without it try again at once.',
    params: SecretParams,
    body: SecretBody,
    reply: SecretView,
  },
  'DELETE /runyard/v1/secrets/:name': { id: 'deleteSecret', summary: 'Forget a secret', params: SecretParams, other: { 204: null } },
})

const PODS = tagged('pods', {
  'GET /v2/pods': { id: 'listPods', summary: 'List the tasks of SDK 2 that run', reply: PodListView },
  'GET /v2/pods/:id': { id: 'getPod', summary: 'Read a task', params: IdParams, reply: PodView },
  'GET /v2/pods/:id/logs': {
    id: 'followPodLogs',
    summary: 'Follow the log of a task',
    description: 'As the log of a worker. It waits for the task’s worker to begin.',
    params: IdParams,
    querystring: LogQuery,
    events: LogEventView,
  },
  'DELETE /v2/pods/:id': { id: 'deletePod', summary: 'End a task', params: IdParams, other: { 204: null } },
})

const WORKERS = tagged('workers', {
  'GET /v2/serverless/:id/workers': {
    id: 'listWorkers',
    summary: 'List the workers of an endpoint',
    params: IdParams,
    reply: WorkerListView,
  },
  'GET /v2/serverless/:id/workers/:workerId/logs': {
    id: 'followWorkerLogs',
    summary: 'Follow the log of a worker',
    description: 'Server-sent events. A reader that sends the last id as `Last-Event-ID` goes on behind it.',
    params: LogParams,
    querystring: LogQuery,
    events: LogEventView,
  },
  'GET /v2/serverless/:id/events': {
    id: 'listEvents',
    summary: 'Read the history of an endpoint',
    params: IdParams,
    querystring: EventQuery,
    reply: EventListView,
  },
})

const WEBHOOKS = tagged('webhooks', {
  'GET /v2/serverless/:id/webhooks': {
    id: 'listWebhookDeliveries',
    summary: 'Read what became of the webhooks of an endpoint',
    params: IdParams,
    querystring: AttemptQuery,
    reply: WebhookLogView,
  },
  'POST /v2/serverless/:id/webhooks/:eventId/redeliver': {
    id: 'redeliverWebhook',
    summary: 'Deliver a waiting or dropped webhook now',
    params: WebhookEventParams,
    other: { 204: null },
  },
  'GET /runyard/v1/webhooks/secrets': {
    id: 'listWebhookSecrets',
    summary: 'Read the secrets that webhooks are signed with',
    reply: WebhookSecretsView,
  },
  'POST /runyard/v1/webhooks/secrets/rotate': {
    id: 'rotateWebhookSecret',
    summary: 'Make a new secret',
    description: 'The former one signs as well until the next rotation.',
    reply: WebhookSecretsView,
  },
})

const CATALOG = tagged('catalog', {
  'GET /v2/catalog/gpus': { id: 'listGpuTypes', summary: 'List GPU types', querystring: CatalogQuery, reply: GpuTypeListView },
  'GET /v2/catalog/gpus/:id': {
    id: 'getGpuType',
    summary: 'Read a GPU type',
    params: IdParams,
    querystring: CatalogQuery,
    reply: GpuTypeView,
  },
  'GET /v2/catalog/cpus': { id: 'listCpuFlavors', summary: 'List CPU flavors', querystring: CatalogQuery, reply: CpuFlavorListView },
  'GET /v2/catalog/cpus/:id': {
    id: 'getCpuFlavor',
    summary: 'Read a CPU flavor',
    params: IdParams,
    querystring: CatalogQuery,
    reply: CpuFlavorView,
  },
  'GET /v2/catalog/datacenters': {
    id: 'listDataCenters',
    summary: 'List the data centers that hosts are in',
    querystring: CatalogQuery,
    reply: DataCenterListView,
  },
  'GET /v2/catalog/datacenters/:id': {
    id: 'getDataCenter',
    summary: 'Read a data center',
    params: IdParams,
    querystring: CatalogQuery,
    reply: DataCenterView,
  },
})

export const REST_OPERATIONS = {
  ...ENDPOINTS,
  ...TEMPLATES,
  ...REGISTRIES,
  ...VOLUME_OPERATIONS,
  ...PODS,
  ...SECRETS,
  ...WORKERS,
  ...WEBHOOKS,
  ...CATALOG,
  ...KEY_OPERATIONS,
  ...NOTICE_OPERATIONS,
  ...HISTORY_OPERATIONS,
  ...POOL_OPERATIONS,
  ...LIVE_OPERATIONS,
  ...USAGE_OPERATIONS,
  ...SETTING_OPERATIONS,
  ...RELEASE_OPERATIONS,
  ...ACCOUNT_OPERATIONS,
}
