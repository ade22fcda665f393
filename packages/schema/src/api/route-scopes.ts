// Who may call each route and each root field of GraphQL (ADR 81): the one table. The gateway asks it for every request, the OpenAPI document shows it,
// and a test compares it with Fastify's own tables. A route that is missing here needs `admin`.
import type { KeyScope } from '../api-key.ts'

/** One of these scopes is needed; of the other words, a key of any scope or no key at all. */
export type NeededScope = readonly KeyScope[] | 'any key' | 'no key' | 'worker token' | 'signed URL' | 'task token'

const ADMIN = ['admin'] as const
const OPERATE = ['operate'] as const
const RUN = ['run'] as const
const VIEW = ['view'] as const
/** A key that runs jobs must find its endpoint and its jobs. */
const RUN_OR_VIEW = ['run', 'view'] as const

const PUBLIC: Readonly<Record<string, NeededScope>> = {
  'GET /healthz': 'no key',
  'GET /readyz': 'no key',
  'GET /openapi.json': 'no key',
  'GET /assets/*': 'no key',
  'GET /docs': 'no key',
  'GET /docs/:file': 'no key',
  'GET /flash/login': 'no key',
  'POST /flash/login': 'no key',
  'POST /runyard/v1/session': 'no key',
  'DELETE /runyard/v1/session': 'no key',
  'GET /metrics': ['metrics'],
  // Each root field has its own scope, below.
  'POST /graphql': 'any key',
  'PUT /runyard/v1/uploads/:upload': 'signed URL',
  'GET /t/:pod/*': 'task token',
  'POST /t/:pod/*': 'task token',
}

/** Of `/v2/:endpointId`; `/v1/:endpointId` means the same. */
const JOBS: Readonly<Record<string, NeededScope>> = {
  'POST run': RUN,
  'POST runsync': RUN,
  'GET status/:jobId': RUN_OR_VIEW,
  'POST status/:jobId': RUN_OR_VIEW,
  'GET status-sync/:jobId': RUN_OR_VIEW,
  'POST status-sync/:jobId': RUN_OR_VIEW,
  // Reading a stream takes its chunks away.
  'GET stream/:jobId': RUN,
  'POST stream/:jobId': RUN,
  'POST cancel/:jobId': RUN,
  'POST retry/:jobId': RUN,
  'POST purge-queue': OPERATE,
  'GET requests': RUN_OR_VIEW,
  'GET health': RUN_OR_VIEW,
  'GET metrics': RUN_OR_VIEW,
}

/** Of `/v2/:endpointId` alone. */
const BATCHES: Readonly<Record<string, NeededScope>> = {
  'POST batch': RUN,
  'GET batch': RUN_OR_VIEW,
  'GET batch/:batchId': RUN_OR_VIEW,
  'PUT batch/:batchId': RUN,
  'GET batch/:batchId/requests': RUN_OR_VIEW,
  'POST batch/:batchId/requests': RUN,
  'DELETE batch/:batchId/requests/:requestId': RUN,
  'POST batch/:batchId/finalize': RUN,
  'POST batch/:batchId/cancel': RUN,
}

