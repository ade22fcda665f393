// Rate limits of the job plane, off by default (client-api §8.3): requests in a window of 10 s per key, endpoint and operation. Each
// gateway counts for itself: a count in Redis would cost every request a trip, and n gateways admit at most n times as much.
import rateLimit from '@fastify/rate-limit'
import type { FastifyInstance, FastifyRequest, onRequestAsyncHookHandler } from 'fastify'
import { RunyardError, type Config } from '@runyard/schema'
import { apiKeyOf } from './authenticate.ts'

const OPERATIONS = ['run', 'runsync', 'status', 'cancel', 'retry', 'purgeQueue', 'requests', 'health', 'openai'] as const
export type Operation = (typeof OPERATIONS)[number]
export type RateLimits = ReadonlyMap<Operation, onRequestAsyncHookHandler>

const WINDOW_MS = 10_000
/** Counters kept at once; the least recently used are forgotten. */
const MOST_COUNTERS = 50_000

/** Client-api §8.3, first column. What is not named there has no limit. */
const RUNPOD: Partial<Record<Operation, number>> = {
  run: 1000,
  runsync: 2000,
  status: 2000,
  cancel: 100,
  purgeQueue: 2,
  requests: 10,
  openai: 2000,
}

/** 0: no limit. */
export function limitOf(limits: Config['rateLimits'], operation: Operation): number {
  return limits[operation] ?? (limits.preset === 'runpod' ? RUNPOD[operation] : undefined) ?? 0
}

/** The hook of each operation that has a limit. It needs the key, so it comes after `requireApiKey`. */
export async function openRateLimits(app: FastifyInstance, limits: Config['rateLimits']): Promise<RateLimits> {
  await app.register(rateLimit, { global: false, cache: MOST_COUNTERS })
  const hooks = new Map<Operation, onRequestAsyncHookHandler>()
  for (const operation of OPERATIONS) {
    const max = limitOf(limits, operation)
    if (max > 0) hooks.set(operation, refuseExcess(app, operation, max))
  }
  return hooks
}

function refuseExcess(app: FastifyInstance, operation: Operation, max: number): onRequestAsyncHookHandler {
  const count = app.createRateLimit({ max, timeWindow: WINDOW_MS, keyGenerator: (request) => counterKey(request, operation) })
  return async (request) => {
    const counted = await count(request)
    if (counted.isAllowed || !counted.isExceeded) return
    const sentence = `more than ${max} requests in ${WINDOW_MS / 1000} s on this endpoint with this key (rateLimits.${operation})`
    throw new RunyardError('too_many_requests', sentence, { retryAfterS: counted.ttlInSeconds })
  }
}

function counterKey(request: FastifyRequest, operation: Operation): string {
  const { endpointId } = request.params as { readonly endpointId: string }
  return `${apiKeyOf(request).id}/${endpointId}/${operation}`
}
