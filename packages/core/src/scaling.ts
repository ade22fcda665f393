// How many workers an endpoint wants (management §6.3): the first job starts one worker at once; while workers are busy and jobs wait, more
// start, up to the maximum. Starting workers count as supply. Placement decides whether they can be placed.
import type { Endpoint, EndpointSettings, Reason, WorkerPhase } from '@runyard/schema'

/** A worker that counts as supply; retiring and outdated workers do not. */
export interface SupplyWorker {
  readonly phase: WorkerPhase
  readonly idleSince: number | undefined
}

export interface Desired {
  /** Workers to have, between min and max. */
  readonly count: number
  readonly reason: Reason
  /** When to plan again if nothing else happens, epoch ms. */
  readonly dueAt: number
}

/** A queue that busy workers empty within this time does not justify another worker, which would have to load the model again. */
export const GROWTH_PATIENCE_MS = 500
/** If a job waits longer than this while a worker is idle, that worker will not take it: it is stuck or gone. */
export const IDLE_TAKES_WITHIN_MS = 3000

export interface SupplyAndDemand {
  readonly demand: Demand
  readonly workers: readonly SupplyWorker[]
}

export function desiredWorkers(
  endpoint: Pick<Endpoint, 'settings'> & Partial<Pick<Endpoint, 'type'>>,
  seen: SupplyAndDemand,
  now: number,
): Desired {
  const { workersMin, workersMax } = endpoint.settings
  const grown = endpoint.type === 'LOAD_BALANCER' ? growForRequests(endpoint.settings, seen) : grow(endpoint.settings, seen, now)
  const count = Math.min(workersMax, Math.max(workersMin, grown.count))
  return { ...grown, count, reason: grown.count < workersMin ? 'below_min' : grown.reason }
}

function grow(settings: EndpointSettings, seen: SupplyAndDemand, now: number): Desired {
  const { demand, workers } = seen
  const have = workers.length
  const oldest = demand.oldestWaitingAt ?? now
  if (demand.waitingNormal === 0) return { count: have, reason: 'below_min', dueAt: Infinity }
  if (have === 0) return { count: firstWorkers(settings, demand, now - oldest), reason: 'first_job', dueAt: Infinity }

  const takers = workers.filter((worker) => worker.phase === 'starting' || takesSoon(worker, oldest, now))
  const dueAt = nextStuckAt(workers, oldest, now)
  const uncovered = demand.waitingNormal - takers.length
  if (uncovered <= 0) return { count: have, reason: 'jobs_waiting', dueAt }

  const patienceMs = patience(settings, workers)
  if (now - oldest < patienceMs) return { count: have, reason: 'jobs_waiting', dueAt: Math.min(dueAt, oldest + patienceMs) }
  return { count: have + added(settings, seen, uncovered), reason: 'jobs_waiting', dueAt }
}

/**
 * A load-balanced endpoint (management §6.3) wants a worker for each `requestsPerWorker` requests that are open or wait: 3 workers for 9 requests at 4
 * each. It wants more if its rate needs more. It never wants fewer than it has: a worker without a request leaves by its idle timeout.
 */
function growForRequests(settings: EndpointSettings, { demand, workers }: SupplyAndDemand): Desired {
  const have = workers.length
  const inFlight = demand.waiting + (demand.open ?? 0)
  const count = Math.max(have, Math.ceil(inFlight / requestsPerWorker(settings.scaling)), workersForRate(settings, demand.perSecond))
  if (count === have && inFlight === 0) return { count, reason: 'below_min', dueAt: Infinity }
  return { count, reason: have === 0 ? 'first_job' : 'jobs_waiting', dueAt: Infinity }
}

/** Of its ready workers, an endpoint keeps so many even if they are idle: its minimum, and what its rate of requests needs. */
export function keptWorkers(settings: EndpointSettings, perSecond: number | undefined): number {
  return Math.max(settings.workersMin, workersForRate(settings, perSecond))
}

