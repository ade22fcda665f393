// Answers a worker with jobs to run (its long poll, or a result with which it asks for the next) and with jobs to stop. A job whose answer could not be written goes back to the queue; the next
// ping that names it, or its result, is the true acknowledgement (worker-api §4.3.3).
import type { FastifyReply } from 'fastify'
import { toJson, type JsonText } from '@runyard/schema'
import { toJsonList, withMembers } from '@runyard/schema/json-join'
import type { TakenJob } from '@runyard/store'
import type { GatewayDeps } from '../parts/deps.ts'
import { sendJson } from '../http/answer.ts'
import { holdMsOf } from './assignable.ts'
import type { TakeRequest } from './take-queue.ts'
import { rememberFinished, type WorkerState } from './worker-session.ts'

type TakeDeps = Pick<GatewayDeps, 'dispatcher' | 'log'>

export async function takeJobs(
  deps: TakeDeps,
  request: TakeRequest & { readonly batch: boolean },
  reply: FastifyReply,
): Promise<FastifyReply> {
  const jobs = await deps.dispatcher.take(request)
  if (jobs.length === 0) return reply.code(204).send()
  const bodies = handOver(deps, request, jobs)
  return sendJson(reply, request.batch ? toJsonList(bodies) : (bodies[0] ?? toJson(null)))
}

/** The job that a result's answer brings (ADR 28), if one waits. The result has been accepted, so nothing may fail it here: the next poll looks again. */
export async function takeNext(deps: TakeDeps, request: TakeRequest): Promise<JsonText | undefined> {
  try {
    const [body] = handOver(deps, request, await deps.dispatcher.takeNow(request))
    return body
  } catch (error) {
    deps.log.warn({ err: error, workerId: request.state.workerId }, 'a result is answered without the next job')
    return undefined
  }
}

/** The bodies to answer with; should the connection break before they are written, the jobs go back. */
function handOver(deps: TakeDeps, request: TakeRequest, jobs: readonly TakenJob[]): readonly JsonText[] {
  const goBack = (): void => {
    void deps.dispatcher.giveBack(request.state, jobs).catch((error: unknown) => {
      deps.log.warn({ err: error, workerId: request.state.workerId }, 'an undelivered job could not be given back; its lease will expire')
    })
  }
  if (request.signal.aborted) goBack()
  else request.signal.addEventListener('abort', goBack, { once: true })
  return jobs.map(toTakenBody)
}

/** `s3Config` is for the handler alone (client-api §6), `batchId` for the worker's log (worker-api §4.4); policy and webhook are ours. */
function toTakenBody({ id, submission }: TakenJob): JsonText {
  const { input, s3Config, batchId } = submission
  return withMembers(batchId === undefined ? { id } : { id, batchId }, { s3Config, input })
}

/**
 * Held until there is something to stop; each id is told once (worker-api §9). Every gateway hears of an order and one tells it: the order
 * that another keeps is void once the worker has that job again.
 */
export async function takeStopOrders(
  { store }: Pick<GatewayDeps, 'store'>,
  state: WorkerState,
  signal: AbortSignal,
): Promise<readonly string[]> {
  if (state.stopOrders.size === 0) {
    const holdMs = holdMsOf(state)
    await new Promise<void>((resolve) => {
      state.stops.hold({ holdMs, signal, onEnd: resolve })
    })
  }
  if (signal.aborted) return []
  const orders = [...state.stopOrders]
  const toStop = await store.jobs.renew(state.endpointId, state.workerId, orders)
  for (const jobId of orders) state.stopOrders.delete(jobId)
  for (const jobId of toStop) rememberFinished(state, jobId)
  return toStop
}
