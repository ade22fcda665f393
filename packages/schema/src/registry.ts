// Credentials of an image registry under a name of their own, so that templates and endpoints can refer to them (management §2.4). The
// user's name and password leave the store for one purpose, a pull; no answer, log, label or environment has them.
import { z } from 'zod'

export const Registry = z.object({
  id: z.string(),
  /** Unique per owner. */
  name: z.string(),
  ownerId: z.string(),
  createdAt: z.number(),
  /** When the credentials were given last. */
  updatedAt: z.number(),
})
export type Registry = z.infer<typeof Registry>

export const RegistryCredentials = z.object({ username: z.string(), password: z.string() })
export type RegistryCredentials = z.infer<typeof RegistryCredentials>

/** As it is kept, with its secrets. */
export const StoredRegistry = Registry.extend(RegistryCredentials.shape)
export type StoredRegistry = z.infer<typeof StoredRegistry>
