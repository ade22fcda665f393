// `/health` and the endpoint's own `/metrics` (client-api §5.9, §5.11): all eleven integers always, zero workers included. Where a wanted
// worker cannot start, `reason` and `message` say why.
import type { FastifyRequest } from 'fastify'
import { healthCounters, phaseOf } from '@runyard/core'
import type { EndpointMetricsView, HealthView } from '@runyard/schema/api'
import type { GatewayDeps } from '../parts/deps.ts'
import { readEndpointLoad, type EndpointLoad } from '../parts/endpoint-load.ts'
import { endpointOf } from './endpoint-of.ts'

type HealthDeps = Pick<GatewayDeps, 'store' | 'endpoints'>

export function createHealth(deps: HealthDeps) {
  return async (request: FastifyRequest): Promise<HealthView> => {
    const endpoint = endpointOf(request)
    return toHealthBody(await readEndpointLoad(deps.store, endpoint.id))
  }
}

export function createEndpointMetrics(deps: HealthDeps) {
  return async (request: FastifyRequest): Promise<EndpointMetricsView> => {
    const endpoint = endpointOf(request)
    const load = await readEndpointLoad(deps.store, endpoint.id)
    return { ...toHealthBody(load), readyWorkers: readyWorkersOf(load) }
  }
}

/** Workers whose output may be read: idle and busy ones. */
function readyWorkersOf(load: EndpointLoad): string[] {
  return load.workers
    .filter(({ record, leaseCount }) => ['idle', 'busy'].includes(phaseOf(record, leaseCount)))
    .map(({ record }) => record.id)
}

function toHealthBody({ stats, workers, scaler }: EndpointLoad): HealthView {
  return {
    jobs: {
      completed: stats.completed,
      failed: stats.failed,
      inProgress: stats.inProgress,
      inQueue: stats.waiting,
      retried: stats.retried,
    },
    workers: healthCounters(workers, scaler),
    ...(scaler?.reason === undefined ? {} : { reason: scaler.reason }),
    ...(scaler?.message === undefined ? {} : { message: scaler.message }),
    ...(scaler?.nextTryAt === undefined ? {} : { nextTryAt: new Date(scaler.nextTryAt).toISOString() }),
  }
}
