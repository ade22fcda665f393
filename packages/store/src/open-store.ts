// Composes the store. Its resources are closed in reverse order.
import type { Redis } from 'ioredis'
import { createKeyStore } from './api-keys/api-keys.ts'
import { createKeyUses } from './api-keys/key-uses.ts'
import { createSessionStore } from './api-keys/sessions.ts'
import { createArtifactStore } from './blobs/artifacts.ts'
import { createBatchStore } from './batches/batches.ts'
import { createCardStore } from './cards/cards.ts'
import { connect, followAnswers } from './connection.ts'
import type { StoreContext } from './context.ts'
import { ensureDataVersion } from './data/data-version.ts'
import { createEndpointCache } from './endpoints/endpoint-lists.ts'
import { createEndpointStore } from './endpoints/endpoints.ts'
import { toStoreError, translateErrors } from './errors.ts'
import { createEventStore, createStatusStore } from './endpoints/history.ts'
import { createRequestStore } from './endpoints/requests.ts'
import { createWorkerLogStore } from './workers/worker-logs.ts'
import { createHistoryStore, type HistoryStore } from './history/history.ts'
import { createHostStore } from './hosts/hosts.ts'
import { createInstance } from './instance.ts'
import { createJobStore } from './jobs/jobs.ts'
import { createJustSettled } from './jobs/just-settled.ts'
import { createKeys } from './keys.ts'
import { createLeaderStore, createScalerReportStore } from './leader/leader.ts'
import { createLedgerStore } from './ledger/ledger.ts'
import { createLoginStore } from './logins/logins.ts'
import { createMeasureStore, createTracedEndStore } from './measures.ts'
import { createPayloads } from './blobs/payloads.ts'
import { createPrivateImageStore } from './resources/private-images.ts'
import { findProblems, readFacts, readMemory } from './problems.ts'
import { createRun } from './scripts/run-script.ts'
import { createNoticeStore } from './notices/notices.ts'
import { openSignals, sendOnly } from './signals.ts'
import { createManifestStore, createResourceStores } from './resources/resources.ts'
import { createUploadStore } from './resources/uploads.ts'
import { createReleaseStore } from './endpoints/releases.ts'
import type { OpenStoreOptions } from './store-options.ts'
import type { Store, StoreUnderTerm } from './types.ts'
import { createVolumeStore } from './volumes/volumes.ts'
import { createWebhookStore } from './webhooks/webhooks.ts'
import { createWorkerStore } from './workers/workers.ts'

const DEFAULT_CONNECT_WAIT_MS = 10_000
const DEFAULT_SIGNAL_CHECK_MS = 15_000
/** Long enough for a 64 MB value on a slow disk, short enough that a hung Redis is noticed. */
const DEFAULT_ANSWER_MS = 10_000

/**
 * Opens the store. Afterwards it heals by itself: while Redis is away every call fails at once and `isUp` says so.
 * @throws RunyardError('store_unavailable') when Redis does not answer within `connectWaitMs`.
 */
export async function openStore(options: OpenStoreOptions): Promise<Store> {
  await using opening = new AsyncDisposableStack()
  const context = await openContext(options, opening)
  const uses = opening.use(createKeyUses(context))
  const keys = opening.use(createKeyStore(context, uses))
  const sessions = opening.use(createSessionStore(context, uses))
  const jobs = createJobStore(context)
  const { [Symbol.asyncDispose]: _dispose, ...keyFunctions } = keys
  const { [Symbol.asyncDispose]: _disposeSessions, ...sessionFunctions } = sessions
  const scope = opening.move()

  return {
    endpoints: translateErrors(createEndpointStore(context, jobs)),
    resources: createResourceStores(context, translateErrors),
    releases: translateErrors(createReleaseStore(context)),
    manifests: translateErrors(createManifestStore(context)),
    uploads: translateErrors(createUploadStore(context)),
    privateImages: translateErrors(createPrivateImageStore(context)),
    keys: translateErrors(keyFunctions),
    sessions: translateErrors(sessionFunctions),
    logins: translateErrors(createLoginStore(context)),
    jobs: translateErrors(jobs),
    workers: translateErrors(createWorkerStore(context)),
    ledger: translateErrors(createLedgerStore(context)),
    workerLogs: translateErrors(createWorkerLogStore(context)),
    events: translateErrors(createEventStore(context)),
    status: translateErrors(createStatusStore(context)),
    requests: translateErrors(createRequestStore(context)),
    history: openHistory(context),
    hosts: translateErrors(createHostStore(context)),
    cards: translateErrors(createCardStore(context)),
    volumes: translateErrors(createVolumeStore(context)),
    webhooks: translateErrors(createWebhookStore(context)),
    notices: translateErrors(createNoticeStore(context)),
    batches: translateErrors(createBatchStore(context)),
    artifacts: createArtifactStore(context),
    leader: translateErrors(createLeaderStore(context)),
    scalerReport: translateErrors(createScalerReportStore(context)),
    measures: translateErrors(createMeasureStore(context)),
    tracedEnds: translateErrors(createTracedEndStore(context)),
    underTerm: (term) => openUnderTerm(context, term),
    ...translateErrors(context.installation),
    ...connectionOf(context),
    [Symbol.asyncDispose]: () => scope.disposeAsync(),
  }
}

