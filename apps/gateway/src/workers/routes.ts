// The worker plane's table of routes (worker-api §1). A worker's token is checked before a body is read. Polls are answered 200, 204 or 429 and never
// otherwise: any other answer makes the SDK spin (worker-api §4.2, §4.3.4).
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { clampMs, WEEK_MS, type JobTimings } from '@runyard/schema'
import type { GatewayDeps } from '../parts/deps.ts'
import { isStoreAway, retryWhileAway } from '../parts/store-outage.ts'
import { guardWith, isJobId } from '../http/access.ts'
import { answerErrors, sendError, type Failure } from '../http/errors.ts'
import { clientGone, sendJson } from '../http/answer.ts'
import { readBodies } from '../http/bodies.ts'
import { bytesOf } from '../http/json-body.ts'
import { addRoute } from '../http/add-route.ts'
import { queryOf } from '../http/query.ts'
import { takeJobs, takeNext, takeStopOrders, type Dispatcher } from './dispatcher.ts'
import { noteContact, type Heartbeats } from './heartbeats.ts'
import { receivePing } from './ping.ts'
import { createPostAdmission } from './post-admission.ts'
import { readChunk, readResult } from './result-body.ts'
import { receiveChunk, receiveResult, type Post } from './results.ts'
import type { Tunnels } from './tunnels.ts'
import type { WorkerSessions } from './sessions.ts'
import type { WorkerSession } from './worker-session.ts'
import type { WrongKeyPolls } from './wrong-key-polls.ts'

declare module 'fastify' {
  interface FastifyRequest {
    worker: WorkerSession | null
  }
}

const BACK_OFF_S = 5
const ANSWER_AFTER_MS = 1000
/** Less than the silence after which our agent gives up its connection. */
const KEPT_POST_HOLD_MS = 20_000

export interface WorkerPlaneDeps extends GatewayDeps {
  readonly sessions: WorkerSessions
  readonly wrongKeyPolls: WrongKeyPolls
  readonly heartbeats: Heartbeats
  readonly dispatcher: Dispatcher
  readonly tunnels: Tunnels
}

interface WorkerParams {
  readonly endpointId: string
  readonly workerId: string
  readonly jobId: string
}

export async function registerWorkerPlane(app: FastifyInstance, deps: WorkerPlaneDeps): Promise<void> {
  const base = '/v2/:endpointId'
  await app.register(async (scope) => {
    enterWorkers(scope, deps)
    answerErrors(scope, { log: deps.log, special: (failure) => answerPollError(deps, failure) })
    for (const name of ['job-take', 'job-take-batch']) {
      addRoute(scope, { methods: ['GET'], url: `${base}/${name}/:workerId`, handler: takeHandler(deps) })
    }
    addRoute(scope, { methods: ['GET'], url: `${base}/job-stop/:workerId`, handler: stopHandler(deps) })
  })
  await app.register(async (scope) => {
    enterWorkers(scope, deps)
    readBodies(scope, 'bytes')
    answerErrors(scope, { log: deps.log, special: (failure) => failOversized(deps, failure) })
    const bodyLimit = deps.config.limits.resultBytes
    const admission = createPostAdmission(deps)
    const onRequest = async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply | undefined> =>
      (await admission.admit(postOf(request, workerOf(request)), request, reply)) ? undefined : reply
    scope.addHook('preHandler', async (request) => admission.spend(workerOf(request), bytesOf(request).length))
    addRoute(scope, { methods: ['POST'], url: `${base}/job-done/:workerId/:jobId`, bodyLimit, onRequest, handler: doneHandler(deps) })
    addRoute(scope, { methods: ['POST'], url: `${base}/job-stream/:workerId/:jobId`, bodyLimit, onRequest, handler: chunkHandler(deps) })
  })
  await app.register(async (scope) => {
    enterWorkers(scope, deps)
    answerErrors(scope, {
      log: deps.log,
      special: ({ error, reply }) => (isStoreAway(error) ? reply.code(200).send(STORE_AWAY) : undefined),
    })
    addRoute(scope, { methods: ['GET'], url: `${base}/ping/:workerId`, handler: pingHandler(deps) })
  })
}

