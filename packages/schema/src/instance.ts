// The identity of an installation, stored in Redis and in each of its data directories.
import { z } from 'zod'

export const Instance = z.object({
  /** The label of everything that this installation creates on an engine. */
  id: z.string().min(1),
  /** Signs worker tokens (HMAC-SHA256 over `endpointId/workerId`). */
  workerSecret: z.string().min(1),
})
export type Instance = z.infer<typeof Instance>
