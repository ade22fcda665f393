// Our phases in Runpod's words: the `/health` counters and REST v2's worker status. Decides nothing; a wrong word here misleads a
// reader and never a plan. The ledger's states are not here: whoever moves a worker writes them (`store.ledger.transition`).
import type { HealthWorkerState, WorkerPhase, WorkerRecord, WorkerStatus } from '@runyard/schema'
import { phaseOf } from './phase.ts'

export interface CountedWorker {
  readonly record: WorkerRecord
  readonly leaseCount: number
}

/** Workers with the number of jobs that each holds; leases of other workers, or of none, count for nobody. */
export function countLeases(
  records: readonly WorkerRecord[],
  leases: readonly { readonly workerId?: string | undefined }[],
): readonly CountedWorker[] {
  const held = new Map<string | undefined, number>()
  for (const { workerId } of leases) held.set(workerId, (held.get(workerId) ?? 0) + 1)
  return records.map((record) => ({ record, leaseCount: held.get(record.id) ?? 0 }))
}

/** What the scaler last said of an endpoint: workers wanted but not there. */
export interface Shortfall {
  readonly throttled: number
  readonly unhealthy: number
}

export type HealthCounters = Readonly<Record<HealthWorkerState, number>>

/** The six ints of `/health` (client-api §5.9). `ready` equals `idle`; `running` are workers that hold a job, draining ones included. */
export function healthCounters(workers: readonly CountedWorker[], shortfall: Shortfall | undefined): HealthCounters {
  const statuses = workers.map(({ record, leaseCount }) => ({
    status: workerStatus(record, leaseCount),
    phase: phaseOf(record, leaseCount),
  }))
  const count = (status: WorkerStatus) => statuses.filter((worker) => worker.status === status && !isLeaving(worker)).length
  const idle = count('IDLE')
  return {
    idle,
    initializing: count('INITIALIZING'),
    ready: idle,
    running: count('RUNNING'),
    throttled: shortfall?.throttled ?? 0,
    unhealthy: count('UNHEALTHY') + (shortfall?.unhealthy ?? 0),
  }
}

/** A draining worker without a job takes none again: it is nobody's capacity. */
function isLeaving(worker: { status: WorkerStatus; phase: WorkerPhase }): boolean {
  return worker.phase === 'draining' && worker.status !== 'RUNNING'
}

/** REST v2's status of a worker without a job, by phase (management §3.3). */
const STATUS_WITHOUT_JOB = {
  starting: 'INITIALIZING',
  idle: 'IDLE',
  busy: 'RUNNING',
  draining: 'IDLE',
  gone: 'IDLE',
} as const satisfies Record<WorkerPhase, WorkerStatus>

/** REST v2's worker status (management §3.3). THROTTLED never stands here: a throttled worker has no record. */
export function workerStatus(record: WorkerRecord, leaseCount: number): WorkerStatus {
  if (record.unhealthyReason !== undefined) return 'UNHEALTHY'
  if (leaseCount > 0) return 'RUNNING'
  if (record.readyAt === undefined) return 'INITIALIZING'
  return STATUS_WITHOUT_JOB[phaseOf(record, leaseCount)]
}
