// `/health` and the endpoint's own `/metrics` (client-api §5.9, §5.11): all eleven integers always, zero workers included; if a wanted worker cannot
// start, `reason` and `message` say why. Also why the jobs of an endpoint wait, read at most once a second and shared by all requests that ask.
import type { FastifyRequest } from 'fastify'
import { countStates, defined, healthCounters, phaseOf, queueReason, type QueueReason, type QueueView } from '@runyard/core'
import type { EndpointMetricsView, HealthView } from '@runyard/schema/api'
import { Reason, type Endpoint, type ImagePull } from '@runyard/schema'
import type { JobSummary } from '@runyard/store'
import type { GatewayDeps } from '../parts/deps.ts'
import { readEndpointLoad, type EndpointLoad } from '../parts/endpoint-load.ts'
import { endpointOf } from './endpoint-of.ts'

type HealthDeps = Pick<GatewayDeps, 'store' | 'endpoints'>

export function createHealth(deps: HealthDeps) {
  return async (request: FastifyRequest): Promise<HealthView> => {
    const endpoint = endpointOf(request)
    return healthOf(await readEndpointLoad(deps.store, endpoint.id))
  }
}

export function createEndpointMetrics(deps: HealthDeps) {
  return async (request: FastifyRequest): Promise<EndpointMetricsView> => {
    const endpoint = endpointOf(request)
    const load = await readEndpointLoad(deps.store, endpoint.id)
    return { ...healthOf(load), readyWorkers: readyWorkersOf(load) }
  }
}

/** Workers whose output may be read: idle and busy ones. */
function readyWorkersOf(load: EndpointLoad): string[] {
  return load.workers
    .filter(({ record, leaseCount }) => ['idle', 'busy'].includes(phaseOf(record, leaseCount)))
    .map(({ record }) => record.id)
}

export function healthOf({ stats, workers, scaler }: EndpointLoad): HealthView {
  return {
    jobs: {
      completed: stats.completed,
      failed: stats.failed,
      inProgress: stats.inProgress,
      inQueue: stats.waiting,
      retried: stats.retried,
    },
    workers: healthCounters(workers, scaler),
    states: countStates({ workers, missing: scaler }),
    ...(scaler?.reason === undefined ? {} : { reason: scaler.reason }),
    ...(scaler?.message === undefined ? {} : { message: scaler.message }),
    ...(scaler?.nextTryAt === undefined ? {} : { nextTryAt: new Date(scaler.nextTryAt).toISOString() }),
    ...(scaler?.pulls === undefined ? {} : { images: scaler.pulls.map(toImageView) }),
  }
}

function toImageView({ image, host, state, message, nextTryAt }: ImagePull): NonNullable<HealthView['images']>[number] {
  return defined({ image, host, state, message, nextTryAt: nextTryAt === undefined ? undefined : new Date(nextTryAt).toISOString() })
}

const MAX_AGE_MS = 1000
const MOST_ENDPOINTS = 1000

export type QueueReasons = (endpoint: Endpoint, job: Pick<JobSummary, 'lowPriority' | 'ahead'>) => Promise<QueueReason>

export function createQueueReasons({ store }: Pick<GatewayDeps, 'store'>): QueueReasons {
  const seen = new Map<string, { readonly at: number; readonly view: Promise<QueueView> }>()

  function look(endpoint: Endpoint): Promise<QueueView> {
    const known = seen.get(endpoint.id)
    if (known !== undefined && Date.now() - known.at < MAX_AGE_MS) return known.view
    const view = readView(store, endpoint)
    view.catch(() => seen.delete(endpoint.id))
    if (seen.size >= MOST_ENDPOINTS) seen.clear()
    seen.set(endpoint.id, { at: Date.now(), view })
    return view
  }

  return async (endpoint, { lowPriority = false, ahead }) => queueReason(await look(endpoint), { lowPriority, ahead })
}

async function readView(store: GatewayDeps['store'], { id, settings }: Endpoint): Promise<QueueView> {
  const { stats, workers, scaler } = await readEndpointLoad(store, id)
  const reason = Reason.safeParse(scaler?.reason).data
  return {
    settings,
    demand: stats,
    workers: healthCounters(workers, scaler),
    shortfall: reason === undefined ? undefined : { reason, message: scaler?.message ?? reason },
  }
}
