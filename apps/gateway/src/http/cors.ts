// Lets web pages of the configured origins call the job plane, as the JS SDK in a browser does: its preflight asks for `authorization`,
// `content-type` and `user-agent` (client-api §3). Off by default: a page in the operator's browser must not find a gateway on loopback.
import cors from '@fastify/cors'
import type { FastifyInstance } from 'fastify'
import type { Config } from '@runyard/schema'

const PREFLIGHT_KEPT_S = 600

/** As a hook of the scope it runs before the guards of its routes: a preflight bears no key, and the page must be able to read a 401. */
export async function allowOrigins(app: FastifyInstance, { origins }: Config['cors']): Promise<void> {
  if (origins.length === 0) return
  await app.register(cors, {
    origin: origins.includes('*') ? '*' : [...origins],
    methods: ['GET', 'POST', 'PUT', 'DELETE'],
    exposedHeaders: ['retry-after', 'idempotency-replayed', 'x-request-id', 'x-should-retry'],
    maxAge: PREFLIGHT_KEPT_S,
  })
}
