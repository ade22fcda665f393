// Who an installation is. It lies in Redis and in each data directory of the installation.
import { z } from 'zod'

export const Instance = z.object({
  /** Labels everything that this installation creates on an engine. */
  id: z.string().min(1),
  /** Signs worker tokens (HMAC-SHA256 over `endpointId/workerId`). */
  workerSecret: z.string().min(1),
})
export type Instance = z.infer<typeof Instance>
