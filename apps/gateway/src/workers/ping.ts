// The heartbeat (worker-api §8): renews the leases of the jobs that it names, finds jobs that their worker has lost, and notices workers that
// still run what they should have stopped. Pings prove that a process lives, not that it is well: the container's exit decides.
import { unreadJob } from '@runyard/core'
import { cutText } from '@runyard/schema'
import type { Lease } from '@runyard/store'
import type { GatewayDeps } from '../parts/deps.ts'
import { recordEnds } from '../parts/journal.ts'
import { noteContact, type ContactDeps } from './first-contact.ts'
import { FOREIGN_KEY } from './wrong-key-polls.ts'
import { rememberFinished, type WorkerState } from './worker-session.ts'

/** A job must be missing from this many consecutive pings that reached this gateway and began after it was handed out. */
const PINGS_MISSED = 2
/** A ping this soon after the hand-out may have been on its way already. */
const HANDED_JUST_NOW_MS = 1000
/** A worker that still names a job which it should have stopped, this often, is replaced (a synchronous handler: worker-api §9). */
const STRAY_PINGS = 3
/** The SDK's retries take 5 s; after that it waits for an answer that does not come, up to 600 s, and is better replaced. */
const POSTS_AGAIN_MS = 10_000
/** SDK 1.7.1 never names its jobs in pings (worker-api §8). */
const SDK_WITHOUT_JOB_IDS = '1.7.1'

export interface Ping {
  readonly jobIds: readonly string[]
  readonly unhealthy: { readonly check: string; readonly reason: string } | undefined
}

export type PingDeps = ContactDeps & Pick<GatewayDeps, 'workers' | 'leases' | 'refusedPolls' | 'config' | 'endpoints'>

export async function receivePing(deps: PingDeps, state: WorkerState, ping: Ping): Promise<void> {
  // One that never polled as itself is not ready, whatever its pings say.
  const isLocked = !state.hasPolled && deps.refusedPolls.has(state)
  const unhealthy = isLocked ? { check: 'worker key', reason: FOREIGN_KEY } : ping.unhealthy
  if (unhealthy !== undefined) {
    await noteUnhealthy(deps, state, unhealthy)
    return
  }
  noteContact(deps, state)
  const { held, notHeld } = await deps.leases.hear(state, ping.jobIds)
  if (state.sdkVersion === SDK_WITHOUT_JOB_IDS) {
    await deps.store.jobs.renew(
      state.endpointId,
      state.workerId,
      held.map(({ jobId }) => jobId),
    )
    return
  }
  await noteStrays(deps, state, notHeld)
  await takeBackMissing(deps, state, { held, named: new Set(ping.jobIds) })
}

async function noteUnhealthy(deps: PingDeps, state: WorkerState, { check, reason }: { check: string; reason: string }): Promise<void> {
  const unhealthyReason = cutText(`${check}: ${reason}`)
  // Each write is news to the scaler and to all gateways.
  if (state.record?.unhealthyReason === unhealthyReason) return
  deps.log.warn({ endpointId: state.endpointId, workerId: state.workerId, reason: unhealthyReason }, 'worker says that it is unhealthy')
  await deps.store.workers.patch(state.endpointId, state.workerId, { unhealthyReason })
}

async function noteStrays(deps: PingDeps, state: WorkerState, notHeld: readonly string[]): Promise<void> {
  for (const jobId of state.strayPings.keys()) if (!notHeld.includes(jobId)) state.strayPings.delete(jobId)
  for (const jobId of notHeld) await noteStray(deps, state, jobId)
}

/** The worker names a job that it no longer holds: it ended a moment ago, or its stop order was lost. */
async function noteStray(deps: PingDeps, state: WorkerState, jobId: string): Promise<void> {
  const pings = (state.strayPings.get(jobId) ?? 0) + 1
  if (pings === STRAY_PINGS - 1 && (await postsAgain(deps, state, jobId))) return
  state.strayPings.set(jobId, pings)
  // Named again, it did not hear: an order for a job that waits inside the worker is lost there (worker-api §9). One more, before the last resort.
  if (pings === STRAY_PINGS - 1) state.finished.delete(jobId)
  deps.workers.orderStop(state, jobId)
  if (pings !== STRAY_PINGS) return
  deps.log.warn(
    { endpointId: state.endpointId, workerId: state.workerId, jobId },
    'worker goes on with a job that was stopped; replacing it',
  )
  await replaceWorker(deps, state)
}