function openHistory(context: StoreContext): HistoryStore {
  const { isKept, ...functions } = createHistoryStore(context)
  return { isKept, ...translateErrors(functions) }
}

function connectionOf(
  context: StoreContext,
): Pick<Store, 'subscribe' | 'publish' | 'problems' | 'redisMemory' | 'redisFacts' | 'isUp' | 'silentMs' | 'isAnswering' | 'timeScripts'> {
  const { client, signals, timing } = context
  return {
    subscribe: (onSignal) => signals.subscribe(onSignal),
    publish: (signal) => signals.publish(signal),
    problems: () => findProblems(context),
    ...translateErrors({ redisMemory: () => readMemory(context), redisFacts: () => readFacts(context) }),
    isUp: () => client.status === 'ready',
    silentMs: context.answers.silentMs,
    // Redis refuses a ping, too, while it refuses writes; that is an answer.
    isAnswering: () =>
      client.ping().then(
        () => true,
        (error: unknown) => error instanceof Error && error.name === 'ReplyError',
      ),
    timeScripts: (onAnswer) => {
      timing.onAnswer = onAnswer
    },
  }
}

/** Opens nothing: the same commands on the same connection, each with the term. */
function openUnderTerm(context: StoreContext, term: number): StoreUnderTerm {
  const { client, keys, signals, answers } = context
  const fence = { term, fenceOf: keys.fenceOf }
  const fenced = { ...context, run: createRun({ client, signals, fence, answers }) }
  const jobs = createJobStore(fenced)
  return {
    endpoints: translateErrors(createEndpointStore(fenced, jobs)),
    jobs: translateErrors(jobs),
    workers: translateErrors(createWorkerStore(fenced)),
    ledger: translateErrors(createLedgerStore(fenced)),
    status: translateErrors(createStatusStore(fenced)),
    requests: translateErrors(createRequestStore(fenced)),
    hosts: translateErrors(createHostStore(fenced)),
    scalerReport: translateErrors(createScalerReportStore(fenced)),
    cards: translateErrors(createCardStore(fenced)),
    volumes: translateErrors(createVolumeStore(fenced)),
  }
}

/**
 * Only the logs of workers, over one connection that hears no signals: each signal would cost its process a wake-up. For a thread of a process
 * that has opened the store.
 */
export async function openWorkerLogs(options: OpenStoreOptions): Promise<Pick<Store, 'workerLogs'> & AsyncDisposable> {
  await using opening = new AsyncDisposableStack()
  const keys = createKeys(options.prefix ?? 'runyard')
  const client = await openConnection(options, options.name ?? 'runyard', opening)
  const run = createRun({ client, signals: sendOnly(keys.signals) })
  const scope = opening.move()
  return {
    workerLogs: translateErrors(createWorkerLogStore({ client, keys, run })),
    [Symbol.asyncDispose]: () => scope.disposeAsync(),
  }
}

async function openConnection(options: OpenStoreOptions, name: string, scope: AsyncDisposableStack): Promise<Redis> {
  const { redisUrl, connectWaitMs: waitMs = DEFAULT_CONNECT_WAIT_MS, answerMs = DEFAULT_ANSWER_MS, onError = ignore } = options
  return scope.adopt(await connect({ redisUrl, name, waitMs, answerMs, onError }), async (client) => {
    // QUIT lets what is in flight finish; where Redis does not answer, the socket is just dropped.
    await client.quit().catch(() => client.disconnect())
  })
}

const ignore = (): void => undefined

async function openContext(options: OpenStoreOptions, scope: AsyncDisposableStack): Promise<StoreContext> {
  const { name = 'runyard', onError = ignore } = options
  const keys = createKeys(options.prefix ?? 'runyard')
  const client = await openConnection(options, name, scope)
  const subscriber = await openConnection(options, `${name}-signals`, scope)
  const checkEveryMs = options.signalCheckMs ?? DEFAULT_SIGNAL_CHECK_MS
  await ensureDataVersion({ client, keys }).catch((error: unknown) => {
    throw toStoreError(error)
  })
  const signals = await openSignals({ commands: client, subscriber, channel: keys.signals, checkEveryMs, onError }).catch(
    (error: unknown) => {
      throw toStoreError(error)
    },
  )
  const installation = createInstance({ client, keys })
  const instanceId = async () => (await installation.instance()).id
  const endpointCache = createEndpointCache(signals)
  const payloads = createPayloads({ client, keys, onError, blobs: options.blobs, instanceId })
  const timing = { onAnswer: undefined }
  const answers = followAnswers(client, options.answerMs ?? DEFAULT_ANSWER_MS)
  const run = createRun({ client, signals, timing, answers })
  return {
    client,
    keys,
    run,
    timing,
    answers,
    signals,
    payloads,
    justSettled: createJustSettled(),
    installation,
    instanceId,
    options,
    onError,
    endpointCache,
  }
}
