// What each worker holds on the hosts. It stays taken until the worker is known to be gone.
import type { EndpointSettings, HostSight } from '@runyard/schema'
import type { Observed } from './observed.ts'
import { budgetOn } from './gpu-budget.ts'
import type { Holding } from './placement.ts'

export interface WorkerHolding extends Holding {
  readonly workerId: string | undefined | null
}

/** From records and, for containers without a record, from the containers. A dead worker holds nothing. */
export function allHoldings(observed: Pick<Observed, 'hosts' | 'endpoints'>): WorkerHolding[] {
  const containers = observed.hosts.flatMap(({ hostId, workers = [] }) => workers.map((worker) => ({ worker, hostId })))
  const dead = new Set(containers.filter(({ worker }) => worker.state === 'exited').map(({ worker }) => worker.workerId))
  const records = observed.endpoints.flatMap((view) => view.workers)
  const byRecord = records
    .filter((record) => !dead.has(record.id))
    .map((record) => ({
      workerId: record.id,
      hostId: record.hostId,
      gpuUuids: record.gpus.map((gpu) => gpu.uuid),
      ...budgetOn(record.gpus),
      cpus: record.cpus ?? 0,
      memoryBytes: record.memoryBytes ?? 0,
    }))
  // A container does not say what its budget is; its record does.
  const recorded = new Set(byRecord.map(({ hostId, workerId }) => `${hostId} ${workerId}`))
  const byContainer = containers
    .filter(({ worker: { state, workerId }, hostId }) => state !== 'exited' && !recorded.has(`${hostId} ${workerId}`))
    .map(({ worker: { workerId, gpuUuids }, hostId }) => ({ workerId, hostId, gpuUuids, cpus: 0, memoryBytes: 0 }))
  const byOthers = observed.hosts.flatMap(({ hostId, cardsOfOthers: gpuUuids }) =>
    gpuUuids.length === 0 ? [] : [{ workerId: null, hostId, gpuUuids, cpus: 0, memoryBytes: 0 }],
  )
  const inRelease = observed.hosts.flatMap(({ hostId, releasing: gpuUuids = [] }) =>
    gpuUuids.length === 0 ? [] : [{ workerId: undefined, hostId, gpuUuids, cpus: 0, memoryBytes: 0 }],
  )
  return [...byRecord, ...byContainer, ...byOthers, ...inRelease]
}

/** Per host, the worker that holds each GPU; null: a worker of another installation. */
export function claimsByHost(all: readonly WorkerHolding[]): ReadonlyMap<string, Readonly<Record<string, string | null>>> {
  const byHost = Map.groupBy(all, ({ hostId }) => hostId)
  return new Map(
    [...byHost].map(([hostId, holdings]) => [
      hostId,
      Object.fromEntries(holdings.flatMap(({ gpuUuids, workerId }) => gpuUuids.map((uuid) => [uuid, workerId ?? null] as const))),
    ]),
  )
}

/** Per host, the GPUs that workers share: each worker with its budget. */
export function sharersByHost(all: readonly WorkerHolding[]): ReadonlyMap<string, NonNullable<HostSight['sharers']>> {
  const byHost = Map.groupBy(
    all.flatMap(({ hostId, workerId, gpuUuids: [uuid], budgetBytes: bytes }) =>
      uuid === undefined || bytes === undefined || typeof workerId !== 'string' ? [] : [{ hostId, uuid, sharer: { workerId, bytes } }],
    ),
    ({ hostId }) => hostId,
  )
  return new Map(
    [...byHost].map(([hostId, held]) => {
      const byCard = [...Map.groupBy(held, ({ uuid }) => uuid)]
      return [hostId, Object.fromEntries(byCard.map(([uuid, here]) => [uuid, here.map(({ sharer }) => sharer)]))]
    }),
  )
}

type Weighed = { readonly settings: Pick<EndpointSettings, 'priority'> }

/** The unit of shares: GPUs per priority (ADR 54), with parts of shared ones. A worker without a GPU counts as one. */
export function shareOf(cards: number, { settings }: Weighed): number {
  return (cards === 0 ? 1 : cards) / (settings.priority ?? 1)
}
