// A worker's phase is derived from the facts in its record and never stored (ADR 4).
// Adding a phase must break the build in `projections.ts` and in `PHASE_MOVES`.
import type { WorkerPhase, WorkerRecord } from '@runyard/schema'
import { isDraining } from './worker-availability.ts'

/** All legal transitions. `gone` is final: a worker id is never reused. */
export const PHASE_MOVES = {
  starting: ['idle', 'busy', 'draining', 'gone'],
  idle: ['busy', 'draining', 'gone'],
  busy: ['idle', 'draining', 'gone'],
  draining: ['gone'],
  gone: [],
} as const satisfies Record<WorkerPhase, readonly WorkerPhase[]>

export function isLegalMove(from: WorkerPhase, to: WorkerPhase): boolean {
  return (PHASE_MOVES[from] as readonly WorkerPhase[]).includes(to)
}

/** `record`: undefined once the worker is known to be gone. `leaseCount`: jobs that it holds now. */
export function phaseOf(record: Pick<WorkerRecord, 'drainingSince' | 'readyAt'> | undefined, leaseCount: number): WorkerPhase {
  if (record === undefined) return 'gone'
  if (isDraining(record)) return 'draining'
  if (leaseCount > 0) return 'busy'
  return record.readyAt === undefined ? 'starting' : 'idle'
}

/** Since when a worker without jobs has been idle, epoch ms; undefined while it is not ready. */
export function idleSince(record: Pick<WorkerRecord, 'readyAt' | 'lastJobEndedAt'>): number | undefined {
  return record.readyAt === undefined ? undefined : Math.max(record.readyAt, record.lastJobEndedAt ?? 0)
}
