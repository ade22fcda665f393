// Gives workers what waits for them: jobs, by one take queue per endpoint, which opens with its first poll, and orders to stop a job. A job whose answer
// could not be written returns to the queue; the next ping that names it, or its result, is the true acknowledgement (worker-api §4.3.3).
import type { FastifyReply } from 'fastify'
import { isOutdated } from '@runyard/core'
import type { Logger } from '@runyard/kit'
import { toJson, type JsonText } from '@runyard/schema'
import { toJsonList, withMembers } from '@runyard/schema/json-join'
import type { Store, TakenJob } from '@runyard/store'
import { sendJson } from '../http/answer.ts'
import type { Traces } from '../parts/traces.ts'
import type { EndpointCache } from '../parts/endpoint-cache.ts'
import { TakeQueue, type TakeRequest } from './take-queue.ts'
import type { WorkerSession } from './worker-session.ts'

export type Dispatcher = ReturnType<typeof createDispatcher>

export interface DispatcherDeps {
  readonly store: Pick<Store, 'jobs'>
  readonly endpoints: Pick<EndpointCache, 'get'>
  readonly log: Logger
  readonly onHanded: (session: WorkerSession, job: TakenJob) => void
}

export function createDispatcher({ store, endpoints, log, onHanded }: DispatcherDeps) {
  const queues = new Map<string, TakeQueue>()
  let closed = false

  async function takeJob(session: WorkerSession): Promise<TakenJob | undefined | null> {
    const job = await store.jobs.take(session.endpointId, session.workerId)
    if (job !== undefined && job !== null) onHanded(session, job)
    return job
  }

  /** Returns undelivered jobs to the front of the queue. */
  async function giveBack(session: WorkerSession, jobs: readonly TakenJob[]): Promise<void> {
    const { endpointId, workerId } = session
    for (const job of jobs) {
      session.undoHandOut(job.id)
      await store.jobs.giveBack(endpointId, job.id, workerId)
      log.warn({ endpointId, jobId: job.id, workerId }, 'a job was returned to the queue: it was not handed over')
    }
  }

  function queueOf(endpointId: string): TakeQueue {
    const known = queues.get(endpointId)
    if (known !== undefined) return known
    const queue = new TakeQueue({ takeJob, giveBack, checkVersion: (session) => markOutdated(endpoints, session) })
    queues.set(endpointId, queue)
    return queue
  }

  return {
    giveBack,
    /** Resolves with jobs, or with none after the hold. @throws RunyardError('store_unavailable') */
    take: (request: TakeRequest): Promise<readonly TakenJob[]> =>
      closed ? Promise.resolve([]) : queueOf(request.session.endpointId).take(request),
    /** The same without the hold. */
    takeNow: (request: TakeRequest): Promise<readonly TakenJob[]> =>
      closed ? Promise.resolve([]) : queueOf(request.session.endpointId).takeNow(request),
    wake(endpointId: string) {
      queues.get(endpointId)?.wake()
    },
    wakeAll() {
      for (const queue of queues.values()) for (let wakes = queue.parkedCount; wakes >= 0; wakes -= 1) queue.wake()
    },
    [Symbol.dispose]() {
      closed = true
      for (const queue of queues.values()) queue.release()
    },
  }
}

/** Known here before the scaler marks the worker, which happens a tick later. */
async function markOutdated(endpoints: Pick<EndpointCache, 'get'>, session: WorkerSession): Promise<void> {
  const endpoint = await endpoints.get(session.endpointId)
  const { record } = session
  if (endpoint === undefined || record === undefined || !isOutdated(record, endpoint)) return
  session.learn({ ...record, outdatedSince: record.outdatedSince ?? Date.now() })
}

interface TakeDeps {
  readonly traces: Pick<Traces, 'handOn'>
  readonly dispatcher: Dispatcher
  readonly log: Logger
}

/** Answers a poll. */
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

/** A worker's pings name a job from then on, or count it as missing (`ping-verdict.ts`). */
const HAND_OVER_WITHIN_MS = 1000

/**
 * The next job for the answer to a result (ADR 28), if one waits. Its take leaves in one write with a result that is expected to end its job (ADR 96),
 * otherwise once the job has ended. It goes back where the result ended no job, or only after Redis had been away. A failure of the take is not one of
 * the result: the next poll reads again.
 * @throws what `settle` throws
 */
export async function takeNext(
  deps: TakeDeps,
  request: TakeRequest,
  settle: (onSent: () => void) => Promise<boolean>,
): Promise<JsonText | undefined> {
  const next = prepareTake(deps, request)
  let isWanted = false
  try {
    const hasEnded = await settle(next.start)
    if (hasEnded) next.start()
    isWanted = hasEnded && next.isFresh()
  } finally {
    if (!isWanted) goBack(deps, request.session, await next.jobs())
  }
  return isWanted ? handOver(deps, request, await next.jobs())[0] : undefined
}

function prepareTake({ dispatcher, log }: TakeDeps, request: TakeRequest) {
  let startedAt: number | undefined
  let taking: Promise<readonly TakenJob[]> = Promise.resolve([])
  return {
    start: (): void => {
      if (startedAt !== undefined) return
      startedAt = Date.now()
      taking = dispatcher.takeNow(request).catch((error: unknown) => {
        log.warn({ err: error, workerId: request.session.workerId }, 'a result is answered without the next job')
        return []
      })
    },
    isFresh: () => Date.now() - (startedAt ?? 0) < HAND_OVER_WITHIN_MS,
    jobs: () => taking,
  }
}

/** The bodies to answer with; if the connection breaks before they are written, the jobs return to the queue. */
function handOver(deps: TakeDeps, { session, signal }: TakeRequest, jobs: readonly TakenJob[]): readonly JsonText[] {
  const onGone = (): void => goBack(deps, session, jobs)
  if (signal.aborted) onGone()
  else signal.addEventListener('abort', onGone, { once: true })
  return jobs.map((job) => toTakenBody(job, deps.traces.handOn({ id: job.id, traceparent: job.submission.traceparent })))
}

function goBack({ dispatcher, log }: TakeDeps, session: WorkerSession, jobs: readonly TakenJob[]): void {
  dispatcher.giveBack(session, jobs).catch((error: unknown) => {
    log.warn({ err: error, workerId: session.workerId }, 'an undelivered job could not be returned to the queue; its lease will expire')
  })
}

/** `s3Config` is for the handler alone (client-api §6), `batchId` for the worker's log (worker-api §4.4), `traceparent` for the spans of either; policy and webhook stay here. */
function toTakenBody({ id, submission }: TakenJob, traceparent: string | undefined): JsonText {
  const { input, s3Config, batchId } = submission
  const head = { id, ...(batchId === undefined ? {} : { batchId }), ...(traceparent === undefined ? {} : { traceparent }) }
  return withMembers(head, { s3Config, input })
}

/**
 * Held until there is a job to stop; each order is sent once (worker-api §9). Every gateway gets the signal of an order and one of them sends it: in the
 * others the order becomes void once the worker gets that job again.
 */
export async function takeStopOrders(
  { store }: { readonly store: Pick<Store, 'jobs'> },
  session: WorkerSession,
  signal: AbortSignal,
): Promise<readonly string[]> {
  await session.holdStopPoll(signal)
  if (signal.aborted) return []
  const orders = session.stopOrders
  const toStop = await store.jobs.renew(session.endpointId, session.workerId, orders)
  session.concludeStops(orders, toStop)
  return toStop
}
