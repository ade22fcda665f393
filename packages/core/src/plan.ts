// One tick's decision: a snapshot and the time go in, actions come out. Nothing here fails, waits or remembers;
// applying a plan and planning again yields nothing new.
import { allHoldings } from './holdings.ts'
import type { Observed, Plan } from './observed.ts'
import { createPlanBuilder, type PlanBuilder } from './plan-builder.ts'
import { startWanted, statusOf, wantOf } from './plan-growth.ts'
import { planJobs } from './plan-jobs.ts'
import { planWorkers } from './plan-workers.ts'
import { cutToFit } from './retention.ts'
import { locateWorkers, viewWorkers } from './worker-view.ts'
import { planYields } from './yielding.ts'

export function plan(seen: Observed, now: number): Plan {
  const observed = locateWorkers(seen)
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

/**
 * Workers of ours that no record names, after a grace: their record may be on its way. One whose record was there earlier gets the time after which
 * a silent worker is lost.
 */
function reap(observed: Observed, builder: PlanBuilder): void {
  const { reapGraceMs, heartbeatLostMs } = observed.policy
  const known = new Set(observed.endpoints.flatMap((view) => view.workers.map((record) => record.id)))
  for (const { hostId, workers = [] } of observed.hosts) {
    for (const { workerId, endpointId } of workers) {
      const stranger = observed.strangers.get(workerId)
      if (known.has(workerId) || stranger === undefined) continue
      const graceMs = stranger.wasKnown ? heartbeatLostMs : reapGraceMs
      if (builder.isDue(stranger.since + graceMs)) builder.add({ kind: 'reap', workerId, endpointId, hostId })
    }
  }
}
