// The operations of REST v2 (management §3) and of what only Runyard has. Each route of the gateway takes its schema from here.
import { CatalogQuery, GpuTypeListView, GpuTypeView } from './catalog.ts'
import { CreateEndpointBody, EndpointListView, EndpointView, UpdateEndpointBody } from './endpoints.ts'
import { ExplainParams, ExplainView } from './explain.ts'
import type { Operations } from './operation.ts'
import { CreateRegistryBody, CredentialsBody, RegistryListView, RegistryView } from './registries.ts'
import { IdParams } from './shared.ts'
import { CreateTemplateBody, TemplateListView, TemplateView, UpdateTemplateBody } from './templates.ts'
import { UsageQuery, UsageView } from './usage.ts'
import { AttemptQuery, WebhookEventParams, WebhookLogView, WebhookSecretsView } from './webhooks.ts'
import { EventListView, EventQuery, LogEventView, LogParams, LogQuery, RetryView, WorkerListView } from './workers.ts'

const ENDPOINTS = {
  'GET /v2/serverless': {
    id: 'listEndpoints',
    tag: 'endpoints',
    summary: 'List endpoints, oldest first',
    schema: { response: { 200: EndpointListView } },
  },
  'POST /v2/serverless': {
    id: 'saveEndpoint',
    tag: 'endpoints',
    summary: 'Create an endpoint, or update the one of that name',
    description: '201: it is new. 200: it was there; the header `x-runyard-notice` says what has changed.',
    schema: { body: CreateEndpointBody, response: { 200: EndpointView, 201: EndpointView } },
  },
  'GET /v2/serverless/:id': {
    id: 'getEndpoint',
    tag: 'endpoints',
    summary: 'Read an endpoint',
    schema: { params: IdParams, response: { 200: EndpointView } },
  },
  'PATCH /v2/serverless/:id': {
    id: 'updateEndpoint',
    tag: 'endpoints',
    summary: 'Change an endpoint',
    description: 'A change of the container or its hardware replaces idle workers and drains busy ones.',
    schema: { params: IdParams, body: UpdateEndpointBody, response: { 200: EndpointView } },
  },
  'DELETE /v2/serverless/:id': {
    id: 'deleteEndpoint',
    tag: 'endpoints',
    summary: 'Delete an endpoint',
    description: 'Its waiting and running jobs are cancelled and its workers stopped.',
    schema: { params: IdParams },
    other: { 204: null },
  },
  'POST /runyard/v1/endpoints/:id/retry': {
    id: 'retryEndpoint',
    tag: 'endpoints',
    summary: 'Try failed starts again now',
    description: 'Forgets failed starts, and replaces workers whose image was rebuilt under the same name.',
    schema: { params: IdParams, response: { 200: RetryView } },
  },
} as const satisfies Operations

const TEMPLATES = {
  'GET /v2/templates': {
    id: 'listTemplates',
    tag: 'templates',
    summary: 'List templates, oldest first',
    description: 'Without those that belong to one endpoint.',
    schema: { response: { 200: TemplateListView } },
  },
  'POST /v2/templates': {
    id: 'createTemplate',
    tag: 'templates',
    summary: 'Create a template',
    schema: { body: CreateTemplateBody, response: { 201: TemplateView } },
  },
  'GET /v2/templates/:id': {
    id: 'getTemplate',
    tag: 'templates',
    summary: 'Read a template',
    schema: { params: IdParams, response: { 200: TemplateView } },
  },
  'PATCH /v2/templates/:id': {
    id: 'updateTemplate',
    tag: 'templates',
    summary: 'Change a template',
    description: 'The endpoints that use it change with it.',
    schema: { params: IdParams, body: UpdateTemplateBody, response: { 200: TemplateView } },
  },
  'DELETE /v2/templates/:id': {
    id: 'deleteTemplate',
    tag: 'templates',
    summary: 'Delete a template that no endpoint uses',
    schema: { params: IdParams },
    other: { 204: null },
  },
} as const satisfies Operations

