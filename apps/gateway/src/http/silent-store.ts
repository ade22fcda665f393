// A Redis that hangs keeps its connection and answers nothing. Commands wait ten seconds for it (ADR 31), as a large value on a slow disk may take that
// long. Reads of operators get 503 after two seconds, if Redis does not even answer a ping.
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises'
import type { FastifyInstance, FastifyReply, FastifyRequest, onRequestHookHandler, RouteOptions } from 'fastify'
import { RunyardError } from '@runyard/schema'
import type { Store } from '@runyard/store'
import { whenClosed } from './answer.ts'

type Pingable = Pick<Store, 'isUp' | 'isAnswering'>

const READ_MS = 1500
const PING_MS = 500
const RETRY_AFTER_S = 2
const GRAPHQL = '/graphql'
export const STORE_IS_SILENT = 'Redis has not answered for two seconds.'

/** Whether Redis answers a ping within `waitMs`: one that is gone breaks its connection, one that hangs does not. */
export async function isStoreAnswering(store: Pingable, waitMs = PING_MS): Promise<boolean> {
  return store.isUp() && Promise.race([store.isAnswering(), hasPassed(waitMs).then(() => false)])
}

/** An answer that came while this process had no time is read before the time counts as over. */
async function hasPassed(ms: number): Promise<void> {
  await sleep(ms, undefined, { ref: false })
  await nextTurn()
}

/** For the reads of operators and of the page. Jobs and workers wait longer, since they lose more. Call it before any route. */
export function refuseReadsOfSilentStore(app: FastifyInstance, store: Pingable): void {
  const follow: onRequestHookHandler = (request, reply, next) => {
    const timer = setTimeout(() => void refuseIfSilent(store, request, reply), READ_MS)
    whenClosed(reply, () => clearTimeout(timer))
    next()
  }
  app.addHook('onRoute', (route) => {
    if (isRead(route)) route.onRequest = [follow, ...[route.onRequest ?? []].flat()]
  })
}

function isRead({ method, url }: RouteOptions): boolean {
  if (url === GRAPHQL) return true
  return [method].flat().includes('GET') && /^\/(?:runyard|rest)\/|^\/v2\/serverless|^\/v2\/[^/]+\/(?:health|metrics)$/u.test(url)
}

/** Every query of GraphQL is a POST. What was sent to Redis may yet take effect, so a mutation waits for its answer. */
function mayMutate({ routeOptions, body }: FastifyRequest): boolean {
  // A body that was not read has changed nothing.
  if (routeOptions.url !== GRAPHQL || body === undefined) return false
  const query = typeof body === 'object' && body !== null && 'query' in body ? body.query : undefined
  return typeof query !== 'string' || /\bmutation\b/.test(query)
}

async function refuseIfSilent(store: Pingable, request: FastifyRequest, reply: FastifyReply): Promise<void> {
  // The second is asked last: a body may arrive during the ping.
  if ((await isStoreAnswering(store)) || mayMutate(request)) return
  // A stream that has begun reports it itself.
  if (reply.sent || reply.raw.headersSent) return
  void reply.send(new RunyardError('store_unavailable', STORE_IS_SILENT, { retryAfterS: RETRY_AFTER_S }))
}
