// Starting one worker: its record first (so that no container is ever without one), then image, environment, container.
// A failed start is removed at once and its sentence recorded; after an aborted one the stop removes the rest.
import { createHash } from 'node:crypto'
import {
  cardsIn,
  cpuSharesOf,
  diskBytesOf,
  endsRest,
  nestedCalls,
  resolveImage,
  resolveStart,
  restAfter,
  restsUntil,
  runtimeOf,
  startCommandOf,
  workerEnvironment,
  type HostFault,
  type StartAction,
} from '@runyard/core'
import { sentenceOf } from '@runyard/kit'
import { REASONS, RunyardError } from '@runyard/schema'
import type { Endpoint, ErrorCode, LaunchedBuild, Reason, StartFault, WorkerLaunch, WorkerRecord } from '@runyard/schema'
import { filledEnvironment } from '@runyard/store'
import { driverOf, hostOf, recordTransition, type ActDeps } from './act-deps.ts'
import { activeBuild, appLaunch, checkPython, packedBuild, type AppLaunch } from './builds.ts'
import { isStale } from './chains.ts'
import { clearAway } from './clear-away.ts'
import type { HostWatch } from './host-watch.ts'
import { bringImage } from './pin-image.ts'
import { accessTo } from './pull-access.ts'
import { withModels } from './models.ts'
import { claimVolumes, mountsOf, notMounted, withVolumes } from './volumes.ts'

export interface PlacedWorker {
  readonly record: WorkerRecord
  readonly endpoint: Endpoint
}

/** Writes the record: from here on the worker counts as supply and holds its GPUs. */
export async function placeWorker(deps: ActDeps, action: StartAction, worker: { readonly id: string; readonly endpoint: Endpoint }) {
  const { id, endpoint } = worker
  await claimVolumes(deps.store, action)
  const build = await activeBuild(deps.store, endpoint)
  const record: WorkerRecord = {
    id,
    endpointId: action.endpointId,
    hostId: action.hostId,
    specHash: endpoint.specHash,
    endpointVersion: endpoint.version,
    image: resolveImage(endpoint.spec.image, deps.config).image,
    ...(build === undefined ? {} : { buildId: build.id }),
    gpus: [...action.gpus],
    ...(action.cpus === undefined ? {} : { cpus: action.cpus }),
    ...(action.memoryBytes === undefined ? {} : { memoryBytes: action.memoryBytes }),
    ...(action.volumes === undefined ? {} : { volumeIds: action.volumes.map((volume) => volume.id) }),
    startReason: action.reason,
    createdAt: Date.now(),
  }
  await deps.store.workers.create(record)
  return { record, endpoint } satisfies PlacedWorker
}

/** Resolves when the container runs, or when a failed start is cleared away. Never rejects for a host's refusal. */
export async function startWorker(deps: ActDeps, placed: PlacedWorker, signal: AbortSignal): Promise<void> {
  const noted = notePlacement(deps, placed)
  try {
    await bringUp(deps, placed, signal)
  } finally {
    await noted
  }
}

/** Continues the starts of an earlier scaler. Starting twice does no harm, because a host starts a worker once. */
export async function resumeWorker(
  deps: ActDeps,
  { endpointId, workerId, hostId, endpoint }: { endpointId: string; workerId: string; hostId: string; endpoint: Endpoint },
  signal: AbortSignal,
): Promise<void> {
  const record = await deps.store.workers.get(endpointId, workerId)
  if (record === undefined || record.specHash !== endpoint.specHash) return
  deps.log.info({ endpointId, workerId, hostId, ageMs: Date.now() - record.createdAt }, 'goes on with a start that another scaler began')
  await openInterval(deps, { record, endpoint })
  await bringUp(deps, { record: { ...record, hostId }, endpoint }, signal)
}

async function bringUp(deps: ActDeps, placed: PlacedWorker, signal: AbortSignal): Promise<void> {
  const { record } = placed
  const host = hostOf(deps, record.hostId)
  try {
    if (host === undefined) throw new RunyardError('not_found', `The host ${record.hostId} is not there.`, { fault: 'host' })
    await launchOn(deps, host, { placed, signal })
  } catch (error) {
    // The next leader continues with it.
    if (signal.aborted || isStale(error)) return
    await failStart(deps, record, error)
  }
}

function openInterval({ store }: ActDeps, { record, endpoint: { keyId } }: PlacedWorker): Promise<void> {
  const { id: workerId, endpointId, hostId, gpus, startReason: reason, createdAt: at } = record
  // Lua would write an empty list as an empty object.
  const cards = gpus.length === 0 ? {} : { cards: gpus.map(({ uuid }) => uuid) }
  const whose = { workerId, endpointId, hostId, reason, ...cards, ...(keyId === undefined ? {} : { keyId }) }
  return store.ledger.transition({ ...whose, gpuType: gpus[0]?.name ?? null, gpuCount: gpus.length, state: 'initializing', at })
}

