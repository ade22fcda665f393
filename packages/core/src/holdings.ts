// What each worker holds on the hosts. It stays taken until the worker is known to be gone.
import type { EndpointSettings } from '@runyard/schema'
import type { Observed } from './observed.ts'
import type { Holding } from './placement.ts'

export interface WorkerHolding extends Holding {
  readonly workerId: string | undefined | null
}

/** From records and, for containers without a record, from the containers. A dead worker holds nothing. */
export function allHoldings(observed: Pick<Observed, 'hosts' | 'endpoints'>): WorkerHolding[] {
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
    .filter((worker) => worker.state !== 'exited')
    .map(({ workerId, hostId, gpuUuids }) => ({ workerId, hostId, gpuUuids, cpus: 0, memoryBytes: 0 }))
  const byOthers = observed.hosts.map(({ hostId, cardsOfOthers: gpuUuids }) => ({
    workerId: null,
    hostId,
    gpuUuids,
    cpus: 0,
    memoryBytes: 0,
  }))
  const inRelease = observed.hosts.flatMap(({ hostId, releasing: gpuUuids = [] }) =>
    gpuUuids.length === 0 ? [] : [{ workerId: undefined, hostId, gpuUuids, cpus: 0, memoryBytes: 0 }],
  )
  return [...byRecord, ...byContainer, ...byOthers, ...inRelease]
}

/** Per host, the worker that holds each GPU; null: a worker of another installation. */
export function claimsByHost(
  observed: Pick<Observed, 'hosts' | 'endpoints'>,
): ReadonlyMap<string, Readonly<Record<string, string | null>>> {
  const byHost = Map.groupBy(allHoldings(observed), ({ hostId }) => hostId)
  return new Map(
    [...byHost].map(([hostId, holdings]) => [
      hostId,
      Object.fromEntries(holdings.flatMap(({ gpuUuids, workerId }) => gpuUuids.map((uuid) => [uuid, workerId ?? null] as const))),
    ]),
  )
}

type Weighed = { readonly settings: Pick<EndpointSettings, 'priority'> }

/** The unit of shares: GPUs per priority (ADR 54). A worker without a GPU counts as one. */
export function shareOf(cards: number, { settings }: Weighed): number {
  return Math.max(1, cards) / (settings.priority ?? 1)
}
