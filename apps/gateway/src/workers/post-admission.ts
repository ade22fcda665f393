// Whether the body of a worker's post is read at all (ADR 35). A worker's token is good for as long as its endpoint, so a large post, and every
// post of a worker that has no record any more, is looked into only while the job is leased to that worker; else it is answered at once, as a
// post that comes too late. And a worker may post so many bytes in a second: beyond them its next post waits, whoever else is served.
import { setTimeout as sleep } from 'node:timers/promises'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { GatewayDeps } from '../parts/deps.ts'
import { retryWhileAway } from '../parts/store-outage.ts'
import { recordIgnored } from './settled-record.ts'
import type { Post } from './results.ts'
import type { WorkerState } from './worker-session.ts'
import { whyIgnored } from '@runyard/core'

/** Smaller ones cost less than to ask for their lease. */
const LARGE_BYTES = 256 * 1024
/** So often counts what is thrown away: reading it is of no use. */
const THROWN_AWAY_COUNTS = 4
const LONGEST_PAUSE_MS = 60_000

type AdmissionDeps = Pick<GatewayDeps, 'store' | 'log' | 'events' | 'metrics' | 'endpoints' | 'config' | 'closing'>

export interface PostAdmission {
  /** True where the body is to be read; else the request has been answered. */
  admit(post: Post, request: FastifyRequest, reply: FastifyReply): Promise<boolean>
  /** A body was read. */
  spend(state: WorkerState, bytes: number): void
}

export function createPostAdmission(deps: AdmissionDeps): PostAdmission {
  const { workerBytesPerS, resultBytes } = deps.config.limits
  const budgets = new WeakMap<WorkerState, ByteBudget>()
  const budgetOf = (state: WorkerState): ByteBudget => {
    const known = budgets.get(state)
    if (known !== undefined) return known
    const budget = createByteBudget(workerBytesPerS, resultBytes)
    budgets.set(state, budget)
    return budget
  }

  return {
    async admit(post, request, reply) {
      const { state } = post
      const bytes = Number(request.headers['content-length'] ?? Infinity)
      const mustHold = bytes > LARGE_BYTES || state.record === undefined
      await budgetOf(state).wait(deps.closing)
      if (!mustHold || (await holds(deps, post))) return true
      // What it goes on sending is thrown away.
      request.isAdmitted = true
      budgetOf(state).spend(THROWN_AWAY_COUNTS * Math.min(bytes, resultBytes))
      if (request.url.includes('/job-done/')) await recordUnread(deps, post)
      await reply.send({ ok: true })
      return false
    },
    spend: (state, bytes) => budgetOf(state).spend(bytes),
  }
}

async function holds({ store, closing }: AdmissionDeps, { state, jobId, holdMs }: Post): Promise<boolean> {
  const { endpointId, workerId } = state
  return retryWhileAway(() => store.jobs.holds(endpointId, jobId, workerId), closing, holdMs)
}

async function recordUnread(deps: AdmissionDeps, { state, jobId }: Post): Promise<void> {
  const record = await deps.store.jobs.get(state.endpointId, jobId).catch(() => undefined)
  const reason = whyIgnored(record, { workerId: state.workerId, outcome: undefined })
  await recordIgnored(deps, { state, jobId, outcome: undefined, at: Date.now() }, { record, reason })
}

interface ByteBudget {
  spend(bytes: number): void
  wait(signal: AbortSignal): Promise<void>
}

/** What is spent beyond it is owed: the next waits until that is made up for. */
function createByteBudget(perSecond: number, most: number): ByteBudget {
  let left = most
  let at = Date.now()
  /** What there is now. */
  const refill = (): number => {
    const now = Date.now()
    left = Math.min(most, left + ((now - at) * perSecond) / 1000)
    at = now
    return left
  }
  return {
    spend(bytes) {
      left = refill() - bytes
    },
    async wait(signal) {
      for (let has = refill(); has <= 0 && !signal.aborted; has = refill()) {
        const pauseMs = Math.min(LONGEST_PAUSE_MS, Math.ceil((-has / perSecond) * 1000) + 1)
        await sleep(pauseMs, undefined, { signal, ref: false }).catch(() => {})
      }
    },
  }
}
