// A worker as stored in Redis: only facts. Its phase is derived from them (core `phaseOf`) and never stored.
import { z } from 'zod'
import { Reason } from './reason.ts'

export const WORKER_PHASES = ['starting', 'idle', 'busy', 'draining', 'gone'] as const
export const WorkerPhase = z.enum(WORKER_PHASES)
export type WorkerPhase = z.infer<typeof WorkerPhase>

export const AttachedGpu = z.object({
  uuid: z.string(),
  name: z.string(),
  /** Its GPU pool, null for none; absent: of a card without a looked-up type. */
  pool: z.string().nullable().optional(),
  simulated: z.boolean(),
  /** How much of the memory that workers may have is its own (ADR 61); absent: it has the GPU alone. */
  part: z.object({ bytes: z.number(), ofBytes: z.number() }).optional(),
})
export type AttachedGpu = z.infer<typeof AttachedGpu>

export const WorkerRecord = z.object({
  id: z.string(),
  endpointId: z.string(),
  hostId: z.string(),
  specHash: z.string(),
  endpointVersion: z.int(),
  image: z.string(),
  /** The build of a deployed app that it runs. */
  buildId: z.string().optional(),
  gpus: z.array(AttachedGpu),
  /** Limits of a CPU worker, which count on its host until the worker is known to be gone; absent = none. */
  cpus: z.number().optional(),
  memoryBytes: z.number().optional(),
  /** Volumes that it has, in the order of its needs; absent: none. */
  volumeIds: z.array(z.string()).optional(),
  startReason: Reason,
  /** When the scaler placed it; all times epoch ms. */
  createdAt: z.number(),
  /** When its host had the image. */
  imageReadyAt: z.number().optional(),
  containerStartedAt: z.number().optional(),
  /** First take or ping seen by a gateway. */
  readyAt: z.number().optional(),
  lastSeenAt: z.number().optional(),
  /** When its first function started, if the job had waited for the worker's start: the end of that cold start. */
  firstEnteredAt: z.number().optional(),
  /** End of its latest job; together with `readyAt` this gives the start of its idle time. */
  lastJobEndedAt: z.number().optional(),
  sdkVersion: z.string().optional(),
  /** `RUNPOD_MAX_CONCURRENCY` of its environment, which its endpoint or its build sets; absent: neither does. */
  jobsAtOnce: z.int().optional(),
  /** When the save was that it serves jobs after, although it is of an older version: its turn to be replaced comes later. */
  servesThrough: z.number().optional(),
  outdatedSince: z.number().optional(),
  drainingSince: z.number().optional(),
  retireReason: Reason.optional(),
  /** The worker reported itself unhealthy (worker-api §11.2) or asked to be replaced (worker-api §11.4). */
  unhealthyReason: z.string().optional(),
  refreshRequested: z.boolean().optional(),
})
export type WorkerRecord = z.infer<typeof WorkerRecord>

/** How a worker ended; the evidence for a lost job's error text. */
export const WorkerExit = z.object({
  at: z.number(),
  exitCode: z.int().nullable(),
  oomKilled: z.boolean(),
  lastLogLines: z.array(z.string()),
})
export type WorkerExit = z.infer<typeof WorkerExit>

/** What the history keeps of a worker that is gone (ADR 79). */
export const WorkerLife = WorkerRecord.pick({
  id: true,
  endpointId: true,
  hostId: true,
  endpointVersion: true,
  image: true,
  buildId: true,
  gpus: true,
  startReason: true,
  createdAt: true,
  imageReadyAt: true,
  containerStartedAt: true,
  readyAt: true,
  firstEnteredAt: true,
  lastJobEndedAt: true,
  outdatedSince: true,
  drainingSince: true,
  jobsAtOnce: true,
}).extend({
  /** The operator's name of its host. */
  host: z.string(),
  endpointName: z.string().optional(),
  goneAt: z.number(),
  endReason: Reason,
  /** One sentence. */
  message: z.string(),
  exitCode: z.int().nullable().optional(),
  oomKilled: z.boolean().optional(),
})
export type WorkerLife = z.infer<typeof WorkerLife>
