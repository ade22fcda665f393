// Opens what both listeners share: caches, waiters, the dispatcher, the workers, and the one subscription that wakes them all.
import type { Logger } from '@runyard/kit'
import type { Config, Signal } from '@runyard/schema'
import type { Store, TakenJob } from '@runyard/store'
import { openBatchFinisher } from './batch/finish.ts'
import type { GatewayDeps } from './parts/deps.ts'
import { createEndpointCache } from './parts/endpoint-cache.ts'
import { createEventWriter, type EventWriter } from './parts/event-writer.ts'
import { createWaiters, endpointPrefix, jobKey, startKey, type Waiters } from './parts/waiters.ts'
import { openBlobSweep } from './blob-sweep.ts'
import { createGatewayMetrics } from './parts/metrics.ts'
import { openWebhooks } from './webhooks/open-webhooks.ts'
import { createResolve, type Resolve } from './webhooks/name-lookup.ts'
import { createDispatcher } from './workers/dispatcher.ts'
import { replaceIfDeaf } from './workers/ping.ts'
import { createRefusedPolls } from './workers/wrong-key-polls.ts'
import { createWorkerRegistry } from './workers/sessions.ts'
import { createLeaseBook } from './workers/heartbeats.ts'
import { rememberHanded, type WorkerState } from './workers/worker-session.ts'

export interface Gateway extends AsyncDisposable {
  readonly deps: GatewayDeps
}

export interface OpenGatewayOptions {
  readonly store: Store
  readonly config: Config
  readonly log: Logger
  /** How receivers of webhooks are found by name; default: as the system does it. */
  readonly resolve?: Resolve
}

export function openGateway({ store, config, log, resolve = createResolve() }: OpenGatewayOptions): Gateway {
  const closing = new AbortController()
  const events = createEventWriter({ events: store.events, log })
  const waiters = createWaiters()
  const endpoints = createEndpointCache(store.endpoints)
  const dispatcher = createDispatcher({ store, endpoints, log, onHanded: (state, job) => noteHanded({ events, waiters }, state, job) })
  const workers = createWorkerRegistry({ store, log })
  const deps: GatewayDeps = {
    store,
    config,
    log,
    metrics: createGatewayMetrics(),
    endpoints,
    events,
    waiters,
    workers,
    refusedPolls: createRefusedPolls({ store, log }),
    leases: createLeaseBook(store.jobs),
    dispatcher,
    closing: closing.signal,
  }
  const webhooks = openWebhooks(deps, resolve)
  const subscription = store.subscribe((signal) => {
    // Followers of logs and the courier of webhooks listen by themselves.
    if (signal.kind !== 'webhook-due' && signal.kind !== 'worker-logged') receiveSignal(deps, signal)
  })
  const sweep = openBlobSweep({ store, log })
  const batches = openBatchFinisher(deps)
  // Closed in reverse: what starts work before what waits for it, the history last; one that fails to close keeps no other open.
  const parts = new AsyncDisposableStack()
  for (const part of [events, webhooks, subscription, waiters, workers, dispatcher, sweep, batches]) parts.use(part)
  parts.defer(() => closing.abort())
  return { deps, [Symbol.asyncDispose]: () => parts.disposeAsync() }
}

function noteHanded(deps: { events: EventWriter; waiters: Waiters }, state: WorkerState, job: TakenJob): void {
  const { endpointId, workerId } = state
  const { submittedAt, startedAt, attempt } = job
  rememberHanded(state, job.id, { submittedAt, startedAt, attempt })
  deps.waiters.wake(startKey(endpointId, job.id))
  deps.events.add({ at: startedAt, endpointId, kind: 'job_started', jobId: job.id, workerId })
}

const UNREAD = 'a worker’s record could not be read again'
const NOT_REPLACED = 'a worker that cannot be told to stop a job could not be replaced'

function receiveSignal(deps: GatewayDeps, signal: Exclude<Signal, { kind: 'webhook-due' | 'worker-logged' }>): void {
  switch (signal.kind) {
    case 'job-added':
      deps.dispatcher.wake(signal.endpointId)
      return
    case 'job-settled':
    case 'job-chunk':
      deps.waiters.wake(jobKey(signal.endpointId, signal.jobId))
      return
    case 'queue-purged':
      deps.waiters.wakeAll(endpointPrefix(signal.endpointId))
      return
    case 'job-stop':
      deps.workers.orderStop(signal, signal.jobId)
      inBackground(deps, NOT_REPLACED, () => replaceIfDeaf(deps, signal))
      return
    case 'worker-changed':
      inBackground(deps, UNREAD, () => deps.workers.refresh(signal))
      return
    case 'endpoint-changed':
      deps.endpoints.forget(signal.endpointId)
      return
    case 'keys-changed':
      return
    case 'resync':
      deps.endpoints.clear()
      deps.waiters.wakeAll()
      deps.dispatcher.wakeAll()
      inBackground(deps, UNREAD, () => deps.workers.refreshAll())
  }
}

function inBackground(deps: GatewayDeps, failure: string, work: () => Promise<void>): void {
  work().catch((error: unknown) => {
    deps.log.warn({ err: error }, failure)
  })
}
