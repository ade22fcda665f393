// Rate limits of the job plane, off by default (client-api §8.3): requests in a window of 10 s per key, endpoint and operation. Each
// gateway counts for itself: a count in Redis would cost every request a trip, and n gateways admit at most n times as much.
// Not @fastify/rate-limit: its counters are read after an await, so of requests that come at once none may be let through (11.2.0).
import type { FastifyRequest, onRequestAsyncHookHandler } from 'fastify'
import { RunyardError, type Config } from '@runyard/schema'
import { apiKeyOf } from './authenticate.ts'

const OPERATIONS = ['run', 'runsync', 'status', 'cancel', 'retry', 'purgeQueue', 'requests', 'health', 'openai'] as const
export type Operation = (typeof OPERATIONS)[number]
export type RateLimits = ReadonlyMap<Operation, onRequestAsyncHookHandler>

const WINDOW_MS = 10_000

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
function limitOf(limits: Config['rateLimits'], operation: Operation): number {
  return limits[operation] ?? (limits.preset === 'runpod' ? RUNPOD[operation] : undefined) ?? 0
}

/** The hook of each operation that has a limit. It needs the key, so it comes after `requireApiKey`. */
export function createRateLimits(limits: Config['rateLimits']): RateLimits {
  const limited = OPERATIONS.map((operation) => ({ operation, max: limitOf(limits, operation) })).filter(({ max }) => max > 0)
  return new Map(limited.map(({ operation, max }) => [operation, refuseExcess(operation, max)]))
}

function refuseExcess(operation: Operation, max: number): onRequestAsyncHookHandler {
  const counts = createCounts()
  return async (request) => {
    const now = Date.now()
    const { count, endsAt } = counts.add(counterKey(request), now)
    if (count <= max) return
    const sentence = `more than ${max} requests in ${WINDOW_MS / 1000} s on this endpoint with this key (rateLimits.${operation})`
    throw new RunyardError('too_many_requests', sentence, { retryAfterS: Math.ceil((endsAt - now) / 1000) })
  }
}

function counterKey(request: FastifyRequest): string {
  const { endpointId } = request.params as { readonly endpointId: string }
  return `${apiKeyOf(request).id}/${endpointId}`
}

interface Count {
  readonly count: number
  readonly endsAt: number
}

/** A key's window begins with its first request. Windows are all alike, so the oldest stand first and are dropped when they are over. */
function createCounts(): { add(key: string, now: number): Count } {
  const counts = new Map<string, Count>()
  return {
    add(key, now) {
      for (const [old, { endsAt }] of counts) {
        if (endsAt > now) break
        counts.delete(old)
      }
      const known = counts.get(key)
      const next = { count: (known?.count ?? 0) + 1, endsAt: known?.endsAt ?? now + WINDOW_MS }
      counts.set(key, next)
      return next
    },
  }
}
