// Hosts and what they offer. Inventory is a fact read from the host; nothing here is wished.
import { z } from 'zod'

export const Gpu = z.object({
  uuid: z.string(),
  /** The product name as nvidia-smi prints it, which equals Runpod's GPU type id (management §0.1.10). */
  name: z.string(),
  memoryBytes: z.number(),
  simulated: z.boolean(),
  /** False while nvidia-smi reports a fault that forbids its use; then `fault` says which. */
  healthy: z.boolean(),
  fault: z.string().optional(),
})
export type Gpu = z.infer<typeof Gpu>

export const HostInventory = z.object({
  hostId: z.string(),
  kind: z.enum(['docker', 'process']),
  cpuCount: z.int(),
  memoryBytes: z.number(),
  gpus: z.array(Gpu),
  /** Highest CUDA version of the driver, e.g. `12.8`; null without a driver. */
  cudaVersion: z.string().nullable(),
})
export type HostInventory = z.infer<typeof HostInventory>
