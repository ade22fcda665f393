import { z } from 'zod'
import { GPU_POOL_IDS } from './wire-words.ts'

/** What an operator says about a GPU type; what is absent is as built in. */
export const GpuTypeConfig = z.strictObject({
  pool: z.enum(GPU_POOL_IDS).nullable().optional(),
  memoryGb: z.coerce.number().positive().optional(),
  displayName: z.string().min(1).optional(),
  maxCount: z.coerce.number().int().min(1).optional(),
})
export type GpuTypeConfig = z.infer<typeof GpuTypeConfig>
