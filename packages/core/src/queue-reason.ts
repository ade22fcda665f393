// Why a job waits: one reason from the closed list and one sentence for the user.
import { REASONS, type EndpointSettings, type Reason } from '@runyard/schema'
import type { HealthCounters } from './projections.ts'
import type { Demand } from './scaling.ts'

export interface QueueView {
  readonly settings: Pick<EndpointSettings, 'workersMax'>
  readonly demand: Pick<Demand, 'waiting' | 'waitingNormal'>
  readonly workers: HealthCounters
  /** The scaler's latest report that a wanted worker cannot start. */
  readonly shortfall: { readonly reason: Reason; readonly message: string } | undefined
}

export interface QueueReason {
  readonly reason: Reason
  readonly message: string
}

/** If several apply, the one that has to change first: no worker may start < low priority < none can start < all are busy. */
export function queueReason(seen: QueueView, job: { readonly lowPriority: boolean }): QueueReason {
  const { idle, initializing, running } = seen.workers
  if (seen.settings.workersMax === 0) return plain('paused')
  if (job.lowPriority && (seen.demand.waitingNormal > 0 || idle + initializing + running === 0)) return lowPriority(seen)
  if (idle > 0) return plain('about_to_start')
  if (initializing > 0) return plain('worker_starting')
  if (running > 0) return busy(seen)
  return seen.shortfall ?? plain('no_worker_yet')
}

function plain(reason: Reason): QueueReason {
  return { reason, message: REASONS[reason] }
}

function lowPriority({ demand }: QueueView): QueueReason {
  const ahead = demand.waitingNormal === 0 ? '' : `; ${jobsWait(demand.waitingNormal, 'normal ')}`
  return { reason: 'low_priority', message: REASONS.low_priority + ahead }
}

/** `1 job waits`, `2 normal jobs wait`. */
export function jobsWait(count: number, kind = ''): string {
  return `${count} ${kind}${count === 1 ? 'job waits' : 'jobs wait'}`
}

/** E.g. `every worker is busy with another job (3 of at most 3 workers; 12 jobs wait)`. */
function busy({ settings, demand, workers, shortfall }: QueueView): QueueReason {
  const facts = `${workers.running} of at most ${settings.workersMax} workers; ${jobsWait(demand.waiting)}`
  const why = shortfall === undefined ? '' : `; another cannot start: ${shortfall.message}`
  return { reason: 'workers_busy', message: `${REASONS.workers_busy} (${facts})${why}` }
}