/** What the rate of requests needs, where the endpoint sets one: 7 per second at 2 per worker are 4 workers. */
function workersForRate({ requestsPerSecond = 0 }: Pick<EndpointSettings, 'requestsPerSecond'>, perSecond = 0): number {
  return requestsPerSecond === 0 ? 0 : Math.ceil(perSecond / requestsPerSecond)
}

/** REQUEST_COUNT is the only scaler of such endpoints; the value of another one is taken for the same (management §11). */
export function requestsPerWorker(scaling: EndpointSettings['scaling']): number {
  return Math.max(1, scaling.type === 'REQUEST_COUNT' ? scaling.requestCount : scaling.queueDelay)
}

function firstWorkers({ scaling }: EndpointSettings, demand: Demand, waitedMs: number): number {
  if (scaling.type === 'REQUEST_COUNT') return Math.ceil(demand.waitingNormal / scaling.requestCount)
  return waitedMs < scaling.queueDelay * 1000 ? 1 : demand.waitingNormal
}

function takesSoon(worker: SupplyWorker, oldestWaitingAt: number, now: number): boolean {
  if (worker.phase !== 'idle') return false
  return now < stuckAt(worker, oldestWaitingAt)
}

function stuckAt({ idleSince = 0 }: SupplyWorker, oldestWaitingAt: number): number {
  return Math.max(oldestWaitingAt, idleSince) + IDLE_TAKES_WITHIN_MS
}

function nextStuckAt(workers: readonly SupplyWorker[], oldestWaitingAt: number, now: number): number {
  const times = workers.filter((worker) => takesSoon(worker, oldestWaitingAt, now)).map((worker) => stuckAt(worker, oldestWaitingAt))
  return Math.min(Infinity, ...times)
}

/** QUEUE_DELAY limits the wait if all workers are still starting. If some are busy, the wait is short. */
function patience(settings: EndpointSettings, workers: readonly SupplyWorker[]): number {
  if (settings.scaling.type === 'REQUEST_COUNT') return 0
  const delayMs = settings.scaling.queueDelay * 1000
  return workers.some((worker) => worker.phase !== 'starting') ? Math.min(delayMs, GROWTH_PATIENCE_MS) : delayMs
}

function added(settings: EndpointSettings, { demand, workers }: SupplyAndDemand, uncovered: number): number {
  if (settings.scaling.type === 'QUEUE_DELAY') return uncovered
  // management §6.3: ceil((Q + P) / v), where each busy worker holds one job.
  const busy = workers.filter((worker) => worker.phase === 'busy').length
  return Math.max(0, Math.ceil((demand.waitingNormal + busy) / settings.scaling.requestCount) - workers.length)
}

/** For workers of an endpoint: the sum of its sources. */
export interface Demand {
  readonly waiting: number
  /** Without `lowPriority` jobs, which never start a worker (management §6.2). */
  readonly waitingNormal: number
  readonly oldestWaitingAt: number | undefined
  /** Requests that workers are answering; absent: none. */
  readonly open?: number
  /** Requests that begin, lately; absent: none. */
  readonly perSecond?: number
}

/** The queue, or the open requests of a load-balanced endpoint. */
export interface DemandSource extends Demand {
  readonly kind: 'queue' | 'requests'
}

export function demandFrom(sources: readonly DemandSource[]): Demand {
  const times = sources.flatMap(({ oldestWaitingAt }) => oldestWaitingAt ?? [])
  return {
    waiting: sources.reduce((sum, { waiting }) => sum + waiting, 0),
    waitingNormal: sources.reduce((sum, { waitingNormal }) => sum + waitingNormal, 0),
    oldestWaitingAt: times.length === 0 ? undefined : Math.min(...times),
    open: sources.reduce((sum, { open = 0 }) => sum + open, 0),
    perSecond: sources.reduce((sum, { perSecond = 0 }) => sum + perSecond, 0),
  }
}