async function notePlacement(deps: ActDeps, placed: PlacedWorker): Promise<void> {
  const { record } = placed
  const { id: workerId, endpointId, hostId, gpus, startReason, createdAt: at } = record
  const name = driverOf(deps, hostId)?.label ?? hostId
  const where = gpus.length === 0 ? name : `${name} (${gpus.map((gpu) => gpu.name + (gpu.simulated ? ', simulated' : '')).join(', ')})`
  await Promise.all([
    openInterval(deps, placed),
    recordTransition(deps, {
      kind: 'worker_placed',
      endpointId,
      workerId,
      hostId,
      at,
      reason: startReason,
      message: `worker ${workerId} placed on ${where}: ${REASONS[startReason]}`,
      system: `create container ${record.image}`,
    }),
  ])
}

async function launchOn(
  deps: ActDeps,
  host: HostWatch,
  { placed, signal }: { readonly placed: PlacedWorker; readonly signal: AbortSignal },
): Promise<void> {
  const { record, endpoint } = placed
  const { driver } = host
  const onProgress = (line: string): void => {
    void deps.store.workerLogs.append(record.id, 'system', [{ at: Date.now(), line }]).catch(() => undefined)
  }
  // Before the image is pulled: what names a secret that does not exist would not start.
  const env = await filledEnvironment(deps.store, endpoint)
  const withSecrets = { ...endpoint, spec: { ...endpoint.spec, env } }
  const app = await appLaunch(deps.store, record, withSecrets)
  app?.notes.forEach(onProgress)
  const build = app?.build ?? (await packedBuild(deps.store, driver, placed))
  const filled = { record, endpoint: { ...withSecrets, spec: app?.spec ?? withSecrets.spec }, app, build }
  const mounts = mountsOf(record, endpoint, host.config())
  const access = await accessTo(deps.store, endpoint, record.image)
  const bring = (image: string) => deps.images.ensure(driver, image, { ...access, onProgress, signal })
  const [launch, image, models] = await Promise.all([
    toLaunch(deps, host, filled),
    bringImage(deps, { driver, placed, bring }),
    deps.models.ensure(driver, withSecrets, { onProgress, signal }),
    build && deps.builds.ensure(driver, build, onProgress),
  ])
  if (app !== undefined && launch.withAgent) await checkPython(driver, image, app.build)
  const imageReadyAt = Date.now()
  signal.throwIfAborted()
  if (!(await mayStart(deps, record))) return
  const whole = withModels(withVolumes({ ...launch, image }, mounts), models)
  await deps.gate({ hostId: record.hostId }, () => driver.startWorker(whole))
  notMounted(driver, whole).forEach(onProgress)
  deps.logs.follow(driver, record.id)
  await noteStart(deps, record, { imageReadyAt, ...jobsAtOnceIn(launch.env) })
}

/** Empty: nothing is said. */
function jobsAtOnceIn({ RUNPOD_MAX_CONCURRENCY: text = '' }: Readonly<Record<string, string>>): Pick<WorkerRecord, 'jobsAtOnce'> {
  return /^[1-9]\d{0,3}$/u.test(text) ? { jobsAtOnce: Number(text) } : {}
}

async function noteStart(deps: ActDeps, record: WorkerRecord, known: Pick<WorkerRecord, 'imageReadyAt' | 'jobsAtOnce'>): Promise<void> {
  const { id: workerId, endpointId, hostId, startReason: reason, createdAt } = record
  const at = Date.now()
  deps.numbers.workerStarted(endpointId, reason)
  await Promise.all([
    endRest(deps, record),
    deps.store.workers.patch({ endpointId, workerId, fields: { ...known, containerStartedAt: at }, quiet: true }),
    recordTransition(deps, {
      kind: 'worker_started',
      endpointId,
      workerId,
      hostId,
      at,
      reason,
      message: `worker ${workerId} started`,
      system: `start container for ${record.image}: begin`,
      facts: { startMs: at - createdAt },
    }),
  ])
}

/** The last check before the container is created: the record exists, this scaler leads, and no other worker holds one of its GPUs. */
async function mayStart(deps: ActDeps, record: WorkerRecord): Promise<boolean> {
  const answer = await deps.store.workers.mayStart(record)
  if (answer === 'card_held') {
    const message = `worker ${record.id} was placed on a card that another worker holds`
    await clearAway(deps, record, { reason: 'start_failed', exit: undefined, message, isStartFailure: false })
  }
  return answer === 'yes'
}

/** One per owner, since a worker could change what others install from it. */
function cacheFor(
  { dependencyCacheBytes: maxBytes }: ActDeps['config'],
  { hasRunner, ownerId }: { readonly hasRunner: boolean; readonly ownerId: string },
): WorkerLaunch['cache'] {
  return maxBytes === 0 || !hasRunner ? undefined : { id: createHash('sha256').update(ownerId).digest('hex').slice(0, 12), maxBytes }
}

