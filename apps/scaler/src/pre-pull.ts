// Pulls images before jobs arrive (ADR 59): when an endpoint is saved, when a host joins, when a GPU is found. Core decides where; this part runs the
// pulls in the background, some at a time per host, and tries failed ones again after growing pauses. Saving the endpoint again tries at once.
// Failure direction: an image that is not there is pulled by the first start, which joins a pull that is under way.
import {
  addPullLine,
  askerFacts,
  hostsToPrePull,
  NO_PROGRESS,
  pauseAfterMs,
  prePullFacts,
  pullsToBegin,
  pullWords,
  resolveImage,
  savedAt,
  withPulls,
  withMayStart,
  type Asker,
  type EndpointStatus,
  type Observed,
  type PullProgress,
  type PullView,
} from '@runyard/core'
import { sentenceOf, type Logger } from '@runyard/kit'
import { RunyardError, type Config, type Endpoint, type EndpointEvent, type HostDriver, type ImagePull, type Reason } from '@runyard/schema'
import type { Store } from '@runyard/store'
import type { HostPool } from './host-pool.ts'
import type { Images } from './images.ts'
import { accessTo, userOf } from './pull-access.ts'

export interface PrePull extends Disposable {
  /** Begins the pulls that are due. */
  note(observed: Observed, now: number): void
  /** The status with what is known about the endpoint's image. */
  report(endpointId: string, status: EndpointStatus): EndpointStatus
}

export interface PrePullDeps {
  readonly store: Pick<Store, 'resources' | 'events'>
  readonly hosts: HostPool
  readonly images: Pick<Images, 'ensure' | 'isKnown' | 'isMissing'>
  readonly config: Pick<Config, 'defaultImage' | 'imageAliases' | 'images'>
  readonly log: Logger
  /** Called after each change. */
  readonly wake: () => void
}

interface Task {
  readonly endpoint: Endpoint
  readonly image: string
  readonly hostId: string
  /** The operator's name for the host. */
  readonly host: string
  readonly stop: AbortController
  state: ImagePull['state']
  failures: number
  dueAt: number
  problem: Pick<ImagePull, 'message' | 'reason'>
  progress: PullProgress
}

export function createPrePull(deps: PrePullDeps): PrePull {
  /** By endpoint: how many workers it may still have. */
  let free = new Map<string, number>()
  /** By endpoint: what its tasks were made for. */
  const known = new Map<string, { readonly made: string; readonly tasks: readonly Task[] }>()
  const drop = (endpointId: string): void => {
    for (const task of known.get(endpointId)?.tasks ?? []) task.stop.abort()
    known.delete(endpointId)
  }
  const make = (observed: Observed, now: number): void => {
    const facts = prePullFacts(observed.hosts)
    const askers = observed.shutdown
      ? []
      : observed.endpoints.flatMap((view) => (view.endpoint === undefined ? [] : [{ endpoint: view.endpoint, view }]))
    const named = new Set<string>(askers.map(({ endpoint }) => endpoint.id))
    for (const endpointId of known.keys()) if (!named.has(endpointId)) drop(endpointId)
    for (const asker of askers) {
      const { id, specHash } = asker.endpoint
      const made = `${specHash} ${savedAt(asker.endpoint)} ${askerFacts(asker)} ${facts}`
      const before = known.get(id)
      if (before?.made === made) continue
      known.set(id, { made, tasks: tasksOf(deps, asker, { observed, now, before: before?.tasks ?? [] }) })
    }
  }
  return {
    note(observed, now) {
      make(observed, now)
      free = new Map(observed.endpoints.map((view) => [view.endpointId, (view.endpoint?.settings.workersMax ?? 0) - view.workers.length]))
      const pending = [...known.values()].flatMap(({ tasks }) => tasks.filter(({ state }) => state !== 'present'))
      // A start has pulled it meanwhile.
      for (const task of pending) if (task.state === 'failed' && isThere(deps, task)) task.dueAt = now
      const views = pending.map((task) => ({ task, hostId: task.hostId, isRunning: task.state === 'pulling', dueAt: task.dueAt }))
      for (const { task } of pullsToBegin(views, { atOnce: deps.config.images.pullsAtOnce, now })) void pull(deps, task)
    },
    report(endpointId, status) {
      const pulls = (known.get(endpointId)?.tasks ?? []).map((task) => toView(deps, task))
      return withMayStart(withPulls(status, pulls), pulls, free.get(endpointId) ?? 0)
    },
    [Symbol.dispose]() {
      for (const endpointId of known.keys()) drop(endpointId)
    },
  }
}

