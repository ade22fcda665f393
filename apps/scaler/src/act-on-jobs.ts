// Actions on jobs: taking them back from lost workers with the evidence, ending those that run too long, sweeping expired ones.
import { setTimeout as delay } from 'node:timers/promises'
import { describeExit, describeLoss, isHostsFault, unreadJob, type ActionOf, type JobEnd, type LastWords } from '@runyard/core'
import type { ActDeps } from './act-deps.ts'
import { recordEnds, recordExpired, rememberPurged } from './journal.ts'

/** Client-api §4.4: clients compare this text. */
export const EXECUTION_TIMEOUT_ERROR = 'executionTimeout exceeded'

export async function takeBack(deps: ActDeps, action: ActionOf<'take-back'>, seen: LastWords | undefined): Promise<void> {
  const { endpointId, jobId, workerId, lastHolder, reason } = action
  const xid = workerId === undefined ? undefined : deps.memory.xidOf(workerId, Date.now())
  const evidence = (await evidenceOf(deps, action, seen)) + (xid === undefined ? '' : `; before it, ${xid}`)
  const result = await deps.store.jobs.takeBack(
    { endpointId, jobId, workerId },
    { budget: deps.config.lease.budget, evidence, withAll: true, withoutCost: isHostsFault(reason) },
  )
  if (result === 'moot') return pauseBeforeLookingAgain(action.hostId === undefined)
  deps.log.warn({ endpointId, jobId, workerId, lastHolder, reason, result, evidence }, 'took a job back from a lost worker')
  if (result === 'failed') return recordFailed(deps, action, evidence)
  const worker = workerId === undefined ? {} : { workerId }
  await deps.store.events.append({ at: Date.now(), endpointId, kind: 'job_requeued', jobId, ...worker, reason, message: evidence })
}

async function recordFailed(deps: ActDeps, action: ActionOf<'take-back'>, evidence: string): Promise<void> {
  const { endpointId, jobId, workerId, reason } = action
  const read = await deps.store.jobs.get(endpointId, jobId).catch(() => undefined)
  const job = read ?? unreadJob({ id: jobId, status: 'FAILED', workerId, error: evidence, at: Date.now() })
  await recordEnds(deps, endpointId, [{ cause: 'worker_lost', job, reason }])
}

async function evidenceOf(deps: ActDeps, action: ActionOf<'take-back'>, seen: LastWords | undefined): Promise<string> {
  const { jobId, workerId, lastHolder, reason } = action
  if (workerId === undefined) return `worker ${lastHolder ?? 'unknown'} gave no sign of the job for ${deps.config.lease.durationS} s`
  if (seen !== undefined) return describeLoss({ workerId, jobId, reason }, seen)
  // Its record is all that is left: whose lines are in it is not known any more.
  const exit = (await deps.store.workers.getGone(workerId))?.exit
  return describeExit(workerId, reason, exit === undefined ? undefined : { ...exit, lastLogLines: [] })
}

/** An action that changed nothing would be planned again at once; a job that another process is ending needs a moment. */
async function pauseBeforeLookingAgain(isAlone: boolean): Promise<void> {
  if (isAlone) await delay(500)
}

export async function timeOut(deps: ActDeps, { endpointId, jobId }: ActionOf<'time-out'>): Promise<void> {
  const outcome = { status: 'FAILED', error: EXECUTION_TIMEOUT_ERROR } as const
  const { result, heldBy, record } = await deps.store.jobs.forceSettle(endpointId, jobId, outcome)
  if (result !== 'settled') return pauseBeforeLookingAgain(true)
  const at = Date.now()
  if (heldBy !== undefined) {
    deps.memory.noteStopRequest(heldBy, { at, why: 'timeout' })
    deps.store.publish({ kind: 'job-stop', endpointId, jobId, workerId: heldBy })
  }
  const job = record ?? unreadJob({ ...outcome, id: jobId, workerId: heldBy, at })
  await recordEnds(deps, endpointId, [{ cause: 'execution_timeout', job }])
}

export async function sweep(deps: ActDeps, { endpointId, keepBytes, remind }: ActionOf<'sweep'>): Promise<void> {
  const now = Date.now()
  deps.memory.noteSweep(endpointId, now)
  if (remind) deps.store.publish({ kind: 'job-added', endpointId })
  const take = async () => recordExpired(deps, endpointId, await deps.store.jobs.takeExpired(endpointId))
  await deps.store.jobs.sweepExpired(endpointId, now, take)
  await take()
  await deps.store.jobs.endPurged(endpointId, (jobs) => rememberPurged(deps, endpointId, jobs))
  await deps.store.jobs.sweepRegister(endpointId, now, keepBytes)
}

export async function forgetEndpoint(deps: ActDeps, { endpointId }: ActionOf<'forget-endpoint'>): Promise<void> {
  const { endpoints, jobs } = deps.store
  // Before its keys go, the list of expired jobs with them.
  await recordExpired(deps, endpointId, await jobs.takeExpired(endpointId))
  const ended: JobEnd[] = []
  try {
    await endpoints.forget(endpointId, (some) => ended.push(...some.map((job) => ({ cause: 'endpoint_deleted' as const, job }))))
  } finally {
    await recordEnds(deps, endpointId, ended)
  }
  deps.log.info({ endpointId }, 'a deleted endpoint is gone')
}
