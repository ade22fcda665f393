// Opens what both listeners share: caches, waiters, the dispatcher, the workers, and the one subscription that wakes them all.
import { showSettings, type Logger, type ShownSetting } from '@runyard/kit'
import type { Config, Prices, Signal } from '@runyard/schema'
import type { Store, TakenJob } from '@runyard/store'
import { openBalancer, type Balancer } from './balancer/balancer.ts'
import { openBatchFinisher } from './batch/finish.ts'
import type { BlobOperation, GatewayDeps } from './parts/deps.ts'
import { createDeployedEndpoints } from './parts/deployed-endpoints.ts'
import { createEndpointCache } from './parts/endpoint-cache.ts'
import { createEventWriter } from './parts/event-writer.ts'
import { followHandedEnds, openTraces } from './parts/traces.ts'
import { openPast } from './parts/past.ts'
import { createHistoryWriter } from './parts/history-writer.ts'
import { createWaiters, endpointPrefix, jobKey, rotationKey, startKey } from './parts/waiters.ts'
import { openNotices } from './webhooks/notices.ts'
import { openBlobSweep } from './blobs.ts'
import { createGatewayMetrics } from './parts/metrics.ts'
import { createTunnels } from './workers/tunnels.ts'
import { openWebhooks } from './webhooks/delivery-loop.ts'
import { createResolve, type Resolve } from './webhooks/name-lookup.ts'
import { createDispatcher } from './workers/dispatcher.ts'
import { createHeartbeats } from './workers/heartbeats.ts'
import { replaceIfDeaf } from './workers/ping.ts'
import type { WorkerPlaneDeps } from './workers/routes.ts'
import { createWorkerSessions } from './workers/sessions.ts'
import type { WorkerAddress, WorkerSession } from './workers/worker-session.ts'
import { createWrongKeyPolls } from './workers/wrong-key-polls.ts'

export interface Gateway extends AsyncDisposable {
  readonly deps: Balancer
}

export interface OpenGatewayOptions {
  readonly store: Store
  readonly config: Config
  readonly log: Logger
  /** Looks up the names of webhook receivers; default: as the system does it. */
  readonly resolve?: Resolve
  /** Default: those of `config`. */
  readonly prices?: () => Prices
  /** Default: those of `config`, without origins. */
  readonly settings?: readonly ShownSetting[]
  /** Default: none is counted. */
  readonly blobErrors?: (operation: BlobOperation) => number
}

export function openGateway(options: OpenGatewayOptions): Gateway {
  const { store, config, log, resolve = createResolve() } = options
  const closing = new AbortController()
  const events = createEventWriter({ events: store.events, log })
  const history = createHistoryWriter({ history: store.history, log })
  const waiters = createWaiters()
  const endpoints = createEndpointCache(store.endpoints)
  const metrics = createGatewayMetrics(store)
  const onHanded = (session: WorkerSession, job: TakenJob): void => noteHanded({ events, waiters, metrics }, session, job)
  const dispatcher = createDispatcher({ store, endpoints, log, onHanded })
  const sessions = createWorkerSessions({ store, log })
  const tunnels = createTunnels()
  const traces = openTraces({ config, log })
  const notices = openNotices({ store, config, log, resolve })
  tunnels.onChange((endpointId) => waiters.wake(rotationKey(endpointId)))
  const deps: WorkerPlaneDeps = {
    store,
    config,
    log,
    metrics,
    ...withDefaults(options),
    notices,
    traces,
    endpoints,
    deployed: createDeployedEndpoints({ store, endpoints }),
    events,
    history,
    past: openPast(store.history),
    waiters,
    sessions,
    wrongKeyPolls: createWrongKeyPolls({ store, log }),
    heartbeats: createHeartbeats(store.jobs),
    dispatcher,
    tunnels,
    closing: closing.signal,
  }
  const balancer = openBalancer(deps)
  const webhooks = openWebhooks(deps, resolve)
  const subscription = store.subscribe((signal) => {
    // Log followers and the delivery of webhooks have subscriptions of their own.
    if (isForGateway(signal)) receiveSignal(deps, signal)
  })
  const sweep = openBlobSweep({ store, log })
  const batches = openBatchFinisher(deps)
  // Closed in reverse: sources of work before what waits for it, the history last. A part that fails to close does not keep the others open.
  const parts = new AsyncDisposableStack()
  for (const part of [events, traces, notices, history, tunnels, balancer, webhooks, subscription]) parts.use(part)
  for (const part of [waiters, sessions, dispatcher, sweep, batches, followHandedEnds({ store, traces, log })]) parts.use(part)
  parts.defer(() => closing.abort())
  return { deps: balancer, [Symbol.asyncDispose]: () => parts.disposeAsync() }
}

function withDefaults({
  config,
  prices,
  settings,
  blobErrors,
}: OpenGatewayOptions): Pick<GatewayDeps, 'prices' | 'settings' | 'blobErrors'> {
  return {
    prices: prices ?? (() => config.prices),
    settings: settings ?? showSettings({ config, origins: {}, dataDir: config.dataDir ?? '' }),
    blobErrors: blobErrors ?? (() => 0),
  }
}

type HandedDeps = Pick<WorkerPlaneDeps, 'events' | 'waiters' | 'metrics'>

function noteHanded(deps: HandedDeps, session: WorkerSession, job: TakenJob): void {
  const { endpointId, workerId } = session
  const { submittedAt, startedAt, attempt } = job
  session.handOut(job.id, { submittedAt, startedAt, attempt, keyId: job.submission.keyId, traceparent: job.submission.traceparent })
  if (attempt === 1) deps.metrics.jobStarted(endpointId, startedAt - submittedAt)
  deps.waiters.wake(startKey(endpointId, job.id))
  deps.events.add({ at: startedAt, endpointId, kind: 'job_started', jobId: job.id, workerId })
}

const UNREAD = 'a worker’s record could not be read again'
const NOT_REPLACED = 'a worker that gets no stop orders could not be replaced'

const FOR_OTHERS = ['webhook-due', 'worker-logged', 'keys-changed', 'requests-changed', 'status-changed', 'pool-changed'] as const
type ForGateway = Exclude<Signal, { kind: (typeof FOR_OTHERS)[number] }>

function isForGateway(signal: Signal): signal is ForGateway {
  return !FOR_OTHERS.some((kind) => kind === signal.kind)
}

function receiveSignal(deps: WorkerPlaneDeps, signal: ForGateway): void {
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
      deps.sessions.orderStop(signal, signal.jobId)
      inBackground(deps, NOT_REPLACED, () => replaceIfDeaf(deps, signal))
      return
    case 'worker-changed':
      inBackground(deps, UNREAD, () => refreshWorker(deps, signal))
      return
    case 'endpoint-changed':
      deps.endpoints.forget(signal.endpointId)
      deps.deployed.forget()
      deps.waiters.wake(rotationKey(signal.endpointId))
      return
    case 'resync':
      deps.endpoints.clear()
      deps.deployed.forget()
      deps.waiters.wakeAll()
      deps.dispatcher.wakeAll()
      inBackground(deps, UNREAD, () => deps.sessions.refreshAll())
  }
}

/** A worker that may take requests again, or not any more, changes the rotation of its endpoint. */
async function refreshWorker({ sessions, waiters }: WorkerPlaneDeps, who: WorkerAddress): Promise<void> {
  await sessions.refresh(who)
  waiters.wake(rotationKey(who.endpointId))
}

function inBackground(deps: WorkerPlaneDeps, failure: string, work: () => Promise<void>): void {
  work().catch((error: unknown) => {
    deps.log.warn({ err: error }, failure)
  })
}
