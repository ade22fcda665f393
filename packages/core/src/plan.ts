// One tick's decision (design §3 "One tick"): a snapshot and the time go in, actions come out. Nothing here fails, waits or remembers;
// applying a plan and planning again yields nothing new.
import type { Action, EndpointStatus, EndpointView, HostView, Observed, Plan } from './observed.ts'
import { createPlanBuilder, type PlanBuilder } from './plan-builder.ts'
import { planGrowth } from './plan-growth.ts'
import { planJobs } from './plan-jobs.ts'
import { planWorkers } from './plan-workers.ts'
import type { Holding } from './placement.ts'
import { cutToFit } from './retention.ts'
import { viewWorkers } from './worker-view.ts'

export function plan(observed: Observed, now: number): Plan {
  const builder = createPlanBuilder(observed, now)
  const statuses = new Map<string, EndpointStatus>()
  const holdings = allHoldings(observed)
  const views = observed.endpoints.map((view) => ({ view, workers: viewWorkers(view, observed, now) }))
  const room = roomForResults(observed)
  for (const { view, workers } of views) {
    planWorkers(view, workers, builder)
    planJobs(view, room.get(view.endpointId) ?? Infinity, builder)
  }
  // Whose job has waited longest is placed first.
  for (const { view, workers } of views.toSorted((a, b) => waitingSince(a.view) - waitingSince(b.view))) {
    const { endpoint } = view
    if (endpoint !== undefined) statuses.set(view.endpointId, planGrowth({ endpoint, view, workers, holdings }, builder))
    else if (view.workers.length === 0) builder.add({ kind: 'forget-endpoint', endpointId: view.endpointId })
  }
  reap(observed, builder)
  return { actions: builder.actions, statuses, nextDueAt: builder.nextDueAt() }
}

function roomForResults({ endpoints, policy }: Observed): ReadonlyMap<string, number> {
  const kept = endpoints.map(({ endpointId, demand }) => ({ endpointId, keptBytes: demand.keptBytes }))
  return cutToFit(kept, policy.keepBytes)
}

function waitingSince(view: EndpointView): number {
  return view.demand.waitingNormal > 0 ? (view.demand.oldestWaitingAt ?? Infinity) : Infinity
}

/** By record and, for what no record knows, by container; a worker seen dead holds nothing. */
function allHoldings(observed: Observed): Holding[] {
  const containers = observed.hosts.flatMap((host) => (host.workers ?? []).map((worker) => ({ ...worker, hostId: host.hostId })))
  const dead = new Set(containers.filter((worker) => worker.state === 'exited').map((worker) => worker.workerId))
  const records = observed.endpoints.flatMap((view) => view.workers)
  const byRecord = records
    .filter((record) => !dead.has(record.id))
    .map((record) => ({
      hostId: record.hostId,
      gpuUuids: record.gpus.map((gpu) => gpu.uuid),
      cpus: record.cpus ?? 0,
      memoryBytes: record.memoryBytes ?? 0,
    }))
  const byContainer = containers
    .filter((worker) => worker.state !== 'exited' && worker.gpuUuids.length > 0)
    .map(({ hostId, gpuUuids }) => ({ hostId, gpuUuids, cpus: 0, memoryBytes: 0 }))
  return [...byRecord, ...byContainer]
}

/** Containers with our label that no record knows. */
function reap(observed: Observed, builder: PlanBuilder): void {
  const known = new Set(observed.endpoints.flatMap((view) => view.workers.map((record) => record.id)))
  for (const host of observed.hosts) {
    for (const action of reapOn(host, known)) builder.add(action)
  }
}

function reapOn(host: HostView, known: ReadonlySet<string>): readonly Action[] {
  return (host.workers ?? [])
    .filter((worker) => !known.has(worker.workerId))
    .map(({ workerId, endpointId }) => ({ kind: 'reap', workerId, endpointId, hostId: host.hostId }))
}
