// GET …/workers/{workerId}/logs: a worker's output as server-sent events (management §3.4, sdk2-api §3.3). The backlog goes out in one
// burst, then what comes (`log-stream.ts`).
import type { ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { RunyardError } from '@runyard/schema'
import type { LogQuery } from '@runyard/schema/api'
import type { Store } from '@runyard/store'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { createAuthentication, type Credentials } from '../../http/authenticate.ts'
import { createWaiters, type Waiters } from '../../parts/waiters.ts'
import type { ManagementModel } from '../model.ts'
import type { TaskModel } from '../task-model.ts'
import { keyOf, restRoutes, type RestApp } from './conventions.ts'
import { followLog, parseCursor, type LogStart, type LogStream } from './log-stream.ts'

export interface LogRouteDeps {
  readonly model: Pick<ManagementModel, 'get'>
  readonly tasks: Pick<TaskModel, 'get'>
  readonly store: Pick<Store, 'endpoints' | 'workers' | 'workerLogs' | 'keys' | 'sessions' | 'subscribe'>
}

export function registerLogRoute(app: RestApp, { model, tasks, store }: LogRouteDeps): void {
  const route = restRoutes(app)
  const stopping = new AbortController()
  app.addHook('preClose', () => stopping.abort())
  const waiters = openNews(app, store)
  const followers = createLogFollowers()
  const authenticate = createAuthentication(store)

  const follow = async (request: LogRequest, reply: FastifyReply, find: FindWorker): Promise<void> => {
    using counted = new DisposableStack()
    counted.use(followers.enter(request.apiKey?.id ?? ''))
    reply.hijack()
    const response = openStream(reply.raw)
    const signal = AbortSignal.any([stopping.signal, closeOf(response)])
    const worker = await find(signal)
    if (worker === undefined) return void reply.raw.end()
    using ticket = waiters.open([worker.workerId], signal)
    const isAllowed = () => isStillAllowed(authenticate, request)
    await followLog({ response, ...worker, source: request.query.source, signal, ticket, isAllowed, store }, startOf(request))
    reply.raw.end()
  }

  route('GET /v2/serverless/:id/workers/:workerId/logs', async (request, reply) => {
    const { id: endpointId, workerId } = request.params
    await model.get(keyOf(request).ownerId, endpointId)
    if (!(await belongs(store, endpointId, workerId))) throw new RunyardError('not_found', `Worker "${workerId}" was not found.`)
    await follow(request, reply, async () => ({ endpointId, workerId }))
  })

  // A client asks right after the creation, when there may be no worker yet.
  route('GET /v2/pods/:id/logs', async (request, reply) => {
    const { id: endpointId } = await tasks.get(keyOf(request).ownerId, request.params.id)
    await follow(request, reply, (signal) => firstWorkerOf(store, endpointId, signal))
  })
}

type LogRequest = Pick<FastifyRequest, 'headers' | 'apiKey'> & { readonly query: LogQuery }
type FindWorker = (signal: AbortSignal) => Promise<Pick<LogStream, 'endpointId' | 'workerId'> | undefined>

const LOOK_FOR_WORKER_MS = 500

/** Undefined: the task or its reader has gone. */
async function firstWorkerOf(store: LogRouteDeps['store'], endpointId: string, signal: AbortSignal): ReturnType<FindWorker> {
  while (!signal.aborted && (await store.endpoints.get(endpointId)) !== undefined) {
    const [worker] = await store.workers.list(endpointId)
    if (worker !== undefined) return { endpointId, workerId: worker.id }
    await sleep(LOOK_FOR_WORKER_MS, undefined, { signal }).catch(() => undefined)
  }
  return undefined
}

/** News of workers, by their id. */
function openNews(app: RestApp, store: LogRouteDeps['store']): Waiters {
  const waiters = createWaiters()
  const subscription = store.subscribe((signal) => {
    if (signal.kind === 'resync') waiters.wakeAll()
    else if (signal.kind === 'worker-logged' || signal.kind === 'worker-changed') waiters.wake(signal.workerId)
  })
  app.addHook('onClose', async () => {
    waiters[Symbol.dispose]()
    await subscription[Symbol.asyncDispose]()
  })
  return waiters
}

/** A store that is away revokes nothing. */
export async function isStillAllowed(authenticate: (request: Credentials) => Promise<unknown>, request: Credentials): Promise<boolean> {
  try {
    await authenticate(request)
    return true
  } catch (error) {
    return !(error instanceof RunyardError && error.code === 'unauthorized')
  }
}

/** Last-Event-ID beats since beats tail. */
function startOf({ headers, query }: { readonly headers: FastifyRequest['headers']; readonly query: LogQuery }): LogStart {
  const cursor = parseCursor(String(headers['last-event-id'] ?? ''))
  return { tail: query.tail, cursor, sinceMs: query.since }
}

/** A worker that is gone keeps its lines for a while. */
async function belongs(store: LogRouteDeps['store'], endpointId: string, workerId: string): Promise<boolean> {
  if ((await store.workers.get(endpointId, workerId)) !== undefined) return true
  return (await store.workers.getGone(workerId))?.record.endpointId === endpointId
}

export function closeOf(response: ServerResponse): AbortSignal {
  const closed = new AbortController()
  response.once('close', () => closed.abort())
  if (response.destroyed) closed.abort()
  return closed.signal
}

export function openStream(response: ServerResponse): ServerResponse {
  response.writeHead(200, {
    'content-type': 'text/event-stream',
    'cache-control': 'no-cache',
    connection: 'keep-alive',
    'x-accel-buffering': 'no',
  })
  response.flushHeaders()
  return response
}

export interface FollowerLimit {
  readonly most: number
  readonly what: string
}

/** Each open stream costs reads for as long as it lasts. */
const LOGS: FollowerLimit = { most: 20, what: 'logs' }

export function createLogFollowers({ most, what } = LOGS) {
  const open = new Map<string, number>()
  return {
    /** @throws RunyardError('too_many_requests'). The stream is counted until it is disposed. */
    enter(keyId: string): Disposable {
      const others = open.get(keyId) ?? 0
      if (others >= most) {
        throw new RunyardError('too_many_requests', `This API key follows ${most} ${what} already; end one of them first.`, {
          refusal: 'log_followers',
        })
      }
      open.set(keyId, others + 1)
      return {
        [Symbol.dispose]() {
          const left = (open.get(keyId) ?? 1) - 1
          if (left === 0) open.delete(keyId)
          else open.set(keyId, left)
        },
      }
    },
  }
}
