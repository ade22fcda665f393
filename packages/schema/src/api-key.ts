// An API key as it is stored (ADR 38): only its SHA-256, never the key itself.
import { z } from 'zod'

export const ApiKey = z.object({
  id: z.string(),
  name: z.string(),
  ownerId: z.string(),
  /** Epoch ms. */
  createdAt: z.number(),
  /** When it expires, epoch ms; absent: valid until revoked. */
  expiresAt: z.number().optional(),
})
export type ApiKey = z.infer<typeof ApiKey>

export const StoredApiKey = ApiKey.extend({ hash: z.string() })
export type StoredApiKey = z.infer<typeof StoredApiKey>
