// Who holds what on the hosts, worker by worker: what a worker holds stays taken until it is seen gone.
import type { Observed } from './observed.ts'
import type { Holding } from './placement.ts'

export interface WorkerHolding extends Holding {
  /** undefined: started by this plan, or another installation's. */
  readonly workerId: string | undefined
}

/** By record and, for what no record knows, by container; a worker seen dead holds nothing. */
export function allHoldings(observed: Observed): WorkerHolding[] {
  const containers = observed.hosts.flatMap((host) => (host.workers ?? []).map((worker) => ({ ...worker, hostId: host.hostId })))
  const dead = new Set(containers.filter((worker) => worker.state === 'exited').map((worker) => worker.workerId))
  const records = observed.endpoints.flatMap((view) => view.workers)
  const byRecord = records
    .filter((record) => !dead.has(record.id))
    .map((record) => ({
      workerId: record.id,
      hostId: record.hostId,
      gpuUuids: record.gpus.map((gpu) => gpu.uuid),
      cpus: record.cpus ?? 0,
      memoryBytes: record.memoryBytes ?? 0,
    }))
  const byContainer = containers
    .filter((worker) => worker.state !== 'exited' && worker.gpuUuids.length > 0)
    .map(({ workerId, hostId, gpuUuids }) => ({ workerId, hostId, gpuUuids, cpus: 0, memoryBytes: 0 }))
  const byOthers = observed.hosts.map(({ hostId, cardsOfOthers: gpuUuids }) => ({
    workerId: undefined,
    hostId,
    gpuUuids,
    cpus: 0,
    memoryBytes: 0,
  }))
  return [...byRecord, ...byContainer, ...byOthers]
}

/** What shares are counted in: GPUs; a worker without one counts as one. */
export function shareOf({ gpus }: { readonly gpus: readonly unknown[] }): number {
  return Math.max(1, gpus.length)
}
