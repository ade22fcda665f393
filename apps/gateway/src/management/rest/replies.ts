// Endpoints and workers in REST v2's words (management §3.2, §3.3).
import { defined, isDraining, workerStatus, type CountedWorker } from '@runyard/core'
import type { Endpoint } from '@runyard/schema'
import { ONE_PAGE, type EndpointView, type WorkerListView, type WorkerView } from '@runyard/schema/api'
import type { ScalerStatus } from '@runyard/store'
import { CPU, GPU, gpuFields, PLACEMENT, SETTINGS, WORKERS } from '../endpoint-fields.ts'
import { CONTAINER } from '../template-fields.ts'

const JOB_URLS = {
  run: 'run',
  runSync: 'runsync',
  status: 'status/{job_id}',
  stream: 'stream/{job_id}',
  cancel: 'cancel/{job_id}',
  retry: 'retry/{job_id}',
  purgeQueue: 'purge-queue',
  health: 'health',
} as const

/** `origin` is how the client reached us, e.g. `http://127.0.0.1:8080`. */
export function endpointReply(endpoint: Endpoint, origin: string): EndpointView {
  const { spec, settings } = endpoint
  const { disk, ...container } = CONTAINER.v2.write(spec)
  return {
    id: endpoint.id,
    name: endpoint.name,
    type: endpoint.type,
    createdAt: new Date(endpoint.createdAt).toISOString(),
    ...container,
    ...(spec.diskGb === null ? {} : { disk }),
    ...PLACEMENT.v2.write(spec),
    gpu: spec.gpu === null ? null : GPU.v2.write(gpuFields(spec.gpu)),
    ...(spec.cpu === null ? {} : CPU.v2.write(spec.cpu)),
    workers: workersReply(endpoint),
    ...SETTINGS.v2.write(settings),
    requestUrls: requestUrls(endpoint, `${origin}/v2/${endpoint.id}`),
  }
}

/** idleTimeout is left out where it does not apply. */
function workersReply({ type, settings }: Endpoint): EndpointView['workers'] {
  const { idleTimeout, ...counts } = WORKERS.v2.write(settings)
  return type === 'QUEUE' && settings.scaling.type === 'REQUEST_COUNT' ? counts : { ...counts, idleTimeout }
}

function requestUrls({ type }: Endpoint, base: string): Record<string, string> {
  if (type === 'LOAD_BALANCER') return { base, health: `${base}/health` }
  return Object.fromEntries(Object.entries(JOB_URLS).map(([name, path]) => [name, `${base}/${path}`]))
}

export interface WorkerFacts {
  readonly endpoint: Endpoint
  readonly workers: readonly CountedWorker[]
  readonly status: ScalerStatus | undefined
  readonly now: number
}

/** So many of the workers without a place stand in the list, one row each. */
const MOST_UNPLACED = 100

/** Workers that are wanted but have no place yet stand in the list without one; the summary counts all of them. */
export function workerListReply({ endpoint, workers, status, now }: WorkerFacts): WorkerListView {
  const throttled = status?.throttled ?? 0
  const unhealthy = status?.unhealthy ?? 0
  const placed = workers.map((worker) => workerReply(worker, endpoint, now))
  const list = [...placed, ...unplacedReplies('THROTTLED', throttled, status), ...unplacedReplies('UNHEALTHY', unhealthy, status)]
  const count = (wanted: WorkerView['status']): number => placed.filter((worker) => worker.status === wanted).length
  return {
    workers: list,
    summary: {
      running: count('RUNNING'),
      idle: count('IDLE'),
      initializing: count('INITIALIZING'),
      throttled: count('THROTTLED') + throttled,
      unhealthy: count('UNHEALTHY') + unhealthy,
      total: placed.length + throttled + unhealthy,
    },
    endpointVersion: endpoint.version,
    pagination: ONE_PAGE,
  }
}

function unplacedReplies(status: 'THROTTLED' | 'UNHEALTHY', number: number, scaler: ScalerStatus | undefined): readonly WorkerView[] {
  const why = defined({
    message: scaler?.message,
    nextTryAt: scaler?.nextTryAt === undefined ? undefined : new Date(scaler.nextTryAt).toISOString(),
  })
  return Array.from({ length: Math.min(number, MOST_UNPLACED) }, (_, index) => ({
    ...unplacedReply(`${status.toLowerCase()}-${index + 1}`, status),
    ...why,
  }))
}

function workerReply({ record, leaseCount }: CountedWorker, endpoint: Endpoint, now: number): WorkerView {
  const startedAt = record.containerStartedAt
  return {
    id: record.id,
    status: workerStatus(record, leaseCount),
    isStale: record.specHash !== endpoint.specHash,
    version: record.endpointVersion,
    gpuCount: record.gpus.length,
    image: record.image,
    uptimeSeconds: startedAt === undefined ? null : Math.max(0, Math.floor((now - startedAt) / 1000)),
    gpuTypeId: record.gpus[0]?.name ?? null,
    dataCenterId: null,
    startedAt: startedAt === undefined ? null : new Date(startedAt).toISOString(),
    ...(isDraining(record) ? { isDraining: true } : {}),
  }
}

function unplacedReply(id: string, status: WorkerView['status']): WorkerView {
  return {
    id,
    status,
    isStale: false,
    version: null,
    gpuCount: 0,
    image: null,
    uptimeSeconds: null,
    gpuTypeId: null,
    dataCenterId: null,
    startedAt: null,
  }
}
