// Runpod's own words, exactly as on the wire. The types of these lists check every use.
import { z } from 'zod'

/** A job's status (client-api §4.4). */
export const JOB_STATUSES = ['IN_QUEUE', 'IN_PROGRESS', 'COMPLETED', 'FAILED', 'CANCELLED', 'TIMED_OUT'] as const
export const JobStatus = z.enum(JOB_STATUSES)
export type JobStatus = z.infer<typeof JobStatus>

export const TERMINAL_JOB_STATUSES = ['COMPLETED', 'FAILED', 'CANCELLED', 'TIMED_OUT'] as const
export const TerminalJobStatus = z.enum(TERMINAL_JOB_STATUSES)
export type TerminalJobStatus = z.infer<typeof TerminalJobStatus>

/** A batch's status (client-api §5.13); a batch never becomes FAILED. */
export const BATCH_STATUSES = ['DRAFT', 'FINALIZED', 'FAILED', 'CANCELLED'] as const
export type BatchStatus = (typeof BATCH_STATUSES)[number]

/** The six worker counters of `/health` (client-api §5.9). */
export const HEALTH_WORKER_STATES = ['idle', 'initializing', 'ready', 'running', 'throttled', 'unhealthy'] as const
export type HealthWorkerState = (typeof HEALTH_WORKER_STATES)[number]

/** A worker's billing state. `idle` is a place for a worker that could start without a pull and never has an interval. */
export const BILLING_STATES = ['initializing', 'idle', 'running', 'throttled', 'outdated', 'unhealthy'] as const
export const BillingState = z.enum(BILLING_STATES)
export type BillingState = z.infer<typeof BillingState>

/** REST v2's worker status (management §3.3). */
export const WORKER_STATUSES = ['RUNNING', 'IDLE', 'INITIALIZING', 'THROTTLED', 'UNHEALTHY'] as const
export const WorkerStatus = z.enum(WORKER_STATUSES)
export type WorkerStatus = z.infer<typeof WorkerStatus>

/** GPU pools (management §12). */
export const GPU_POOL_IDS = [
  'AMPERE_16',
  'AMPERE_24',
  'ADA_24',
  'ADA_32_PRO',
  'AMPERE_48',
  'ADA_48_PRO',
  'AMPERE_80',
  'ADA_80_PRO',
  'BLACKWELL_96',
  'HOPPER_141',
  'BLACKWELL_180',
] as const
export type GpuPool = (typeof GPU_POOL_IDS)[number]

export const FLASHBOOT_MODES = ['OFF', 'FLASHBOOT', 'PRIORITY_FLASHBOOT'] as const
export const ENDPOINT_TYPES = ['QUEUE', 'LOAD_BALANCER'] as const
