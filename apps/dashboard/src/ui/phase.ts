import type { WorkerLifeView } from '@runyard/schema/api'
import type { StatusKind } from './status.tsx'

/** A worker's phase as a mark. */
export const PHASE_KINDS = {
  starting: 'starting',
  idle: 'idle',
  busy: 'running',
  draining: 'throttled',
  gone: 'ended',
} as const satisfies Record<WorkerLifeView['phase'], StatusKind>
