// Plans what happens to jobs: jobs past their execution timeout are ended, jobs that no worker holds any more are taken back.
import type { EndpointView, HostView, LeaseView, PlanPolicy } from './observed.ts'
import type { PlanBuilder } from './plan-builder.ts'
import { heardAt, isServing } from './worker-facts.ts'
import { givenUpAt } from './worker-view.ts'

/** `keepBytes`: how many bytes of results this endpoint may keep, so that the results of all endpoints fit. */
export function planJobs(view: EndpointView, keepBytes: number, builder: PlanBuilder): void {
  const known = new Set(view.workers.map((record) => record.id))
  for (const lease of view.leases) {
    if (isOverdue(lease, view, builder)) {
      builder.add({ kind: 'time-out', endpointId: view.endpointId, jobId: lease.jobId, workerId: lease.workerId })
    } else if (isAbandoned(lease, known, builder) && !mayReturn(lease, view, builder)) {
      const { endpointId, jobId, workerId } = lease
      const lastHolder = workerId === undefined ? lease.lastHolder : undefined
      builder.add({ kind: 'take-back', endpointId, jobId, workerId, lastHolder, reason: 'heartbeat_lost', hostId: undefined })
    }
  }
  sweep(view, keepBytes, builder)
}

/**
 * The job's own limit, else its endpoint's; 0 = none (management §6.2 "executionTimeoutMs"). A job that was running while its worker could
 * not report may have finished in time, so its result gets some time to arrive.
 */
function isOverdue(lease: LeaseView, view: EndpointView, builder: PlanBuilder): boolean {
  const timeoutMs = lease.executionTimeoutMs ?? view.endpoint?.settings.executionTimeoutMs ?? 0
  const { planeUpSince, policy } = builder.observed
  if (timeoutMs <= 0 || planeUpSince === undefined) return false
  const arrivedAt = lease.startedAt < planeUpSince ? planeUpSince + policy.arrearsMs : 0
  return builder.isDue(Math.max(lease.startedAt + timeoutMs, arrivedAt))
}

function isAbandoned(lease: LeaseView, known: ReadonlySet<string>, builder: PlanBuilder): boolean {
  const { planeUpSince, policy } = builder.observed
  if (lease.workerId !== undefined && lease.expiresAt !== undefined) builder.wakeAt(lease.expiresAt)
  if (lease.workerId !== undefined) return !known.has(lease.workerId) && builder.isDue(lease.startedAt + policy.settleMs)
  // Leases also expire while the gateway or Redis is unavailable; afterwards workers get the duration of one lease to report again.
  return planeUpSince !== undefined && builder.isDue(planeUpSince + policy.leaseMs)
}

/**
 * Its lease expired while its worker's host cannot be reached: the worker may still be at work, and it may still deliver, until the host is given up.
 * A host that was last heard of before its worker fell silent may have been cut off with it. Its next listing decides.
 */
function mayReturn({ workerId, lastHolder }: LeaseView, { workers }: EndpointView, builder: PlanBuilder): boolean {
  if (workerId !== undefined) return false
  const holder = workers.find(({ id }) => id === lastHolder)
  const host = builder.observed.hosts.find(({ hostId }) => hostId === holder?.hostId)
  if (holder === undefined || host === undefined) return false
  if (host.workers !== undefined) return mayBeCutOff(heardAt(holder), host, builder)
  const until = givenUpAt(host, builder.observed)
  return until !== Infinity && !builder.isDue(until)
}

/** The host and the worker have said nothing since the lease expired. `lastHeardAt`: the worker was last heard, maybe without naming the job. */
function mayBeCutOff(lastHeardAt: number, { observedAt }: HostView, builder: PlanBuilder): boolean {
  const { leaseMs } = builder.observed.policy
  // It pings several times in a lease. One that spoke lately is not cut off, and does not have the job any more.
  if (!builder.isDue(lastHeardAt + leaseMs / 2)) return false
  return !builder.isDue(lastHeardAt + leaseMs) || observedAt < lastHeardAt + leaseMs
}

function sweep(view: EndpointView, keepBytes: number, builder: PlanBuilder): void {
  const { waiting } = view.demand
  if (!builder.isDue(sweepDueAt(view, keepBytes, builder.observed.policy))) return
  // Gateways learn of waiting jobs only through signals (ADR 24). If a signal was lost, the sweep repeats it.
  builder.add({ kind: 'sweep', endpointId: view.endpointId, keepBytes, remind: waiting > 0 && view.workers.some(isServing) })
}

/** Infinity: nothing to sweep. */
function sweepDueAt({ demand: { waiting }, queue, leases, sweptAt }: EndpointView, keepBytes: number, policy: PlanPolicy): number {
  const { ended, keptBytes, nextDeadlineAt = Infinity, expiredUntaken = 0 } = queue
  // Expired jobs are written to the journal at once.
  if (expiredUntaken > 0) return sweptAt
  const isQuiet = waiting === 0 && leases.length === 0
  if (isQuiet && ended === 0 && nextDeadlineAt === Infinity) return Infinity
  const everyMs = isQuiet && keptBytes <= keepBytes ? policy.quietSweepEveryMs : policy.sweepEveryMs
  // Sweeps when a deadline passes, which wakes the requests that wait for its job.
  return Math.min(sweptAt + everyMs, nextDeadlineAt)
}
