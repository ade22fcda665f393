// The pace of a release (ADR 62): which workers of an older version are replaced now, and which serve on until their turn, so that an endpoint with
// several ready workers keeps some while the new version is not proven. The gateway gives an old worker no job after a save until the scaler lets it
// serve on. Failure direction: without that mark the worker takes no job.
import type { Endpoint, Reason, WorkerRecord } from '@runyard/schema'
import { currentFailures, savedAt } from './backoff.ts'
import type { EndpointView } from './observed.ts'
import type { PlanBuilder } from './plan-builder.ts'
import { isServing } from './worker-facts.ts'
import type { WorkerView } from './worker-view.ts'

/** The worker is replaced by one of a newer version. */
export const REPLACED: ReadonlySet<Reason> = new Set<Reason>(['outdated', 'image_rebuilt'])

interface Rolling {
  readonly workers: readonly WorkerView[]
  readonly builder: PlanBuilder
}

export interface Turns {
  readonly now: readonly WorkerView[]
  readonly later: readonly WorkerView[]
}

/** `old`: the workers that are to be replaced, none of them retired yet. `workers`: all of the endpoint, these included. */
export function takeTurns(view: EndpointView, old: readonly WorkerView[], { workers, builder }: Rolling): Turns {
  // One that is not ready serves no job, so no capacity goes with it.
  const { ready = [], others = [] } = Object.groupBy(old, ({ record }) =>
    isServing(record) || servesOn(record, view) ? 'ready' : 'others',
  )
  const replaced = new Set(old)
  const rest = workers.filter((worker) => !replaced.has(worker) && worker.fate.kind !== 'dead')
  const most = placesFor(view, ready, { rest, builder })
  const inTurn = ready.toSorted((one, other) => one.leases.length + one.openRequests - (other.leases.length + other.openRequests))
  return { now: [...others, ...inTurn.slice(0, most)], later: inTurn.slice(most) }
}

function placesFor(
  view: EndpointView,
  ready: readonly WorkerView[],
  { rest, builder }: { readonly rest: readonly WorkerView[]; readonly builder: PlanBuilder },
): number {
  const { endpoint } = view
  if (endpoint === undefined) return ready.length
  const isBegun = ready.some(({ record }) => servesOn(record, view))
  // Each further turn waits until the turn before has brought a ready worker; a version whose starts fail gets no turn.
  if (isBegun && !rest.some(({ record }) => isServing(record))) return 0
  if (currentFailures(view.failures, endpoint, view.workers) !== undefined) return 0
  const underWay = rest.filter(({ record, phase }) => phase === 'starting' || REPLACED.has(record.retireReason ?? 'shutdown')).length
  const atOnce = Math.max(1, Math.ceil((endpoint.settings.workersMax * builder.observed.policy.replacePercent) / 100))
  return Math.max(0, atOnce - underWay)
}

/** It may take jobs although the endpoint was saved since it was placed. */
export function servesOn({ servesThrough }: WorkerRecord, { endpoint }: Pick<EndpointView, 'endpoint'>): boolean {
  return endpoint !== undefined && servesThrough === savedAt(endpoint)
}

/** Old workers wait for their turn, so a worker of the new version is wanted even where no job waits. */
export function isRolling({ endpoint, supply }: Release, workers: readonly WorkerView[], builder: PlanBuilder): boolean {
  const fresh = new Set(supply.map(({ record }) => record.id))
  const letServe = new Set(builder.actions.flatMap((action) => (action.kind === 'serve-on' ? [action.workerId] : [])))
  return workers.some(({ record }) => !fresh.has(record.id) && isWaiting(record, { endpoint, letServe }))
}

interface Release {
  readonly endpoint: Endpoint
  /** The workers of the new version. */
  readonly supply: readonly WorkerView[]
}

function isWaiting(record: WorkerRecord, { endpoint, letServe }: { endpoint: Endpoint; letServe: ReadonlySet<string> }): boolean {
  return letServe.has(record.id) || (isServing(record) && servesOn(record, { endpoint }))
}
