// The decision of one tick: a snapshot and the time go in, actions come out. It cannot fail, waits for nothing and keeps no state.
// Planning again after a plan was applied yields no further actions.
import { allHoldings } from './holdings.ts'
import { createKeyRoom } from './key-limits.ts'
import type { EndpointView, Observed, Plan } from './observed.ts'
import { createPlanBuilder, type PlanBuilder } from './plan-builder.ts'
import { startWanted, statusOf, wantOf } from './plan-growth.ts'
import { planJobs } from './plan-jobs.ts'
import { planWorkers } from './plan-workers.ts'
import { planRelease } from './release.ts'
import { cutToFit } from './retention.ts'
import { taskOver } from './tasks.ts'
import { locateWorkers, viewWorkers, type WorkerView } from './worker-view.ts'
import { planYields } from './yielding.ts'

export function plan(seen: Observed, now: number): Plan {
  const observed = locateWorkers(seen)
  const builder = createPlanBuilder(observed, now)
  const views = observed.endpoints.map((view) => ({ view, workers: viewWorkers(view, observed, now) }))
  const room = roomForResults(observed)
  for (const { view, workers } of views) {
    planTask(view, workers, builder)
    planRelease(view, builder)
    planWorkers(view, workers, builder)
    planJobs(view, room.get(view.endpointId) ?? Infinity, builder)
  }
  const wants = views.flatMap(({ view, workers }) =>
    view.endpoint === undefined ? [] : [wantOf({ endpoint: view.endpoint, view, workers }, builder)],
  )
  const holdings = allHoldings(observed)
  const keys = createKeyRoom(observed.keyLimits, wants)
  const taken = { holdings, kept: [], keys, stores: new Map<string, string>() }
  startWanted(wants, taken, builder)
  const coming = planYields(wants, taken, builder)
  for (const view of observed.endpoints) {
    if (view.endpoint === undefined && view.workers.length === 0) builder.add({ kind: 'forget-endpoint', endpointId: view.endpointId })
  }
  reap(observed, builder)
  const statuses = new Map(wants.map((want) => [want.endpoint.id as string, statusOf(want, coming.get(want) ?? 0)]))
  return { actions: builder.actions, statuses, nextDueAt: builder.nextDueAt() }
}

function planTask({ endpoint }: EndpointView, workers: readonly WorkerView[], builder: PlanBuilder): void {
  if (endpoint?.task === undefined) return
  builder.wakeAt(endpoint.task.until)
  const message = taskOver(endpoint, workers, builder.now)
  if (message !== undefined) builder.add({ kind: 'end-task', endpointId: endpoint.id, message })
}

function roomForResults({ endpoints, policy }: Observed): ReadonlyMap<string, number> {
  const kept = endpoints.map(({ endpointId, queue }) => ({ endpointId, keptBytes: queue.keptBytes }))
  return cutToFit(kept, policy.keepBytes)
}

/**
 * Removes our containers without a record after a grace period, because the record may still be on its way. If a record named the worker
 * earlier, the grace period is the time after which a silent worker counts as lost.
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