/** While Redis is away a worker that posts is held, since its post would be held, too. */
function enterWorkers(scope: FastifyInstance, deps: WorkerPlaneDeps): void {
  scope.decorateRequest('worker', null)
  guardWith(scope, async (request) => {
    const enter = (): Promise<WorkerSession> => deps.sessions.enter(paramsOf(request), request.headers.authorization)
    const session = await (request.method === 'POST' ? retryWhileAway(enter, deps.closing, holdMsOf(request)) : enter())
    const version = versionOf(request)
    if (version !== undefined) session.sdkVersion = version
    request.worker = session
  })
}

function takeHandler(deps: WorkerPlaneDeps) {
  return async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    const session = workerOf(request)
    const batch = request.url.includes('/job-take-batch/')
    session.hasPolled = true
    noteContact(deps, session)
    return takeJobs(deps, { session, batch, max: batch ? batchSizeOf(request) : 1, signal: clientGone(reply) }, reply)
  }
}

function stopHandler(deps: WorkerPlaneDeps) {
  return async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    const jobsToStop = await takeStopOrders(deps, workerOf(request), AbortSignal.any([clientGone(reply), deps.closing]))
    return jobsToStop.length === 0 ? reply.code(204).send() : reply.send({ jobsToStop })
  }
}

function doneHandler(deps: WorkerPlaneDeps) {
  return async (request: FastifyRequest, reply: FastifyReply): Promise<unknown> => {
    const session = workerOf(request)
    const posted = { result: await readResult(bytesOf(request)), timings: timingsOf(request) }
    const settle = (onSent?: () => void): Promise<boolean> => receiveResult(deps, { ...postOf(request, session), onSent }, posted)
    const next = wantsNext(request)
      ? await takeNext(deps, { session, max: 1, signal: clientGone(reply) }, settle)
      : await settle().then(() => undefined)
    return next === undefined ? { ok: true } : sendJson(reply, next)
  }
}

function chunkHandler(deps: WorkerPlaneDeps) {
  return async (request: FastifyRequest): Promise<unknown> => {
    const post = postOf(request, workerOf(request))
    await receiveChunk(deps, post, await readChunk(bytesOf(request)))
    return { ok: true }
  }
}

function pingHandler(deps: WorkerPlaneDeps) {
  return async (request: FastifyRequest): Promise<unknown> => {
    const query = queryOf(request)
    const jobIds = typeof query['job_id'] === 'string' ? query['job_id'].split(',').filter(isJobId) : []
    const unhealthy = query['status'] === 'unhealthy' ? { check: String(query['check']), reason: String(query['reason']) } : undefined
    await receivePing(deps, workerOf(request), { jobIds, unhealthy })
    return { ok: true }
  }
}

/** 429 is the only answer after which the SDK pauses; those before 1.7.3 do not even then, so the answer itself takes a while. */
async function answerPollError(
  { log, closing, wrongKeyPolls }: WorkerPlaneDeps,
  { error, wire, request, reply }: Failure,
): Promise<FastifyReply | undefined> {
  if (wire.httpStatus === 405) return undefined
  if (wire.httpStatus === 401) await wrongKeyPolls.note(paramsOf(request))
  else log.warn({ err: error, route: request.routeOptions.url }, 'a worker’s poll failed; it is asked to come back later')
  await pause(closing)
  return sendError(reply, { ...wire, httpStatus: 429, retryAfterS: BACK_OFF_S })
}

async function pause(closing: AbortSignal): Promise<void> {
  try {
    await sleep(ANSWER_AFTER_MS, undefined, { signal: closing, ref: false })
  } catch {
    // The gateway stops: no need to wait.
  }
}

