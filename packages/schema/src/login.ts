// A client that asks for an API key, and what became of it (ADR 68). The states are the clients' words (flash-api §1.2).
import { z } from 'zod'
import { ApiKey } from './api-key.ts'

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
