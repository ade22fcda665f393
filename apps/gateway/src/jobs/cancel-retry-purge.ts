// `/cancel`, `/retry` and `/purge-queue`: ends a job that its caller does not want any more and orders its worker to stop, queues a failed job again, and
// ends all jobs that wait (client-api §5.6, §5.7, §5.8).
import type { FastifyReply, FastifyRequest } from 'fastify'
import { unreadJob } from '@runyard/core'
import { RunyardError, type Endpoint, type JobRecord } from '@runyard/schema'
import type { PurgeView } from '@runyard/schema/api'
import type { SettleResult } from '@runyard/store'
import { sendJson } from '../http/answer.ts'
import type { GatewayDeps } from '../parts/deps.ts'
import { toJobBody, toJobJson, type JobBody } from '../parts/job-body.ts'
import { recordEnds, recordUnread, traceparentOf, traceparentsOf, tracePurged, type JournalDeps } from '../parts/journal.ts'
import { endpointOf, paramsOf } from './endpoint-of.ts'
import { jobNotFound, requireJob } from './find-job.ts'
import { countedKeyOf } from './key-limit.ts'

type ChangeDeps = JournalDeps & Pick<GatewayDeps, 'store' | 'closing' | 'config'>

const CANCELLED_BY_CLIENT = 'the job was cancelled by its caller'

export function createCancel(deps: ChangeDeps) {
  return async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    const endpoint = endpointOf(request)
    const { jobId } = paramsOf(request)
    const result = await cancelJob(deps, endpoint, { jobId, why: CANCELLED_BY_CLIENT })
    if (result === 'unknown') throw await jobNotFound(deps, endpoint.id, jobId)
    if (result === 'settled') return reply.send({ id: jobId, status: 'CANCELLED' })
    return sendJson(reply, toJobJson(toJobBody(await requireJob(deps, endpoint.id, jobId), endpoint)))
  }
}

/** `settled`: this call ended the job. */
export async function cancelJob(
  deps: JournalDeps & Pick<GatewayDeps, 'store'>,
  endpoint: Endpoint,
  { jobId, why }: { jobId: string; why: string },
): Promise<SettleResult | 'unknown'> {
  const endpointId = endpoint.id
  const outcome = { status: 'CANCELLED', error: why } as const
  const traceparent = await traceparentOf(deps, endpointId, jobId)
  const { result, heldBy, record } = await deps.store.jobs.forceSettle(endpointId, jobId, outcome)
  if (result !== 'settled') return result
  if (heldBy !== undefined) deps.store.publish({ kind: 'job-stop', endpointId, jobId, workerId: heldBy })
  const job = record ?? unreadJob({ ...outcome, id: jobId, workerId: heldBy, at: Date.now() })
  recordEnds(deps, endpoint, [{ cause: 'cancelled', job, traceparent }])
  return result
}

export function createRetry(deps: ChangeDeps) {
  return async (request: FastifyRequest): Promise<JobBody> => {
    const endpoint = endpointOf(request)
    const { jobId } = paramsOf(request)
    const refusal = await retryJob(deps, request, { endpoint, jobId })
    if (refusal === UNKNOWN_JOB) throw await jobNotFound(deps, endpoint.id, jobId)
    if (refusal !== undefined) throw new RunyardError('bad_request', refusal)
    return { id: jobId, status: 'IN_QUEUE' }
  }
}

const UNKNOWN_JOB = 'the job is not there any more'

/** Why it was not retried; undefined: it waits again. @throws RunyardError('too_many_requests') */
export async function retryJob(
  deps: ChangeDeps,
  request: FastifyRequest,
  { endpoint, jobId }: { readonly endpoint: Endpoint; readonly jobId: string },
): Promise<string | undefined> {
  const at = Date.now()
  const result = await deps.store.jobs.retry(endpoint.id, jobId, countedKeyOf(request, deps.config))
  if (result === 'unknown') return UNKNOWN_JOB
  if (result === 'gone') return 'this job cannot be retried: its input is not kept any more'
  if (result !== 'retried') return `only a FAILED or TIMED_OUT job can be retried; this one is ${result}`
  deps.log.info({ endpointId: endpoint.id, jobId }, 'job retried by its caller')
  deps.events.add({ at, endpointId: endpoint.id, kind: 'job_queued', jobId, message: 'retried by its caller' })
  return undefined
}

export function createPurgeQueue(deps: ChangeDeps) {
  return async (request: FastifyRequest): Promise<PurgeView> => {
    const endpoint = endpointOf(request)
    const at = Date.now()
    const waiting = await traceparentsOf(deps, endpoint.id)
    const removed = await deps.store.jobs.purge(endpoint.id)
    recordUnread(deps, endpoint, { cause: 'purged', status: 'CANCELLED', error: 'the queue was purged', at, jobs: removed })
    // A gateway that stops before the last one leaves the rest to the scaler's sweep.
    endPurged(deps, endpoint, waiting).catch((error: unknown) => {
      deps.log.warn({ err: error, endpointId: endpoint.id }, 'the ends of purged jobs are left to the next sweep')
    })
    return { removed, status: 'completed' }
  }
}

async function endPurged(deps: ChangeDeps, endpoint: Endpoint, waiting: ReadonlyMap<string, string | undefined>): Promise<void> {
  const remember = (jobs: readonly JobRecord[]): Promise<void> => {
    const ends = jobs.map((job) => ({ cause: 'purged', job }) as const)
    deps.history.add(endpoint.id, ends)
    // Many more than usually end: each step is written before the next.
    return deps.history.flush()
  }
  await deps.store.jobs.endPurged(endpoint.id, remember, deps.closing)
  await tracePurged(deps, endpoint, waiting)
}
