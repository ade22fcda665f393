// Retires a worker in steps: outdated, draining, stopped. Each step may run twice.
import type { ActionOf } from '@runyard/core'
import { REASONS, type Reason } from '@runyard/schema'
import { driverOf, hostOf, recordTransition, type ActDeps } from './act-deps.ts'

/** Between SIGTERM and SIGKILL. An idle worker ends at once; a stuck one never would. */
const STOP_GRACE_MS = 5000
/** Of one that goes on with a job which has ended: it does not stop for SIGTERM either, and no caller waits for what it does. */
const STUCK_GRACE_MS = 1000

export async function markOutdated(deps: ActDeps, action: ActionOf<'mark-outdated'>): Promise<void> {
  const { endpointId, workerId } = action
  const at = Date.now()
  const record = await deps.store.workers.get(endpointId, workerId)
  if (record === undefined || record.outdatedSince !== undefined) return
  await deps.store.workers.patch({ endpointId, workerId, fields: { outdatedSince: at }, quiet: true })
  if (!action.busy) return
  const gpuType = record.gpus[0]?.name ?? null
  await deps.store.ledger.transition({ workerId, endpointId, gpuType, gpuCount: record.gpus.length, state: 'outdated', at })
}

/** The gateway learns of it by the store's signal and gives the worker jobs again. */
export async function serveOn({ store }: ActDeps, { endpointId, workerId, through }: ActionOf<'serve-on'>): Promise<void> {
  await store.workers.patch({ endpointId, workerId, fields: { servesThrough: through } })
}

/** The gateway learns of it by the store's signal and gives the worker no more jobs. */
export async function drain(deps: ActDeps, { endpointId, workerId, hostId, reason }: ActionOf<'drain'>): Promise<void> {
  const at = Date.now()
  if (reason === 'yielded') deps.memory.noteYield(endpointId, at)
  await deps.store.workers.patch({ endpointId, workerId, fields: { drainingSince: at, retireReason: reason } })
  const message = `worker ${workerId} is retiring: ${REASONS[reason]}`
  await recordTransition(deps, { kind: 'worker_draining', endpointId, workerId, hostId, at, reason, message })
}

/** Between SIGTERM and SIGKILL. */
export function graceFor(reason: Reason): number {
  return reason === 'execution_timeout' ? STUCK_GRACE_MS : STOP_GRACE_MS
}

/** worker-api §11.3: SIGTERM comes before the gateway answers the worker's held polls, SIGKILL after a short grace. */
export async function stop(deps: ActDeps, { endpointId, workerId, hostId, reason }: ActionOf<'stop'>): Promise<void> {
  const graceMs = graceFor(reason)
  deps.memory.noteStop(workerId, Date.now())
  const line = { at: Date.now(), line: `stop container ${workerId}` }
  void deps.store.workerLogs.append(workerId, 'system', [line]).catch(() => undefined)
  deps.store.publish({ kind: 'worker-changed', endpointId, workerId })
  await deps.gate(deps.memory.limitOf({ id: workerId, hostId }), async () => driverOf(deps, hostId)?.stopWorker(workerId, { graceMs }))
  await hostOf(deps, hostId)?.refresh()
}

/** One of our containers without a record. It cannot hold a job, so nothing is lost. */
export async function reap(deps: ActDeps, { endpointId, workerId, hostId }: ActionOf<'reap'>): Promise<void> {
  deps.log.warn({ endpointId, workerId, hostId }, 'removing a worker that no record knows')
  await deps.gate(deps.memory.limitOf({ id: workerId, hostId }), async () => {
    await driverOf(deps, hostId)?.stopWorker(workerId, { graceMs: 0 })
    await driverOf(deps, hostId)?.removeWorker(workerId)
  })
  await hostOf(deps, hostId)?.refresh()
}
