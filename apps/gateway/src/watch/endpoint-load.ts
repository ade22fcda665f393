// What an endpoint is doing at this moment, read once for `/health`, `/v2/{ep}/metrics` and Prometheus: its queue, its workers with their
// lease counts, and the scaler's last word on workers that are wanted but not there.
import type { CountedWorker } from '@runyard/core'
import type { QueueStats, ScalerStatus, Store } from '@runyard/store'

export interface EndpointLoad {
  readonly stats: QueueStats
  readonly workers: readonly CountedWorker[]
  readonly scaler: ScalerStatus | undefined
}

export async function readEndpointLoad(store: Store, endpointId: string): Promise<EndpointLoad> {
  const [stats, records, leases, scaler] = await Promise.all([
    store.jobs.stats(endpointId),
    store.workers.list(endpointId),
    store.jobs.leases(endpointId),
    store.status.get(endpointId),
  ])
  const held = new Map<string, number>()
  for (const { workerId } of leases) if (workerId !== undefined) held.set(workerId, (held.get(workerId) ?? 0) + 1)
  return { stats, scaler, workers: records.map((record) => ({ record, leaseCount: held.get(record.id) ?? 0 })) }
}