/** What a worker reads about a host whose inventory is not known. */
const UNKNOWN_HOST = { cpuCount: 1, memoryBytes: 0 }

interface FilledWorker extends PlacedWorker {
  readonly app: AppLaunch | undefined
  /** Of the app, or the archive that its image unpacks. */
  readonly build: LaunchedBuild | undefined
}

async function toLaunch(deps: ActDeps, host: HostWatch, { record, endpoint, app, build }: FilledWorker): Promise<WorkerLaunch> {
  const { hasRunner, envelope, ...start } = resolveStart(endpoint, deps.config, app?.envelope)
  const limits = { cpus: record.cpus, memoryBytes: record.memoryBytes }
  const inventory = host.view(Date.now()).inventory
  const [planeUrl, authority, token, apiKey] = await Promise.all([
    host.driver.planeUrl(),
    start.withAgent ? deps.authority() : undefined,
    deps.store.workerToken(record.endpointId, record.id),
    endpoint.task === undefined ? undefined : deps.store.keys.ofTask(endpoint.id),
  ])
  const access = { planeUrl, token, apiKey, nested: nestedCalls(host.driver.planeName, planeUrl, authority) }
  return {
    workerId: record.id,
    endpointId: record.endpointId,
    specHash: record.specHash,
    endpointVersion: record.endpointVersion,
    ...start,
    // The host starts the agent by itself.
    ...startCommandOf(hasRunner ? { args: '' } : endpoint.spec),
    env: workerEnvironment({
      ...limits,
      endpoint,
      workerId: record.id,
      ...access,
      gpus: record.gpus,
      host: inventory ?? UNKNOWN_HOST,
      envelope,
      pingIntervalMs: deps.config.lease.pingIntervalS * 1000,
      caBundle: deps.caBundle,
      dependencyLimitS: deps.config.dependencyLimitS,
      preload: hasRunner ? host.config()?.preload : undefined,
    }),
    gpus: record.gpus,
    ...limits,
    build,
    cache: cacheFor(deps.config, { hasRunner, ownerId: endpoint.ownerId }),
    cpuShares: inventory && cpuSharesOf(cardsIn(record.gpus), inventory),
    diskBytes: diskBytesOf(endpoint.spec),
    pidsLimit: deps.config.limits.workerPids,
    runtime: runtimeOf(deps.config, endpoint.id),
    caBundle: deps.caBundle,
  }
}

/** A start names the image as missing only when it could not be pulled; a bad reference looks the same to the user. */
const REASONS_BY_CODE: Partial<Record<ErrorCode, Reason>> = { not_found: 'image_missing', forbidden: 'registry_refused' }
const REASONS_BY_FAULT: Partial<Record<StartFault, Reason>> = { disk: 'not_enough_disk', secret: 'secret_missing', python: 'no_python' }

function reasonFor(code: ErrorCode = 'internal', fault: StartFault = 'request'): Reason {
  const byCode = fault === 'host' || fault === 'gpu' ? undefined : REASONS_BY_CODE[code]
  return REASONS_BY_FAULT[fault] ?? byCode ?? 'start_failed'
}

/** What failed through the host's own fault is tried elsewhere, while the host rests; the endpoint does not wait. */
async function failStart(deps: ActDeps, record: WorkerRecord, error: unknown): Promise<void> {
  const host = hostOf(deps, record.hostId)
  const { code, fault } = error instanceof RunyardError ? error : { code: undefined, fault: undefined }
  const isHostFault = fault === 'host' || fault === 'gpu'
  const reason = reasonFor(code, fault)
  if (host !== undefined) deps.images.forget(host.driver, record.image)
  if (host !== undefined) deps.models.forget(host.driver)
  if (host !== undefined && record.buildId !== undefined) deps.builds.forget(host.driver, record.buildId)
  const at = Date.now()
  const message = sentenceOf(error)
  await deps.store.workerLogs.append(record.id, 'system', [{ at, line: message }])
  if (isHostFault) await restHost(deps, record.hostId, { what: fault === 'gpu' ? 'gpus' : 'host', at, message })
  await clearAway(deps, record, { reason, exit: undefined, message, isStartFailure: !isHostFault })
}

async function restHost({ store, log }: ActDeps, hostId: string, fault: HostFault): Promise<void> {
  const rest = restAfter((await store.hosts.restraints([hostId])).get(hostId)?.rest, fault)
  log.warn({ hostId, what: rest.what, until: new Date(restsUntil(rest)).toISOString() }, `a host rests: ${fault.message}`)
  await store.hosts.putRest(hostId, rest)
}

/** It started a worker of the kind that it failed to start. */
async function endRest({ store, memory, log }: ActDeps, { hostId, gpus }: WorkerRecord): Promise<void> {
  const rest = memory.restOf(hostId)
  if (rest === undefined || !endsRest(rest, { gpus })) return
  log.info({ hostId }, 'a host starts workers again')
  await store.hosts.putRest(hostId, undefined)
}
