// An API key as it is kept (ADR 38): the key itself is nowhere, only its SHA-256.
import { z } from 'zod'

export const ApiKey = z.object({
  id: z.string(),
  name: z.string(),
  ownerId: z.string(),
  /** Epoch ms. */
  createdAt: z.number(),
  /** Epoch ms from which on it is not valid; absent: it is valid until it is revoked. */
  expiresAt: z.number().optional(),
})
export type ApiKey = z.infer<typeof ApiKey>

export const StoredApiKey = ApiKey.extend({ hash: z.string() })
export type StoredApiKey = z.infer<typeof StoredApiKey>
