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
import type { Operation, OperationKey, Operations } from './operation.ts'

const JOBS: Operations = {
  'POST /v2/:endpointId/run': {
    id: 'runJob',
    tag: 'jobs',
    summary: 'Submit a job',
    description: 'The header `Idempotency-Key` makes a repeated request answer with the job of the first one.',
    schema: { body: JobBody, response: { 200: JobView } },
  },
  'POST /v2/:endpointId/runsync': {
    id: 'runJobAndWait',
    tag: 'jobs',
    summary: 'Submit a job and wait for its end',
    description: 'Where the job takes longer than the wait, the reply is the job as it stands.',
    schema: { querystring: WaitQuery, body: JobBody, response: { 200: JobView } },
  },
  'GET /v2/:endpointId/status/:jobId': {
    id: 'getJob',
    tag: 'jobs',
    summary: 'Read a job',
    schema: { querystring: StatusQuery, response: { 200: JobView } },
  },
  'GET /v2/:endpointId/status-sync/:jobId': {
    id: 'waitForJob',
    tag: 'jobs',
    summary: 'Wait for the end of a job',
    schema: { querystring: WaitQuery, response: { 200: JobView } },
  },
  'GET /v2/:endpointId/stream/:jobId': {
    id: 'readJobStream',
    tag: 'jobs',
    summary: 'Read the chunks that a job has yielded since the last call',
    schema: { querystring: WaitQuery, response: { 200: StreamView } },
  },
  'POST /v2/:endpointId/cancel/:jobId': {
    id: 'cancelJob',
    tag: 'jobs',
    summary: 'Cancel a job',
    schema: { response: { 200: JobView } },
  },
  'POST /v2/:endpointId/retry/:jobId': {
    id: 'retryJob',
    tag: 'jobs',
    summary: 'Run a failed or timed-out job again',
    schema: { response: { 200: JobView } },
  },
  'POST /v2/:endpointId/purge-queue': {
    id: 'purgeQueue',
    tag: 'jobs',
    summary: 'Cancel all waiting jobs of an endpoint',
    schema: { response: { 200: PurgeView } },
  },
  'GET /v2/:endpointId/requests': {
    id: 'listJobs',
    tag: 'jobs',
    summary: 'List the jobs of an endpoint',
    schema: { querystring: PageQuery, response: { 200: JobPage } },
  },
  'GET /v2/:endpointId/health': {
    id: 'getHealth',
    tag: 'jobs',
    summary: 'Count the jobs and workers of an endpoint',
    schema: { response: { 200: HealthView } },
  },
  'GET /v2/:endpointId/metrics': {
    id: 'getEndpointMetrics',
    tag: 'jobs',
    summary: 'Count jobs and workers, and name the workers that are ready',
    schema: { response: { 200: EndpointMetricsView } },
  },
}

/** Go posts what others get. */
const POSTED = ['status/:jobId', 'status-sync/:jobId', 'stream/:jobId'].map((path) => `GET /v2/:endpointId/${path}` as const)

const BATCHES: Operations = {
  'POST /v2/:endpointId/batch': {
    id: 'createBatch',
    tag: 'batches',
    summary: 'Create a batch',
    schema: { body: z.array(JobBody), response: { 200: BatchCreatedView } },
  },
  'GET /v2/:endpointId/batch': {
    id: 'listBatches',
    tag: 'batches',
    summary: 'List the batches of an endpoint',
    schema: { querystring: PageQuery, response: { 200: BatchPage } },
  },
  'GET /v2/:endpointId/batch/:batchId': {
    id: 'getBatch',
    tag: 'batches',
    summary: 'Read a batch',
    schema: { response: { 200: BatchView } },
  },
  'PUT /v2/:endpointId/batch/:batchId': {
    id: 'renameBatch',
    tag: 'batches',
    summary: 'Name a batch',
    schema: { body: BatchNameBody, response: { 200: BatchView } },
  },
  'GET /v2/:endpointId/batch/:batchId/requests': {
    id: 'listBatchRequests',
    tag: 'batches',
    summary: 'List the requests of a batch',
    schema: { querystring: PageQuery, response: { 200: BatchRequestPage } },
  },
  'POST /v2/:endpointId/batch/:batchId/requests': {
    id: 'addBatchRequests',
    tag: 'batches',
    summary: 'Add requests to a draft',
    schema: { body: BatchRequestsBody, response: { 200: BatchView } },
  },
  'DELETE /v2/:endpointId/batch/:batchId/requests/:requestId': {
    id: 'dropBatchRequest',
    tag: 'batches',
    summary: 'Remove a request from a draft',
    schema: { response: { 200: BatchView } },
  },
  'POST /v2/:endpointId/batch/:batchId/finalize': {
    id: 'finalizeBatch',
    tag: 'batches',
    summary: 'Submit the requests of a batch as jobs',
    schema: { response: { 200: BatchView } },
  },
  'POST /v2/:endpointId/batch/:batchId/cancel': {
    id: 'cancelBatch',
    tag: 'batches',
    summary: 'Cancel a batch and its jobs that have not ended',
    schema: { response: { 200: BatchView } },
  },
}

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