/** The answer to a ping while Redis is away: refused, it would be repeated at once, and the following pings would be late (worker-api §8). */
const STORE_AWAY = { ok: false } as const

/** A result over the limit fails its job with that sentence; otherwise neither caller nor operator would learn of it. */
async function failOversized(deps: WorkerPlaneDeps, { error, request, reply }: Failure): Promise<FastifyReply | undefined> {
  const tooLarge = (error as Partial<FastifyError>).code === 'FST_ERR_CTP_BODY_TOO_LARGE'
  if (!tooLarge || request.worker === null) return undefined
  const sentence = `the result is larger than ${deps.config.limits.resultBytes} bytes (limits.resultBytes)`
  const outcome = { status: 'FAILED', error: sentence } as const
  const post = postOf(request, request.worker)
  await receiveResult(deps, post, { result: { kind: 'end', outcome, stopPod: false }, timings: undefined })
  return reply.code(200).send({ error: sentence })
}

function paramsOf(request: FastifyRequest): WorkerParams {
  return request.params as WorkerParams
}

function workerOf(request: FastifyRequest): WorkerSession {
  if (request.worker === null) throw new Error('a worker route ran without its hook')
  return request.worker
}

const LARGEST_BATCH = 64

function batchSizeOf(request: FastifyRequest): number {
  const size = Number(queryOf(request)['batch_size'])
  return Number.isInteger(size) && size > 0 ? Math.min(size, LARGEST_BATCH) : 1
}

const LONGEST_VERSION = 64

/** From the ping's query or from `User-Agent: RunPod-Python-SDK/1.12.0 (…)` (worker-api §15). */
function versionOf(request: FastifyRequest): string | undefined {
  const query = queryOf(request)['runpod_version']
  if (typeof query === 'string') return query.slice(0, LONGEST_VERSION)
  return /^RunPod-Python-SDK\/(\S{1,64})/i.exec(request.headers['user-agent'] ?? '')?.[1]
}

function postOf(request: FastifyRequest, session: WorkerSession): Post {
  return { session, jobId: paramsOf(request).jobId, name: postNameOf(request) ?? randomUUID(), holdMs: holdMsOf(request) }
}

/** `X-Runyard-Post`: the name of a post that our agent keeps and repeats until it is accepted. */
function postNameOf({ headers }: FastifyRequest): string | undefined {
  const name = headers['x-runyard-post']
  return typeof name === 'string' && /^[\w-]{1,36}$/.test(name) ? name : undefined
}

/** Undefined: as long as possible, since an SDK drops a refused post. */
function holdMsOf(request: FastifyRequest): number | undefined {
  return postNameOf(request) === undefined ? undefined : KEPT_POST_HOLD_MS
}

/** `X-Runyard-Next: 1`, sent by our agent only, when its next poll would follow at once (ADR 28). */
function wantsNext(request: FastifyRequest): boolean {
  return request.headers['x-runyard-next'] === '1'
}

/**
 * `X-Runyard-Timings: {"enteredAt":<epoch ms>,"returnedAt":<epoch ms>}`, sent by our agent; anything else is ignored. User code can send it, too, so
 * times are clamped: none lies in the future, or further back than the longest life of a job.
 */
function timingsOf(request: FastifyRequest): JobTimings | undefined {
  const header = request.headers['x-runyard-timings']
  if (typeof header !== 'string') return undefined
  try {
    const given = JSON.parse(header) as Record<string, unknown>
    const range = { min: Date.now() - WEEK_MS, max: Date.now() }
    const enteredAt = clampMs(given['enteredAt'], range)
    const returnedAt = clampMs(given['returnedAt'], range)
    return { ...(enteredAt === undefined ? {} : { enteredAt }), ...(returnedAt === undefined ? {} : { returnedAt }) }
  } catch {
    return undefined
  }
}
