// `/status` and `/status-sync`: the state of a job, now or at its end (client-api §5.3, §5.4).
import type { FastifyReply, FastifyRequest } from 'fastify'
import { readSpanMs, WEEK_MS, type JobRecord } from '@runyard/schema'
import type { GatewayDeps } from '../parts/deps.ts'
import { apiKeyOf, checkScope } from '../http/authenticate.ts'
import { clientGone, sendJson } from '../http/answer.ts'
import { queryOf, readWaitMs } from '../http/query.ts'
import { jobKey } from '../parts/waiters.ts'
import { endpointOf, paramsOf } from './endpoint-of.ts'
import { requireJob } from './find-job.ts'
import { isTerminal, toJobBody, toJobJson } from '../parts/job-body.ts'
import { createQueueReasons } from './health.ts'

type StatusDeps = Pick<GatewayDeps, 'config' | 'store' | 'endpoints' | 'waiters' | 'log' | 'events' | 'history' | 'metrics'>

export function createStatus(deps: StatusDeps) {
  const reasonOf = createQueueReasons(deps)
  return async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    const endpoint = endpointOf(request)
    const record = await requireJob(deps, endpoint.id, paramsOf(request).jobId)
    const ttlMs = readTtlMs(request)
    // It shortens the life of a result, so to read is not enough.
    if (ttlMs !== undefined) checkScope(apiKeyOf(request), ['run'])
    if (ttlMs !== undefined && isTerminal(record.status)) await deps.store.jobs.setRetention(endpoint.id, record.id, ttlMs)
    const body = toJobBody(record, endpoint)
    if (record.status !== 'IN_QUEUE') return sendJson(reply, toJobJson(body))
    const { reason, message, remedy } = await reasonOf(endpoint, record)
    const why = { queueReason: reason, queueMessage: message, ...(remedy === undefined ? {} : { queueRemedy: remedy }) }
    return sendJson(reply, toJobJson({ ...body, ...why }))
  }
}

export function createStatusSync(deps: StatusDeps) {
  return async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    const endpoint = endpointOf(request)
    const { jobId } = paramsOf(request)
    const deadline = Date.now() + readWaitMs(request, deps.config.holds.runsyncS * 1000)
    const record = await waitForEnd(deps, { endpointId: endpoint.id, jobId, deadline }, reply)
    return sendJson(reply, toJobJson(toJobBody(record, endpoint)))
  }
}

/** If the clock of Redis is behind this one, a read may come too early. */
const LOOK_AGAIN_MS = 100

/** When to read again without a signal: at the end of the wait, or when the job's own time is over. */
export function nextLook(deadline: number, endsAt: number = Infinity): number {
  return Math.min(deadline, Math.max(endsAt, Date.now() + LOOK_AGAIN_MS))
}

/** Whether a wait that ended without news is over: at its deadline, or early because the client or the gateway goes. A timer may be some milliseconds early. */
export function isOver(lookAt: number, deadline: number): boolean {
  return lookAt === deadline || Date.now() < lookAt - 10
}

/** The job at its end, or in its state at the deadline. @throws RunyardError('not_found'), also if its ttl ends it meanwhile */
export async function waitForEnd(
  deps: Pick<GatewayDeps, 'store' | 'waiters'>,
  { endpointId, jobId, deadline }: { endpointId: string; jobId: string; deadline: number },
  reply: FastifyReply,
): Promise<JobRecord> {
  using ticket = deps.waiters.open([jobKey(endpointId, jobId)], clientGone(reply))
  let record = await requireJob(deps, endpointId, jobId)
  while (!isTerminal(record.status)) {
    const lookAt = nextLook(deadline, record.deadlineAt)
    if (!(await ticket.next(lookAt)) && isOver(lookAt, deadline)) break
    record = await requireJob(deps, endpointId, jobId)
  }
  return record
}

/** No result outlives the longest life of a job: if its endpoint is deleted first, nothing else would remove it. */
function readTtlMs(request: FastifyRequest): number | undefined {
  return readSpanMs(queryOf(request)['ttl'], { min: 1, max: WEEK_MS })
}
