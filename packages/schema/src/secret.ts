// Named values that environment variables of endpoints refer to as `{{ RUNPOD_SECRET_name }}` (sdk2-api §3.7). The value leaves the store only for
// the start of a worker; no response, log, event or label contains it.
import { z } from 'zod'

export const Secret = z.object({
  id: z.string(),
  /** Unique per owner. */
  name: z.string(),
  ownerId: z.string(),
  description: z.string(),
  createdAt: z.number(),
  /** When the value was last set. */
  updatedAt: z.number(),
})
export type Secret = z.infer<typeof Secret>

export const StoredSecret = Secret.extend({ value: z.string() })
export type StoredSecret = z.infer<typeof StoredSecret>