const MANAGEMENT: Readonly<Record<string, NeededScope>> = {
  'GET /v2/serverless': RUN_OR_VIEW,
  'POST /v2/serverless': ADMIN,
  'GET /v2/serverless/:id': RUN_OR_VIEW,
  'PATCH /v2/serverless/:id': ADMIN,
  'DELETE /v2/serverless/:id': ADMIN,
  'GET /v2/serverless/:id/builds': VIEW,
  'GET /v2/serverless/:id/events': VIEW,
  'GET /v2/serverless/:id/releases': VIEW,
  'GET /v2/serverless/:id/webhooks': VIEW,
  'POST /v2/serverless/:id/webhooks/:eventId/redeliver': OPERATE,
  'GET /v2/serverless/:id/workers': VIEW,
  'GET /v2/serverless/:id/workers/:workerId/logs': VIEW,
  'GET /hapi/v1/pod/:workerId/logs': VIEW,
  'GET /v1/pod/:workerId/logs': VIEW,
  'POST /runyard/v1/endpoints/:id/retry': OPERATE,
  'POST /runyard/v1/endpoints/:id/rollback': OPERATE,
  'GET /runyard/v1/explain/:id': RUN_OR_VIEW,
  'GET /runyard/v1/usage': VIEW,
  'GET /runyard/v1/jobs': RUN_OR_VIEW,
  'GET /runyard/v1/jobs/:id': RUN_OR_VIEW,
  'GET /runyard/v1/jobs/:id/input': RUN_OR_VIEW,
  'GET /runyard/v1/jobs/:id/output': RUN_OR_VIEW,
  'POST /runyard/v1/jobs/bulk': OPERATE,
  'GET /runyard/v1/failures': VIEW,
  'GET /runyard/v1/pool': VIEW,
  'GET /runyard/v1/logs': VIEW,
  'GET /runyard/v1/live': VIEW,
  'GET /runyard/v1/timeline': VIEW,
  'GET /runyard/v1/series': VIEW,
  'GET /runyard/v1/workers': VIEW,
  'GET /runyard/v1/workers/:id': VIEW,
  'GET /runyard/v1/prices': VIEW,
  'GET /runyard/v1/standby': VIEW,
  'GET /runyard/v1/config': VIEW,
  'GET /runyard/v1/hosts': VIEW,
  'DELETE /runyard/v1/hosts/:id': ADMIN,
  'POST /runyard/v1/hosts/:id/gpus/:gpu/release': ADMIN,
  'PUT /runyard/v1/hosts/:id/cordon': ADMIN,
  'DELETE /runyard/v1/hosts/:id/cordon': ADMIN,
  'GET /runyard/v1/keys': ADMIN,
  'POST /runyard/v1/keys': ADMIN,
  'GET /runyard/v1/keys/current': 'any key',
  // Not for the key of a task, which may run only and has the id of the key that made the task.
  'POST /runyard/v1/session/codes': VIEW,
  'PATCH /runyard/v1/keys/:id': ADMIN,
  'DELETE /runyard/v1/keys/:id': ADMIN,
  'POST /runyard/v1/keys/:id/rotate': ADMIN,
  'GET /runyard/v1/notices': VIEW,
  'POST /runyard/v1/notices/test': ADMIN,
  'GET /runyard/v1/secrets': VIEW,
  'GET /runyard/v1/volumes': VIEW,
  'PUT /runyard/v1/secrets/:name': ADMIN,
  'DELETE /runyard/v1/secrets/:name': ADMIN,
  'GET /runyard/v1/webhooks/secrets': ADMIN,
  'POST /runyard/v1/webhooks/secrets/rotate': ADMIN,
  'GET /v2/account/ssh-keys': VIEW,
  'PUT /v2/account/ssh-keys': ADMIN,
  'GET /v2/pods': VIEW,
  'GET /v2/pods/:id': VIEW,
  'GET /v2/pods/:id/logs': VIEW,
  'DELETE /v2/pods/:id': ADMIN,
  'GET /v2/clusters': VIEW,
  'GET /v2/registries/delegations': VIEW,
  'GET /v2/catalog/gpus': RUN_OR_VIEW,
  'GET /v2/catalog/gpus/:id': RUN_OR_VIEW,
  'GET /v2/catalog/cpus': RUN_OR_VIEW,
  'GET /v2/catalog/cpus/:id': RUN_OR_VIEW,
  'GET /v2/catalog/datacenters': RUN_OR_VIEW,
  'GET /v2/catalog/datacenters/:id': RUN_OR_VIEW,
  'GET /v2/catalog/templates': RUN_OR_VIEW,
  'GET /v2/billing': VIEW,
  'GET /v2/billing/serverless': VIEW,
  'GET /v2/billing/pods': VIEW,
  'GET /v2/billing/endpoints': VIEW,
  'GET /v2/billing/network-volumes': VIEW,
  'GET /v2/billing/networkvolumes': VIEW,
  'GET /v2/billing/clusters': VIEW,
  'GET /v1/pods': VIEW,
  'GET /v1/billing/endpoints': VIEW,
  'GET /v1/billing/pods': VIEW,
  'GET /v1/billing/networkvolumes': VIEW,
  'GET /v1/endpoints': RUN_OR_VIEW,
  'GET /v1/endpoints/:id': RUN_OR_VIEW,
  ...saved('/v1/endpoints', ['POST', 'PATCH', 'UPDATE', 'DELETE']),
  ...resource('/v1/templates', ['POST', 'PATCH', 'UPDATE', 'DELETE']),
  ...resource('/v1/networkvolumes', ['POST', 'PATCH', 'UPDATE', 'DELETE']),
  ...resource('/v1/containerregistryauth', ['POST', 'DELETE']),
  ...resource('/v2/templates', ['POST', 'PATCH', 'DELETE']),
  ...resource('/v2/registries', ['POST', 'PATCH', 'DELETE']),
  ...resource('/v2/network-volumes', ['POST', 'PATCH', 'DELETE']),
  'GET /v2/global-volumes': VIEW,
  ...saved('/v2/global-volumes', ['POST', 'DELETE']),
}

