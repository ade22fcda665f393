// A worker's ping (worker-api §8): renews the leases of the jobs that it names, finds jobs that the worker has lost, and notices jobs that it should have
// stopped. What follows from a ping is decided in `core` (`ping-verdict.ts`). Pings prove that a process lives, not that it is well: the container's
// exit decides.
import { isPostingAgain, namesItsJobs, PINGS_MISSED, unreadJob } from '@runyard/core'
import { cutText } from '@runyard/schema'
import type { Lease } from '@runyard/store'
import type { GatewayDeps } from '../parts/deps.ts'
import { recordEnds, traceparentOf } from '../parts/journal.ts'
import { noteContact, type ContactDeps, type Heartbeats } from './heartbeats.ts'
import type { WorkerSessions } from './sessions.ts'
import type { WorkerSession } from './worker-session.ts'
import { FOREIGN_KEY, type WrongKeyPolls } from './wrong-key-polls.ts'

export interface Ping {
  readonly jobIds: readonly string[]
  readonly unhealthy: { readonly check: string; readonly reason: string } | undefined
}

export type PingDeps = ContactDeps &
  Pick<GatewayDeps, 'config' | 'endpoints' | 'traces'> & { readonly heartbeats: Heartbeats; readonly wrongKeyPolls: WrongKeyPolls }

export async function receivePing(deps: PingDeps, session: WorkerSession, ping: Ping): Promise<void> {
  // A worker that has never polled with its own token is not ready, whatever its pings say.
  const isLocked = !session.hasPolled && deps.wrongKeyPolls.has(session)
  const unhealthy = isLocked ? { check: 'worker key', reason: FOREIGN_KEY } : ping.unhealthy
  if (unhealthy !== undefined) {
    await noteUnhealthy(deps, session, unhealthy)
    return
  }
  noteContact(deps, session)
  const { held, notHeld } = await deps.heartbeats.hear(session, ping.jobIds)
  if (!namesItsJobs(session.sdkVersion)) {
    const jobIds = held.map(({ jobId }) => jobId)
    await deps.store.jobs.renew(session.endpointId, session.workerId, jobIds)
    return
  }
  session.keepStrays(notHeld)
  for (const jobId of notHeld) await noteStray(deps, session, jobId)
  for (const lease of session.countMissed(held, new Set(ping.jobIds))) await takeBack(deps, session, lease)
}

async function noteUnhealthy(
  { store, log }: PingDeps,
  session: WorkerSession,
  { check, reason }: { check: string; reason: string },
): Promise<void> {
  const { endpointId, workerId } = session
  const unhealthyReason = cutText(`${check}: ${reason}`)
  // Each write is a signal to the scaler and to all gateways.
  if (session.record?.unhealthyReason === unhealthyReason) return
  log.warn({ endpointId, workerId, reason: unhealthyReason }, 'worker says that it is unhealthy')
  await store.workers.patch({ endpointId, workerId, fields: { unhealthyReason } })
  const { record } = session
  if (record === undefined) return
  // From here on it is not billed.
  const gpus = { gpuType: record.gpus[0]?.name ?? null, gpuCount: record.gpus.length }
  await store.ledger.transition({ workerId, endpointId, ...gpus, state: 'unhealthy', at: Date.now() })
}

/** The worker names a job that it does not hold any more: the job ended a moment ago, or the stop order was lost. */
async function noteStray(deps: PingDeps, session: WorkerSession, jobId: string): Promise<void> {
  const { endpointId, workerId } = session
  const step = session.nextStrayStep(jobId)
  if (step === 'stop_again' && isPostingAgain(await deps.store.jobs.get(endpointId, jobId), workerId, Date.now())) return
  session.countStray(jobId)
  if (step !== 'replace') return
  deps.log.warn({ endpointId, workerId, jobId }, 'worker goes on with a job that was stopped; replacing it')
  await replaceWorker(deps, session)
}

/** The worker finishes what it holds and gets no more jobs, and the scaler starts a fresh one. */
export async function replaceWorker({ store }: Pick<GatewayDeps, 'store'>, session: WorkerSession): Promise<void> {
  const { record, endpointId, workerId } = session
  // Each write is a signal to the scaler and to all gateways.
  if (record?.refreshRequested === true) return
  // At once: its next poll may come before the signal of the patch.
  if (record !== undefined) session.learn({ ...record, refreshRequested: true })
  try {
    await store.workers.patch({ endpointId, workerId, fields: { refreshRequested: true } })
  } catch (error) {
    // It is not on record, so the next reason to replace the worker writes it.
    session.learn(record)
    throw error
  }
}

/** A worker that neither gets stop orders nor names its jobs would go on unseen, and its job might never end (worker-api §9). */
export async function replaceIfDeaf(
  { store, sessions }: Pick<GatewayDeps, 'store'> & { readonly sessions: WorkerSessions },
  { workerId }: { workerId: string },
): Promise<void> {
  const session = sessions.find(workerId)
  if (session !== undefined && !namesItsJobs(session.sdkVersion)) await replaceWorker({ store }, session)
}

async function takeBack(deps: PingDeps, session: WorkerSession, { jobId, attempt }: Lease): Promise<void> {
  const { endpointId, workerId } = session
  const now = await deps.store.jobs.get(endpointId, jobId)
  if (now?.status !== 'IN_PROGRESS' || now.workerId !== workerId) return
  // First, and published to every gateway: the worker's id is the fencing token, so the worker must not take this job again.
  await replaceWorker(deps, session)
  const facts = `worker ${workerId} sent no result, and ${PINGS_MISSED} pings without the job`
  const evidence = `${facts}: its SDK drops an output that is not JSON and a result that it cannot post, see its log`
  session.finish(jobId)
  const result = await deps.store.jobs.takeBack({ endpointId, jobId, workerId }, { budget: deps.config.lease.budget, evidence })
  if (result === 'moot') return
  deps.log.warn({ endpointId, workerId, jobId, attempt, result }, 'a job was lost by its worker')
  if (result === 'failed') return recordFailed(deps, session, { jobId, evidence })
  deps.events.add({ at: Date.now(), endpointId, kind: 'job_requeued', jobId, workerId, message: evidence })
}

async function recordFailed(
  deps: PingDeps,
  { endpointId, workerId }: WorkerSession,
  { jobId, evidence }: { jobId: string; evidence: string },
): Promise<void> {
  const [read, endpoint, traceparent] = await Promise.all([
    deps.store.jobs.get(endpointId, jobId).catch(() => undefined),
    deps.endpoints.get(endpointId).catch(() => undefined),
    traceparentOf(deps, endpointId, jobId),
  ])
  const job = read ?? unreadJob({ id: jobId, status: 'FAILED', workerId, error: evidence, at: Date.now() })
  recordEnds(deps, { id: endpointId, name: endpoint?.name }, [{ cause: 'worker_lost', job, traceparent }])
}
