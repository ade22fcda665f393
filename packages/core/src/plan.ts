// One tick's decision (design §3 "One tick"): a snapshot and the time go in, actions come out. Nothing here fails, waits or remembers;
// applying a plan and planning again yields nothing new.
import { allHoldings } from './holdings.ts'
import type { Action, HostView, Observed, Plan } from './observed.ts'
import { createPlanBuilder, type PlanBuilder } from './plan-builder.ts'
import { startWanted, statusOf, wantOf } from './plan-growth.ts'
import { planJobs } from './plan-jobs.ts'
import { planWorkers } from './plan-workers.ts'
import { cutToFit } from './retention.ts'
import { viewWorkers } from './worker-view.ts'
import { planYields } from './yielding.ts'

export function plan(observed: Observed, now: number): Plan {
  const builder = createPlanBuilder(observed, now)
  const views = observed.endpoints.map((view) => ({ view, workers: viewWorkers(view, observed, now) }))
  const room = roomForResults(observed)
  for (const { view, workers } of views) {
    planWorkers(view, workers, builder)
    planJobs(view, room.get(view.endpointId) ?? Infinity, builder)
  }
  const wants = views.flatMap(({ view, workers }) =>
    view.endpoint === undefined ? [] : [wantOf({ endpoint: view.endpoint, view, workers }, builder)],
  )
  const holdings = allHoldings(observed)
  startWanted(wants, holdings, builder)
  const coming = planYields(wants, holdings, builder)
  for (const view of observed.endpoints) {
    if (view.endpoint === undefined && view.workers.length === 0) builder.add({ kind: 'forget-endpoint', endpointId: view.endpointId })
  }
  reap(observed, builder)
  const statuses = new Map(wants.map((want) => [want.endpoint.id as string, statusOf(want, coming.get(want) ?? 0)]))
  return { actions: builder.actions, statuses, nextDueAt: builder.nextDueAt() }
}

function roomForResults({ endpoints, policy }: Observed): ReadonlyMap<string, number> {
  const kept = endpoints.map(({ endpointId, demand }) => ({ endpointId, keptBytes: demand.keptBytes }))
  return cutToFit(kept, policy.keepBytes)
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
