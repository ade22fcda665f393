// The load of an endpoint now, read once for `/health`, `/v2/{ep}/metrics` and Prometheus: its queue, its workers with their lease counts, and the
// scaler's last report on workers that are wanted and missing.
import { countLeases, type CountedWorker } from '@runyard/core'
import type { QueueStats, ScalerStatus, Store } from '@runyard/store'

export interface EndpointLoad {
  readonly stats: QueueStats
  readonly workers: readonly CountedWorker[]
  readonly scaler: ScalerStatus | undefined
}

export async function readEndpointLoad(store: Store, endpointId: string): Promise<EndpointLoad> {
  const [stats, records, leases, scaler, requests] = await Promise.all([
    store.jobs.stats(endpointId),
    store.workers.list(endpointId),
    store.jobs.leases(endpointId),
    store.status.get(endpointId),
    store.requests.load(endpointId),
  ])
  const answering = [...requests.open].flatMap(([workerId, count]) => Array.from({ length: count }, () => ({ workerId })))
  const inProgress = stats.inProgress + answering.length
  return {
    stats: { ...stats, inProgress, waiting: stats.waiting + requests.held },
    scaler,
    workers: countLeases(records, [...leases, ...answering]),
  }
}