type Change = 'POST' | 'PATCH' | 'UPDATE' | 'DELETE'

/** Reading needs `view`, a change `admin`. */
function resource(path: string, changes: readonly Change[]): Readonly<Record<string, NeededScope>> {
  return { [`GET ${path}`]: VIEW, [`GET ${path}/:id`]: VIEW, ...saved(path, changes) }
}

function saved(path: string, changes: readonly Change[]): Readonly<Record<string, NeededScope>> {
  const keys = { POST: `POST ${path}`, PATCH: `PATCH ${path}/:id`, UPDATE: `POST ${path}/:id/update`, DELETE: `DELETE ${path}/:id` }
  return Object.fromEntries(changes.map((change) => [keys[change], ADMIN]))
}

const LB_METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const
const WORKER_ROUTES = [
  'GET /v2/:endpointId/job-take/:workerId',
  'GET /v2/:endpointId/job-take-batch/:workerId',
  'GET /v2/:endpointId/job-stop/:workerId',
  'POST /v2/:endpointId/job-done/:workerId/:jobId',
  'POST /v2/:endpointId/job-stream/:workerId/:jobId',
  'GET /v2/:endpointId/ping/:workerId',
] as const

const below = (base: string, routes: typeof JOBS): Readonly<Record<string, NeededScope>> =>
  Object.fromEntries(Object.entries(routes).map(([key, needed]) => [key.replace(' ', ` ${base}/:endpointId/`), needed]))

/** By method and route, as Fastify writes them. */
export const ROUTE_SCOPES: Readonly<Record<string, NeededScope>> = {
  ...PUBLIC,
  ...below('/v2', { ...JOBS, ...BATCHES }),
  ...below('/v1', JOBS),
  ...MANAGEMENT,
  ...Object.fromEntries(
    Object.entries(MANAGEMENT)
      .filter(([key]) => key.includes(' /v1/') && !key.includes('/pod/'))
      .map(([key, needed]) => [key.replace(' /v1/', ' /rest/v1/'), needed]),
  ),
  ...Object.fromEntries(['GET', 'POST', 'PUT', 'PATCH', 'DELETE'].map((method) => [`${method} /v2/:endpointId/openai/*`, RUN])),
  ...Object.fromEntries(LB_METHODS.flatMap((method) => ['/lb/:endpointId', '/lb/:endpointId/*'].map((url) => [`${method} ${url}`, RUN]))),
  ...Object.fromEntries(WORKER_ROUTES.map((key) => [key, 'worker token'])),
}

/** Root fields of GraphQL, and those of `myself`. Any other needs `admin`, so each mutation and each field of an app does. */
export const FIELD_SCOPES: Readonly<Record<string, NeededScope>> = {
  'Query.myself': 'any key',
  'Query.gpuTypes': 'any key',
  'Query.cpuFlavors': 'any key',
  'Query.serverlessGpuPools': 'any key',
  'Query.dataCenters': 'any key',
  'Query.listings': 'any key',
  'Query.listing': 'any key',
  'Query.allAiApiPublicConfigs': 'any key',
  'Query.myModels': 'any key',
  'Query.flashAuthRequestStatus': 'any key',
  'Mutation.createFlashAuthRequest': 'any key',
  'Query.podTemplate': VIEW,
  'Query.podTemplates': VIEW,
  'User.endpoints': RUN_OR_VIEW,
  'User.endpoint': RUN_OR_VIEW,
  'User.pubKey': RUN_OR_VIEW,
  'User.networkVolumes': RUN_OR_VIEW,
  'User.globalStoreBuckets': RUN_OR_VIEW,
  'User.containerRegistryCreds': RUN_OR_VIEW,
  'User.secrets': RUN_OR_VIEW,
}

/** What a caller must have for a route. */
export function scopeOfRoute(method: string, url: string): NeededScope {
  const own = ROUTE_SCOPES[`${method} ${url}`]
  return own ?? (method === 'HEAD' ? scopeOfRoute('GET', url) : ADMIN)
}

export const scopeOfField = (type: string, field: string): NeededScope => FIELD_SCOPES[`${type}.${field}`] ?? ADMIN