interface Making {
  readonly observed: Observed
  readonly now: number
  readonly before: readonly Task[]
}

/** A pull that is under way for the same image and credentials goes on. */
function tasksOf({ config }: PrePullDeps, asker: Asker, { observed, now, before }: Making): readonly Task[] {
  const { endpoint } = asker
  const { image } = resolveImage(endpoint.spec.image, config)
  const wanted = hostsToPrePull(asker, observed.hosts)
  const isSame = (task: Task): boolean => task.image === image && task.endpoint.spec.registryId === endpoint.spec.registryId
  const going = before.filter((task) => task.state === 'pulling' && isSame(task) && wanted.includes(task.hostId))
  for (const task of before) if (!going.includes(task)) task.stop.abort()
  return wanted.map((hostId) => {
    const host = observed.hosts.find((candidate) => candidate.hostId === hostId)?.label ?? hostId
    return going.find((task) => task.hostId === hostId) ?? newTask({ endpoint, image, hostId, host }, now)
  })
}

function newTask(what: Pick<Task, 'endpoint' | 'image' | 'hostId' | 'host'>, now: number): Task {
  return { ...what, stop: new AbortController(), state: 'waiting', failures: 0, dueAt: now, problem: {}, progress: NO_PROGRESS }
}

function driverOf({ hosts }: PrePullDeps, { hostId }: Task): HostDriver | undefined {
  return hosts.list().find((watch) => watch.hostId() === hostId)?.driver
}

function isThere(deps: PrePullDeps, task: Task): boolean {
  const driver = driverOf(deps, task)
  return driver !== undefined && deps.images.isKnown(driver, task.image, { user: userOf(task.endpoint, task.image) })
}

/** Never rejects. */
async function pull(deps: PrePullDeps, task: Task): Promise<void> {
  const { endpoint, image, stop } = task
  const driver = driverOf(deps, task)
  if (driver === undefined) return
  task.state = 'pulling'
  task.progress = NO_PROGRESS
  const begunAt = Date.now()
  const onProgress = (line: string): void => {
    task.progress = addPullLine(task.progress, line)
  }
  try {
    const access = await accessTo(deps.store, endpoint, image)
    const how = await deps.images.ensure(driver, image, { ...access, onProgress, signal: stop.signal })
    task.state = 'present'
    if (how === 'pulled') note(deps, task, { kind: 'image_pulled', message: pulledIn(task, Date.now() - begunAt) })
  } catch (error) {
    if (stop.signal.aborted) return
    fail(task, error)
    note(deps, task, { kind: 'image_pull_failed', ...task.problem })
  }
  deps.wake()
}

function pulledIn({ image, host }: Task, ms: number): string {
  return `the image ${image} was pulled on host ${host} in ${(ms / 1000).toFixed(1)} s`
}

function fail(task: Task, error: unknown): void {
  task.failures += 1
  task.state = 'failed'
  task.dueAt = Date.now() + pauseAfterMs(task.failures)
  task.problem = { message: `host ${task.host}: ${sentenceOf(error)}`, reason: reasonOf(error) }
}

function reasonOf(error: unknown): Reason {
  const { code, fault } = error instanceof RunyardError ? error : {}
  if (fault === 'disk') return 'not_enough_disk'
  return code === 'forbidden' ? 'registry_refused' : 'image_missing'
}

/** History is for readers: what cannot be written is logged. */
function note(
  { store, log }: PrePullDeps,
  { endpoint, image, host }: Task,
  event: Pick<EndpointEvent, 'kind' | 'message' | 'reason'>,
): void {
  const facts = { endpointId: endpoint.id, image, host, reason: event.reason }
  if (event.kind === 'image_pulled') log.info(facts, event.message)
  else log.warn(facts, event.message)
  store.events.append({ at: Date.now(), endpointId: endpoint.id, ...event }).catch((error: unknown) => {
    log.warn({ err: error, endpointId: endpoint.id }, 'the pull of an image was not recorded')
  })
}

function toView(deps: PrePullDeps, task: Task): PullView {
  const { image, host, state, problem, progress, dueAt } = task
  if (state === 'failed') return { image, host, state, ...problem, nextTryAt: dueAt }
  if (state === 'present') return { image, host, state }
  const message = state === 'pulling' ? pullWords(progress) : undefined
  const driver = driverOf(deps, task)
  const isMissing = message !== undefined || (driver !== undefined && deps.images.isMissing(driver, image))
  return { image, host, state: isMissing ? state : 'looking', ...(message === undefined ? {} : { message }) }
}