/** It is not at work any more: the answer to its result was lost, so it posts it again (worker-api §5.2). */
async function postsAgain({ store }: PingDeps, { endpointId, workerId }: WorkerState, jobId: string): Promise<boolean> {
  const job = await store.jobs.get(endpointId, jobId)
  return job?.status === 'COMPLETED' && job.workerId === workerId && Date.now() - (job.settledAt ?? 0) < POSTS_AGAIN_MS
}

/** The worker finishes what it holds, gets nothing more, and the scaler starts a fresh one. */
export async function replaceWorker({ store }: Pick<PingDeps, 'store'>, state: WorkerState): Promise<void> {
  const { record, endpointId, workerId } = state
  // Each write is news to the scaler and to all gateways.
  if (record?.refreshRequested === true) return
  // At once: its next poll may come before the signal of the patch.
  if (record !== undefined) state.record = { ...record, refreshRequested: true }
  try {
    await store.workers.patch(endpointId, workerId, { refreshRequested: true })
  } catch (error) {
    // It is not on record, so the next reason to replace the worker writes it.
    state.record = record
    throw error
  }
}

/** A worker that neither hears of a stop nor names its jobs would go on unseen: its only job may never end (worker-api §9). */
export async function replaceIfDeaf(deps: Pick<PingDeps, 'store' | 'workers'>, { workerId }: { workerId: string }): Promise<void> {
  const state = deps.workers.find(workerId)
  if (state?.sdkVersion === SDK_WITHOUT_JOB_IDS) await replaceWorker(deps, state)
}

async function takeBackMissing(
  deps: PingDeps,
  state: WorkerState,
  { held, named }: { held: readonly Lease[]; named: ReadonlySet<string> },
): Promise<void> {
  const limit = Date.now() - HANDED_JUST_NOW_MS
  const missing = held.filter(({ jobId, startedAt }) => !named.has(jobId) && startedAt < limit)
  const pings = new Map(missing.map(({ jobId }) => [jobId, (state.missedPings.get(jobId) ?? 0) + 1]))
  state.missedPings = pings
  for (const lease of missing) if ((pings.get(lease.jobId) ?? 0) >= PINGS_MISSED) await takeBack(deps, state, lease)
}

async function takeBack(deps: PingDeps, state: WorkerState, { jobId, attempt }: Lease): Promise<void> {
  const { endpointId, workerId } = state
  const now = await deps.store.jobs.get(endpointId, jobId)
  if (now?.status !== 'IN_PROGRESS' || now.workerId !== workerId) return
  // First, and published to every gateway: its id is the fencing token, so it must not take this job again.
  await replaceWorker(deps, state)
  const facts = `worker ${workerId} sent no result, and ${PINGS_MISSED} pings without the job`
  const evidence = `${facts}: its SDK drops an output that is not JSON and a result that it cannot post, see its log`
  rememberFinished(state, jobId)
  const result = await deps.store.jobs.takeBack({ endpointId, jobId, workerId }, { budget: deps.config.lease.budget, evidence })
  if (result === 'moot') return
  deps.log.warn({ endpointId, workerId, jobId, attempt, result }, 'a job was lost by its worker')
  if (result === 'failed') return recordFailed(deps, state, { jobId, evidence })
  deps.events.add({ at: Date.now(), endpointId, kind: 'job_requeued', jobId, workerId, message: evidence })
}

async function recordFailed(deps: PingDeps, state: WorkerState, { jobId, evidence }: { jobId: string; evidence: string }): Promise<void> {
  const { endpointId, workerId } = state
  const [read, endpoint] = await Promise.all([
    deps.store.jobs.get(endpointId, jobId).catch(() => undefined),
    deps.endpoints.get(endpointId).catch(() => undefined),
  ])
  const job = read ?? unreadJob({ id: jobId, status: 'FAILED', workerId, error: evidence, at: Date.now() })
  recordEnds(deps, { id: endpointId, name: endpoint?.name }, [{ cause: 'worker_lost', job }])
}
