// Why a host, or one GPU of it, takes no worker of an endpoint now (ADR 54): what `explain` shows.
import { z } from 'zod'

export const REFUSALS = [
  // of a host
  'unreachable',
  'unready',
  'cordoned',
  'resting',
  'no_python',
  'no_runtime',
  'full',
  'no_containers',
  'no_volume',
  'not_enough_memory',
  'not_enough_cpu',
  'not_enough_disk',
  'too_few_gpus',
  'no_sharing',
  // of a GPU
  'other_type',
  'reserved',
  'faulty',
  'memory_reserved',
  'old_driver',
  'too_small',
  'one_process',
  'held',
] as const

export const Refusal = z.object({
  reason: z.enum(REFUSALS),
  message: z.string().describe('One sentence.'),
  remedy: z.string().describe('What would change it.'),
})
export type Refusal = z.infer<typeof Refusal>

export const GpuVerdict = z.object({
  uuid: z.string(),
  name: z.string(),
  simulated: z.boolean(),
  refusal: Refusal.optional().describe('Absent: a worker can have it now.'),
})
export type GpuVerdict = z.infer<typeof GpuVerdict>

export const HostVerdict = z.object({
  hostId: z.string(),
  host: z.string().describe('The operator’s name for it.'),
  refusal: Refusal.optional().describe('Absent: a worker can start here now.'),
  gpus: z.array(GpuVerdict),
})
export type HostVerdict = z.infer<typeof HostVerdict>
