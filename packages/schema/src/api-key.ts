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

/** Owner of the key of a data directory, and of keys for which no other is named. */
export const OPERATOR_OWNER = 'owner'

/** What a key may do with what its owner has (ADR 81). */
export const KEY_SCOPES = ['admin', 'operate', 'run', 'view', 'metrics'] as const
export type KeyScope = (typeof KEY_SCOPES)[number]
export const KeyScopes = z.array(z.enum(KEY_SCOPES))

export const ApiKey = z.object({
  id: z.string(),
  /** What it is for. */
  name: z.string(),
  ownerId: z.string(),
  /** Absent: `admin`, as all keys were before there were scopes. */
  scopes: KeyScopes.optional(),
  /** Id of the key that made it over the API, or that approved its login; absent: the operator made it. */
  madeBy: z.string().optional(),
  /** Epoch ms. */
  createdAt: z.number(),
  /** When it expires, epoch ms; absent: valid until revoked. */
  expiresAt: z.number().optional(),
  limits: KeyLimits.optional(),
})
export type ApiKey = z.infer<typeof ApiKey>

export const StoredApiKey = ApiKey.extend({ hash: z.string() })
export type StoredApiKey = z.infer<typeof StoredApiKey>

/** What a browser's session or a one-time code belongs to: a key with the secret that it had then, so that both end when the key is rotated. */
export const SessionBinding = z.object({ keyId: z.string(), keyHash: z.string() })
export type SessionBinding = z.infer<typeof SessionBinding>

/** Of a client that asks for an API key (ADR 68), in the clients' words (flash-api §1.2). */
export const LOGIN_STATES = ['PENDING', 'APPROVED', 'DENIED', 'CONSUMED', 'EXPIRED'] as const
export type LoginState = (typeof LOGIN_STATES)[number]

export const LoginRequest = z.object({
  /** Random: with it and without a key the new key is fetched. */
  id: z.string(),
  /** EXPIRED is never stored: it follows from the time. */
  state: z.enum(LOGIN_STATES),
  createdAt: z.number(),
  expiresAt: z.number(),
  /** Who asks, for the reader of the page. */
  address: z.string(),
  client: z.string(),
  /** Of the key that approved. */
  ownerId: z.string().optional(),
  /** What the new key may do, and for how long: no more than the key that approved (ADR 81). */
  grant: ApiKey.pick({ scopes: true, expiresAt: true, limits: true, madeBy: true }).optional(),
})
export type LoginRequest = z.infer<typeof LoginRequest>