const REGISTRIES = {
  'GET /v2/registries': {
    id: 'listRegistries',
    tag: 'registries',
    summary: 'List registry credentials, oldest first',
    schema: { response: { 200: RegistryListView } },
  },
  'POST /v2/registries': {
    id: 'createRegistry',
    tag: 'registries',
    summary: 'Save registry credentials under a new name',
    schema: { body: CreateRegistryBody, response: { 201: RegistryView } },
  },
  'GET /v2/registries/:id': {
    id: 'getRegistry',
    tag: 'registries',
    summary: 'Read the name of registry credentials',
    schema: { params: IdParams, response: { 200: RegistryView } },
  },
  'PATCH /v2/registries/:id': {
    id: 'replaceRegistry',
    tag: 'registries',
    summary: 'Replace the user and password',
    description: 'Workers whose image could not be pulled with the old ones start again at once.',
    schema: { params: IdParams, body: CredentialsBody, response: { 200: RegistryView } },
  },
  'DELETE /v2/registries/:id': {
    id: 'deleteRegistry',
    tag: 'registries',
    summary: 'Delete registry credentials that no endpoint uses',
    schema: { params: IdParams },
    other: { 204: null },
  },
} as const satisfies Operations

const WORKERS = {
  'GET /v2/serverless/:id/workers': {
    id: 'listWorkers',
    tag: 'workers',
    summary: 'List the workers of an endpoint',
    schema: { params: IdParams, response: { 200: WorkerListView } },
  },
  'GET /v2/serverless/:id/workers/:workerId/logs': {
    id: 'followWorkerLogs',
    tag: 'workers',
    summary: 'Follow the log of a worker',
    description: 'Server-sent events. A reader that sends the last id as `Last-Event-ID` goes on behind it.',
    schema: { params: LogParams, querystring: LogQuery },
    events: LogEventView,
  },
  'GET /v2/serverless/:id/events': {
    id: 'listEvents',
    tag: 'workers',
    summary: 'Read the history of an endpoint',
    schema: { params: IdParams, querystring: EventQuery, response: { 200: EventListView } },
  },
} as const satisfies Operations

const WEBHOOKS = {
  'GET /v2/serverless/:id/webhooks': {
    id: 'listWebhookDeliveries',
    tag: 'webhooks',
    summary: 'Read what became of the webhooks of an endpoint',
    schema: { params: IdParams, querystring: AttemptQuery, response: { 200: WebhookLogView } },
  },
  'POST /v2/serverless/:id/webhooks/:eventId/redeliver': {
    id: 'redeliverWebhook',
    tag: 'webhooks',
    summary: 'Deliver a waiting or dropped webhook now',
    schema: { params: WebhookEventParams },
    other: { 204: null },
  },
  'GET /runyard/v1/webhooks/secrets': {
    id: 'listWebhookSecrets',
    tag: 'webhooks',
    summary: 'Read the secrets that webhooks are signed with',
    schema: { response: { 200: WebhookSecretsView } },
  },
  'POST /runyard/v1/webhooks/secrets/rotate': {
    id: 'rotateWebhookSecret',
    tag: 'webhooks',
    summary: 'Make a new secret',
    description: 'The former one signs as well until the next rotation.',
    schema: { response: { 200: WebhookSecretsView } },
  },
} as const satisfies Operations

const FACTS = {
  'GET /v2/catalog/gpus': {
    id: 'listGpuTypes',
    tag: 'catalog',
    summary: 'List GPU types',
    schema: { querystring: CatalogQuery, response: { 200: GpuTypeListView } },
  },
  'GET /v2/catalog/gpus/:id': {
    id: 'getGpuType',
    tag: 'catalog',
    summary: 'Read a GPU type',
    schema: { params: IdParams, querystring: CatalogQuery, response: { 200: GpuTypeView } },
  },
  'GET /runyard/v1/explain/:id': {
    id: 'explain',
    tag: 'endpoints',
    summary: 'Why a job waits, or an endpoint has no further worker',
    description: 'What was tried, why each host and each GPU refuses, and what would change it.',
    schema: { params: ExplainParams, response: { 200: ExplainView } },
  },
  'GET /runyard/v1/usage': {
    id: 'getUsage',
    tag: 'usage',
    summary: 'Read the seconds of workers in a range',
    schema: { querystring: UsageQuery, response: { 200: UsageView } },
  },
} as const satisfies Operations

export const REST_OPERATIONS = { ...ENDPOINTS, ...TEMPLATES, ...REGISTRIES, ...WORKERS, ...WEBHOOKS, ...FACTS } as const
