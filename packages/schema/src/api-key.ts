// An API key as it is stored (ADR 38): only its SHA-256, never the key itself.
import { z } from 'zod'

/** A number, null for none, or absent: the default of the configuration (ADR 60). */
const limit = z.int().min(1).nullable().optional()

export const KeyLimits = z.object({
  /** Workers of the endpoints that it created, all together. */
  workers: limit,
  /** Jobs that it submitted to one endpoint and that wait or run. */
  queuedJobs: limit,
})
export type KeyLimits = z.infer<typeof KeyLimits>

export const ApiKey = z.object({
  id: z.string(),
  name: z.string(),
  ownerId: z.string(),
  /** Epoch ms. */
  createdAt: z.number(),
  /** When it expires, epoch ms; absent: valid until revoked. */
  expiresAt: z.number().optional(),
  limits: KeyLimits.optional(),
})
export type ApiKey = z.infer<typeof ApiKey>

export const StoredApiKey = ApiKey.extend({ hash: z.string() })
export type StoredApiKey = z.infer<typeof StoredApiKey>
