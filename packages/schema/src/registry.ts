// Named credentials of an image registry, so that templates and endpoints can refer to them (management §2.4). User and password leave the store
// only for a pull; no response, log, label or environment contains them.
import { z } from 'zod'

export const Registry = z.object({
  id: z.string(),
  /** Unique per owner. */
  name: z.string(),
  ownerId: z.string(),
  createdAt: z.number(),
  /** When the credentials were last set. */
  updatedAt: z.number(),
})
export type Registry = z.infer<typeof Registry>

export const RegistryCredentials = z.object({ username: z.string(), password: z.string() })
export type RegistryCredentials = z.infer<typeof RegistryCredentials>

export const StoredRegistry = Registry.extend(RegistryCredentials.shape)
export type StoredRegistry = z.infer<typeof StoredRegistry>
