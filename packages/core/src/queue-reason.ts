// Why a job waits: one reason from the closed list, one sentence for the user, and what would change it. What each host and GPU said is in `explain`
// (ADR 54), which reads every worker; this is read with each `/status`.
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
  /** What would change it; undefined: only time. */
  readonly remedy: string | undefined
  /** Hosts or cards keep the next worker from starting: what they say helps more than the remedy. */
  readonly isForPlace: boolean
}

/** Only for reasons that somebody can change. */
const REMEDIES: Partial<Readonly<Record<Reason, string>>> = {
  paused: 'raise workersMax of the endpoint',
  low_priority: 'submit it without lowPriority',
  workers_busy: 'raise workersMax of the endpoint, or wait until a worker is free',
  no_host: 'start or repair a host (runyard hosts list)',
  hosts_closed: 'end the cordon or mend what keeps the hosts closed (runyard hosts list)',
  hosts_full: 'raise limits.workers of a host, or wait until a worker ends',
  no_container_host: 'add a Docker host',
  no_matching_gpu: 'ask for other GPU types, or add such a GPU',
  gpus_busy: 'wait for the turn of this endpoint, raise its priority, lower the minimum of another one, or add a GPU',
  not_enough_memory: 'ask for a smaller worker, or wait until a worker ends',
  not_enough_cpu: 'ask for a smaller worker, or wait until a worker ends',
  no_volume_host: 'make the host of the volume available, or give the endpoint another volume',
  image_missing: 'correct the name of the image, or load it onto the host',
  registry_refused: 'save credentials for the registry of the image',
  secret_missing: 'add the secret (runyard secrets set)',
  not_deployed: 'deploy the app to the environment (flash deploy, rp flash deploy)',
  no_python: 'deploy with --python-version of a Python that the hosts have, or install the one that is missing',
  no_runtime: 'install the runtime on a host (runyard doctor), or change the setting runtimes',
  key_limit: 'wait until a worker of the same API key ends, or raise its limit (runyard keys limit)',
  backing_off: 'mend the cause of the failed starts and save the endpoint again, which tries at once',
}

const NO_PLACE: ReadonlySet<Reason | undefined> = new Set<Reason>([
  'no_worker_yet',
  'no_host',
  'hosts_closed',
  'hosts_full',
  'no_container_host',
  'no_matching_gpu',
  'gpus_busy',
  'not_enough_memory',
  'not_enough_cpu',
  'no_volume_host',
  'no_python',
  'no_runtime',
])

export interface JobInQueue {
  readonly lowPriority: boolean
  /** How many jobs of its queue are before it; undefined: not known. */
  readonly ahead?: number | undefined
}

/** If several apply, the one that has to change first: no worker may start < low priority < none can start < all are busy. */
export function queueReason(seen: QueueView, job: JobInQueue): QueueReason {
  const found = findReason(seen, job)
  const bottleneck = bottleneckOf(seen, found)
  return { ...found, remedy: bottleneck === undefined ? undefined : REMEDIES[bottleneck], isForPlace: NO_PLACE.has(bottleneck) }
}

/** Below the maximum of workers, what keeps another one from starting is what has to change; if nothing does, one is about to start. */
function bottleneckOf({ settings, workers, shortfall }: QueueView, { reason }: Found): Reason | undefined {
  return reason === 'workers_busy' && workers.running < settings.workersMax ? shortfall?.reason : reason
}

type Found = Omit<QueueReason, 'remedy' | 'isForPlace'>

function findReason(seen: QueueView, job: JobInQueue): Found {
  const { idle, initializing, running } = seen.workers
  if (seen.settings.workersMax === 0) return plain('paused')
  if (job.lowPriority && (seen.demand.waitingNormal > 0 || idle + initializing + running === 0)) return lowPriority(seen)
  if (idle > 0) return free(seen, job)
  if (initializing > 0) return plain('worker_starting')
  if (running > 0) return busy(seen, job)
  return seen.shortfall ?? plain('no_worker_yet')
}

function plain(reason: Reason): Found {
  return { reason, message: REASONS[reason] }
}

/** One of the next jobs is about to start; the others wait although workers are free: each takes one at a time. */
function free({ demand, workers: { idle } }: QueueView, { ahead }: JobInQueue): Found {
  if ((ahead ?? demand.waiting - 1) < idle) return plain('about_to_start')
  const before = ahead === undefined ? jobsWait(demand.waiting) : describeAhead(ahead)
  return { reason: 'jobs_ahead', message: `${before}; ${idle} ${idle === 1 ? 'worker is' : 'workers are'} free` }
}

/** `412 jobs are before it in the queue`. */
function describeAhead(ahead: number): string {
  return `${ahead} ${ahead === 1 ? 'job is' : 'jobs are'} before it in the queue`
}

function lowPriority({ demand }: QueueView): Found {
  const ahead = demand.waitingNormal === 0 ? '' : `; ${jobsWait(demand.waitingNormal, 'normal ')}`
  return { reason: 'low_priority', message: REASONS.low_priority + ahead }
}

/** `1 job waits`, `2 normal jobs wait`. */
export function jobsWait(count: number, kind = ''): string {
  return `${count} ${kind}${count === 1 ? 'job waits' : 'jobs wait'}`
}

/** E.g. `every worker is busy with another job (3 of at most 3 workers; 12 jobs wait, 4 of them before it)`. */
function busy({ settings, demand, workers, shortfall }: QueueView, { ahead = 0 }: JobInQueue): Found {
  const before = ahead === 0 ? '' : `, ${ahead} of them before it`
  const facts = `${workers.running} of at most ${settings.workersMax} workers; ${jobsWait(demand.waiting)}${before}`
  const why = shortfall === undefined ? '' : `; another cannot start: ${shortfall.message}`
  return { reason: 'workers_busy', message: `${REASONS.workers_busy} (${facts})${why}` }
}
