// Decides whether the body of a worker's post is read at all (ADR 35). A worker's token is valid as long as its endpoint exists. So a large post, and every
// post of a worker without a record, is read only while the job is leased to that worker. Any other is answered at once, like a post that comes too late. A
// worker also has a budget of bytes per second: beyond it, its next post waits.
import { setTimeout as sleep } from 'node:timers/promises'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { whyIgnored } from '@runyard/core'
import type { GatewayDeps } from '../parts/deps.ts'
import { retryWhileAway } from '../parts/store-outage.ts'
import { recordIgnored, type Post } from './results.ts'
import type { WorkerSession } from './worker-session.ts'

/** Reading a smaller post costs less than asking for its lease. */
const LARGE_BYTES = 256 * 1024
/** Bytes that are thrown away count this many times, since reading them is of no use. */
const THROWN_AWAY_COUNTS = 4
const LONGEST_PAUSE_MS = 60_000

type AdmissionDeps = Pick<GatewayDeps, 'store' | 'log' | 'events' | 'history' | 'traces' | 'metrics' | 'endpoints' | 'config' | 'closing'>

export function createPostAdmission(deps: AdmissionDeps) {
  const { workerBytesPerS, resultBytes } = deps.config.limits
  const budgets = new WeakMap<WorkerSession, ByteBudget>()
  const budgetOf = (session: WorkerSession): ByteBudget => {
    const known = budgets.get(session)
    if (known !== undefined) return known
    const budget = createByteBudget(workerBytesPerS, resultBytes)
    budgets.set(session, budget)
    return budget
  }

  return {
    /** True if the body is to be read; otherwise the request has been answered. */
    async admit(post: Post, request: FastifyRequest, reply: FastifyReply): Promise<boolean> {
      const { session } = post
      const bytes = Number(request.headers['content-length'] ?? Infinity)
      const mustHold = bytes > LARGE_BYTES || session.record === undefined
      await budgetOf(session).wait(deps.closing)
      if (!mustHold || (await holds(deps, post))) return true
      // The rest of its body is thrown away.
      request.isAdmitted = true
      budgetOf(session).spend(THROWN_AWAY_COUNTS * Math.min(bytes, resultBytes))
      if (request.url.includes('/job-done/')) await recordUnread(deps, post)
      await reply.send({ ok: true })
      return false
    },
    /** A body was read. */
    spend: (session: WorkerSession, bytes: number): void => budgetOf(session).spend(bytes),
  }
}

async function holds({ store, closing }: AdmissionDeps, { session, jobId, holdMs }: Post): Promise<boolean> {
  const { endpointId, workerId } = session
  return retryWhileAway(() => store.jobs.holds(endpointId, jobId, workerId), closing, holdMs)
}

async function recordUnread(deps: AdmissionDeps, { session, jobId }: Post): Promise<void> {
  const record = await deps.store.jobs.get(session.endpointId, jobId).catch(() => undefined)
  const reason = whyIgnored(record, { workerId: session.workerId, outcome: undefined })
  await recordIgnored(deps, { session, jobId, outcome: undefined }, { record, reason })
}

type ByteBudget = ReturnType<typeof createByteBudget>

/** Bytes beyond the budget are a debt: the next post waits until it is paid. */
function createByteBudget(perSecond: number, most: number) {
  let left = most
  let at = Date.now()
  /** The bytes that may be spent now. */
  const refill = (): number => {
    const now = Date.now()
    left = Math.min(most, left + ((now - at) * perSecond) / 1000)
    at = now
    return left
  }
  return {
    spend(bytes: number) {
      left = refill() - bytes
    },
    async wait(signal: AbortSignal): Promise<void> {
      for (let has = refill(); has <= 0 && !signal.aborted; has = refill()) {
        const pauseMs = Math.min(LONGEST_PAUSE_MS, Math.ceil((-has / perSecond) * 1000) + 1)
        await sleep(pauseMs, undefined, { signal, ref: false }).catch(() => {})
      }
    },
  }
}
