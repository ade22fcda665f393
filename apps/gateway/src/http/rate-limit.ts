// Limits on callers of the job plane, off by default (client-api §8.3), per key, endpoint and operation: requests in a window of 10 s, and
// requests that are open at once. Each gateway counts for itself: a count in Redis would cost every request a trip, and n gateways admit at
// most n times as much.
// Not @fastify/rate-limit: its counters are read after an await, so of requests that come at once none may be let through (11.2.0).
import type { FastifyReply, FastifyRequest } from 'fastify'
import { RunyardError, type Config } from '@runyard/schema'
import type { Access } from './access.ts'
import { apiKeyOf } from './authenticate.ts'
import { whenClosed } from './answer.ts'

const OPERATIONS = ['run', 'runsync', 'status', 'cancel', 'retry', 'purgeQueue', 'requests', 'health', 'openai'] as const
export type Operation = (typeof OPERATIONS)[number]
export type RateLimits = ReadonlyMap<Operation, Access>

const WINDOW_MS = 10_000
/** It cannot be known when one of many open requests ends. */
const OPEN_RETRY_S = 1

interface Limits {
  readonly inWindow: number
  /** Requests open at once; one that is held counts for as long as it is held. */
  readonly atOnce: number
}

/** Client-api §8.3. An operation that is not named there has no limit. */
const RUNPOD: Partial<Record<Operation, Limits>> = {
  run: { inWindow: 1000, atOnce: 200 },
  runsync: { inWindow: 2000, atOnce: 400 },
  status: { inWindow: 2000, atOnce: 400 },
  cancel: { inWindow: 100, atOnce: 20 },
  purgeQueue: { inWindow: 2, atOnce: 0 },
  requests: { inWindow: 10, atOnce: 2 },
  openai: { inWindow: 2000, atOnce: 400 },
}

/** 0: no limit. */
function limitsOf(config: Config['rateLimits'], operation: Operation): Limits {
  const preset = config.preset === 'runpod' ? RUNPOD[operation] : undefined
  return { inWindow: config[operation] ?? preset?.inWindow ?? 0, atOnce: config.concurrent[operation] ?? preset?.atOnce ?? 0 }
}

/** The check of each operation that has a limit. It needs the key, and comes before the endpoint is looked for. */
export function createRateLimits(config: Config['rateLimits']): RateLimits {
  const hooks = OPERATIONS.map((operation) => [operation, refuseExcess(operation, limitsOf(config, operation))] as const)
  return new Map(hooks.flatMap(([operation, hook]) => (hook === undefined ? [] : [[operation, hook]])))
}

/** A request that is refused for the window is not counted as open. */
function refuseExcess(operation: Operation, { inWindow, atOnce }: Limits): Access | undefined {
  if (inWindow === 0 && atOnce === 0) return undefined
  const countInWindow = createWindowLimit(operation, inWindow)
  const countOpen = createOpenLimit(operation, atOnce)
  return async (request, reply) => {
    const key = counterKey(request)
    countInWindow(key)
    countOpen(key, reply)
  }
}

function createWindowLimit(operation: Operation, max: number): (key: string) => void {
  if (max === 0) return () => undefined
  const counts = createCounts()
  return (key) => {
    const now = Date.now()
    const { count, endsAt } = counts.add(key, now)
    if (count <= max) return
    const sentence = `more than ${max} requests in ${WINDOW_MS / 1000} s on this endpoint with this key (rateLimits.${operation})`
    throw new RunyardError('too_many_requests', sentence, { retryAfterS: Math.ceil((endsAt - now) / 1000), refusal: 'rate' })
  }
}

function createOpenLimit(operation: Operation, max: number): (key: string, reply: FastifyReply) => void {
  if (max === 0) return () => undefined
  const open = new Map<string, number>()
  return (key, reply) => {
    const count = open.get(key) ?? 0
    if (count >= max) {
      const sentence = `more than ${max} requests at once on this endpoint with this key (rateLimits.concurrent.${operation})`
      throw new RunyardError('too_many_requests', sentence, { retryAfterS: OPEN_RETRY_S, refusal: 'open_requests' })
    }
    open.set(key, count + 1)
    whenClosed(reply, () => {
      const left = (open.get(key) ?? 1) - 1
      if (left === 0) open.delete(key)
      else open.set(key, left)
    })
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
export function createCounts(windowMs = WINDOW_MS) {
  const counts = new Map<string, Count>()
  return {
    size: (): number => counts.size,
    /** One that does not count after all. */
    takeBack(key: string) {
      const known = counts.get(key)
      if (known !== undefined) counts.set(key, { ...known, count: known.count - 1 })
    },
    add(key: string, now: number): Count {
      for (const [old, { endsAt }] of counts) {
        if (endsAt > now) break
        counts.delete(old)
      }
      const known = counts.get(key)
      const next = { count: (known?.count ?? 0) + 1, endsAt: known?.endsAt ?? now + windowMs }
      counts.set(key, next)
      return next
    },
  }
}
