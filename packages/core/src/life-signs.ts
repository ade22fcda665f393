// What shows that a worker is alive. A worker of a queue reports to the worker plane with polls and pings. A worker that only serves requests need
// not report at all: only its host knows whether it lives, and its silence on the worker plane proves nothing.
import type { Endpoint, WorkerRecord } from '@runyard/schema'

export type LifeSigns = 'reports' | 'host'

export function lifeSignsOf({ type }: Pick<Endpoint, 'type'>): LifeSigns {
  return type === 'LOAD_BALANCER' ? 'host' : 'reports'
}

/** The latest sign of life on the worker plane, epoch ms; 0: none. */
export function heardAt({ readyAt = 0, lastSeenAt = 0 }: Pick<WorkerRecord, 'readyAt' | 'lastSeenAt'>): number {
  return Math.max(readyAt, lastSeenAt)
}
