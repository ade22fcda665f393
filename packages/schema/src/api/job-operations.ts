// The operations of the job plane (client-api §5). Fastify gets none of these schemas: inputs and outputs pass through unparsed (ADR 35).
import { z } from 'zod'
import {
  BatchCreatedView,
  BatchNameBody,
  BatchPage,
  BatchRequestPage,
  BatchRequestsBody,
  BatchView,
  EndpointMetricsView,
  HealthView,
  JobBody,
  JobPage,
  JobView,
  PageQuery,
  PurgeView,
  StatusQuery,
  StreamView,
  WaitQuery,
} from './jobs.ts'
import { tagged, type Operation, type OperationKey, type Operations } from './operation.ts'

const JOBS: Operations = tagged('jobs', {
  'POST /v2/:endpointId/run': {
    id: 'runJob',
    summary: 'Submit a job',
    description: 'The header `Idempotency-Key` makes a repeated request answer with the job of the first one.',
    body: JobBody,
    reply: JobView,
  },
  'POST /v2/:endpointId/runsync': {
    id: 'runJobAndWait',
    summary: 'Submit a job and wait for its end',
    description: 'Where the job takes longer than the wait, the reply is the job as it stands.',
    querystring: WaitQuery,
    body: JobBody,
    reply: JobView,
  },
  'GET /v2/:endpointId/status/:jobId': { id: 'getJob', summary: 'Read a job', querystring: StatusQuery, reply: JobView },
  'GET /v2/:endpointId/status-sync/:jobId': {
    id: 'waitForJob',
    summary: 'Wait for the end of a job',
    querystring: WaitQuery,
    reply: JobView,
  },
  'GET /v2/:endpointId/stream/:jobId': {
    id: 'readJobStream',
    summary: 'Read the chunks that a job has yielded since the last call',
    querystring: WaitQuery,
    reply: StreamView,
  },
  'POST /v2/:endpointId/cancel/:jobId': { id: 'cancelJob', summary: 'Cancel a job', reply: JobView },
  'POST /v2/:endpointId/retry/:jobId': { id: 'retryJob', summary: 'Run a failed or timed-out job again', reply: JobView },
  'POST /v2/:endpointId/purge-queue': { id: 'purgeQueue', summary: 'Cancel all waiting jobs of an endpoint', reply: PurgeView },
  'GET /v2/:endpointId/requests': { id: 'listJobs', summary: 'List the jobs of an endpoint', querystring: PageQuery, reply: JobPage },
  'GET /v2/:endpointId/health': { id: 'getHealth', summary: 'Count the jobs and workers of an endpoint', reply: HealthView },
  'GET /v2/:endpointId/metrics': {
    id: 'getEndpointMetrics',
    summary: 'Count jobs and workers, and name the workers that are ready',
    reply: EndpointMetricsView,
  },
})

/** Go posts what others get. */
const POSTED = ['status/:jobId', 'status-sync/:jobId', 'stream/:jobId'].map((path) => `GET /v2/:endpointId/${path}` as const)

const BATCHES: Operations = tagged('batches', {
  'POST /v2/:endpointId/batch': { id: 'createBatch', summary: 'Create a batch', body: z.array(JobBody), reply: BatchCreatedView },
  'GET /v2/:endpointId/batch': { id: 'listBatches', summary: 'List the batches of an endpoint', querystring: PageQuery, reply: BatchPage },
  'GET /v2/:endpointId/batch/:batchId': { id: 'getBatch', summary: 'Read a batch', reply: BatchView },
  'PUT /v2/:endpointId/batch/:batchId': { id: 'renameBatch', summary: 'Name a batch', body: BatchNameBody, reply: BatchView },
  'GET /v2/:endpointId/batch/:batchId/requests': {
    id: 'listBatchRequests',
    summary: 'List the requests of a batch',
    querystring: PageQuery,
    reply: BatchRequestPage,
  },
  'POST /v2/:endpointId/batch/:batchId/requests': {
    id: 'addBatchRequests',
    summary: 'Add requests to a draft',
    body: BatchRequestsBody,
    reply: BatchView,
  },
  'DELETE /v2/:endpointId/batch/:batchId/requests/:requestId': {
    id: 'dropBatchRequest',
    summary: 'Remove a request from a draft',
    reply: BatchView,
  },
  'POST /v2/:endpointId/batch/:batchId/finalize': {
    id: 'finalizeBatch',
    summary: 'Submit the requests of a batch as jobs',
    reply: BatchView,
  },
  'POST /v2/:endpointId/batch/:batchId/cancel': {
    id: 'cancelBatch',
    summary: 'Cancel a batch and its jobs that have not ended',
    reply: BatchView,
  },
})

/** The same operation at another place: `rename` turns its key into the key there. */
export function aliases(operations: Operations, suffix: string, rename: (key: string) => string): Operations {
  const entries = Object.entries<Operation>(operations).map(([key, operation]) => {
    const description = `The same as \`${key.replaceAll(/:(\w+)/gu, '{$1}')}\`.`
    return [rename(key), { ...operation, id: `${operation.id}${suffix}`, description }] as const
  })
  return Object.fromEntries(entries)
}

const posted = aliases(pick(JOBS, POSTED), 'ByPost', (key) => key.replace('GET', 'POST'))

export const JOB_OPERATIONS: Operations = {
  ...JOBS,
  ...posted,
  ...aliases({ ...JOBS, ...posted }, 'AtV1', (key) => key.replace('/v2/', '/v1/')),
  ...BATCHES,
}

function pick(operations: Operations, keys: readonly OperationKey[]): Operations {
  return Object.fromEntries(Object.entries<Operation>(operations).filter(([key]) => keys.some((wanted) => wanted === key)))
}
