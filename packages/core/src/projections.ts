// Maps phases to Runpod's vocabulary: the `/health` counters and REST v2's worker status. For display only: no plan depends on it. The
// ledger's states are not derived here; the process that changes a worker's state writes them (`store.ledger.transition`).
import type { HealthWorkerState, WorkerPhase, WorkerRecord, WorkerStatus } from '@runyard/schema'
import { phaseOf } from './worker-facts.ts'

export interface CountedWorker {
  readonly record: WorkerRecord
  readonly leaseCount: number
}

/** Workers with the number of jobs that each holds. Leases of other workers, or without a worker, are ignored. */
export function countLeases(
  records: readonly WorkerRecord[],
  leases: readonly { readonly workerId?: string | undefined }[],
): readonly CountedWorker[] {
  const held = new Map<string | undefined, number>()
  for (const { workerId } of leases) held.set(workerId, (held.get(workerId) ?? 0) + 1)
  return records.map((record) => ({ record, leaseCount: held.get(record.id) ?? 0 }))
}

/** The scaler's latest report on an endpoint: workers that are wanted but do not run. */
export interface Shortfall {
  readonly throttled: number
  readonly unhealthy: number
}

export type HealthCounters = Readonly<Record<HealthWorkerState, number>>

/** The six counters of `/health` (client-api §5.9). `ready` equals `idle`; `running` counts workers that hold a job, including draining ones. */
export function healthCounters(workers: readonly CountedWorker[], shortfall: Shortfall | undefined): HealthCounters {
  const statuses = workers.map(({ record, leaseCount }) => ({
    status: workerStatus(record, leaseCount),
    phase: phaseOf(record, leaseCount),
  }))
  const count = (status: WorkerStatus) => statuses.filter((worker) => worker.status === status && !isSpent(worker)).length
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

/** A draining worker without a job takes no further job, so it is no capacity. */
function isSpent(worker: { status: WorkerStatus; phase: WorkerPhase }): boolean {
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

/** REST v2's worker status (management §3.3). Never THROTTLED, because a throttled worker has no record. */
export function workerStatus(record: WorkerRecord, leaseCount: number): WorkerStatus {
  if (record.unhealthyReason !== undefined) return 'UNHEALTHY'
  if (leaseCount > 0) return 'RUNNING'
  if (record.readyAt === undefined) return 'INITIALIZING'
  return STATUS_WITHOUT_JOB[phaseOf(record, leaseCount)]
}
