// Reads one snapshot for `plan`. The order matters: what is in flight, then the hosts, then leases, then records; so a worker that
// appears in between is at worst missing from an earlier part, which the plan takes for "too young to judge".
import {
  currentFailures,
  demandFrom,
  deploymentOf,
  isDraining,
  hasAllSecrets,
  lifeSignsOf,
  modelKey,
  resolveImage,
  runtimeOf,
  savedAt,
} from '@runyard/core'
import type { Apps, DemandSource, EndpointView, InFlightKind, Observed, PlanPolicy, StartFailures } from '@runyard/core'
import type { Config, Endpoint, WorkerRecord } from '@runyard/schema'
import type { RequestLoad, Store } from '@runyard/store'
import { readApps } from './builds.ts'
import type { CardKeeper } from './card-keeper.ts'
import type { Continuity } from './continuity.ts'
import type { EndpointReads, Reading } from './endpoint-reads.ts'
import type { HostPool } from './host-pool.ts'
import type { Images } from './images.ts'
import type { KeyLimits } from './key-limits.ts'
import type { Memory } from './memory.ts'
import type { Strangers } from './strangers.ts'
import type { Models } from './models.ts'
import type { XidKeeper } from './xid-keeper.ts'
import { readVolumeNeeds } from './volumes.ts'

export interface ObserveDeps {
  readonly store: Store
  readonly hosts: HostPool
  readonly memory: Memory
  readonly images: Pick<Images, 'isKnown'>
  readonly models: Pick<Models, 'isKnown'>
  readonly config: Pick<Config, 'defaultImage' | 'imageAliases' | 'runtimes'>
  readonly strangers: Strangers
  readonly reads: EndpointReads
  readonly keyLimits: Pick<KeyLimits, 'read'>
  readonly cards: CardKeeper
  readonly xids: XidKeeper
  readonly policy: PlanPolicy
  readonly inFlight: () => ReadonlyMap<string, InFlightKind>
  readonly planeUpSince: () => number | undefined
  /** Redis, as these looks see it. */
  readonly redis: Continuity
  readonly isShuttingDown: () => boolean
}

/** `also`: endpoints that are read although nothing shows that they have changed. */
export async function observe(deps: ObserveDeps, now: number, also: ReadonlySet<string> = new Set()): Promise<Observed> {
  const { memory, policy } = deps
  const inFlight = deps.inFlight()
  const seen = deps.hosts.list().map((host) => host.view(now))
  const [views, restraints, keyLimits] = await Promise.all([
    viewEndpoints(deps, { inFlight, now, also }),
    deps.store.hosts.restraints(seen.map(({ hostId }) => hostId)),
    deps.keyLimits.read(now),
  ]).catch((error: unknown) => {
    deps.redis.lose()
    throw error
  })
  memory.noteRests(restraints)
  const known = seen.map((host) => ({ ...host, ...restraints.get(host.hostId), ...stockOf(deps, host.hostId, views) }))
  const undying = memory.undying(now)
  // After the records: the card of a record that is gone is in release.
  const hosts = await deps.cards.judge({ hosts: deps.xids.note(known, views), endpoints: views }, now, undying)
  const workerIds = new Set(views.flatMap((view) => view.workers.map((worker) => worker.id)))
  memory.retain({ endpointIds: new Set(views.map((view) => view.endpointId)), workerIds })
  return {
    hosts,
    endpoints: views,
    inFlight,
    stopRequests: memory.stopRequests,
    keyLimits,
    undying,
    strangers: deps.strangers.note(hosts, workerIds, now),
    planeUpSince: reportingSince(deps),
    shutdown: deps.isShuttingDown(),
    policy,
  }
}

/** What workers report gets here only while both the gateway and Redis are there. Called when Redis has just answered. */
function reportingSince({ planeUpSince, redis }: ObserveDeps): number | undefined {
  const now = Date.now()
  redis.note(now)
  const since = planeUpSince()
  return since === undefined ? undefined : Math.max(since, redis.since(now) ?? now)
}

/** The endpoints' images and models that the host has, or is about to have. */
function stockOf({ hosts, images, models, config }: ObserveDeps, hostId: string, views: readonly EndpointView[]) {
  const driver = hosts.list().find((watch) => watch.hostId() === hostId)?.driver
  if (driver === undefined) return {}
  const endpoints = views.flatMap(({ endpoint }) => endpoint ?? [])
  const named = new Set(endpoints.map(({ spec }) => spec.image))
  const known = endpoints.flatMap(({ spec, ownerId }) =>
    (spec.models ?? []).filter((model) => models.isKnown(driver, model, ownerId)).map((model) => modelKey(model, ownerId)),
  )
  return {
    images: new Set([...named].filter((image) => images.isKnown(driver, resolveImage(image, config).image))),
    models: new Set(known),
  }
}

interface Moment {
  readonly inFlight: ReadonlyMap<string, InFlightKind>
  readonly now: number
  readonly also: ReadonlySet<string>
}

async function viewEndpoints(deps: ObserveDeps, moment: Moment): Promise<readonly EndpointView[]> {
  const { store, reads } = deps
  const [found, deleted] = await Promise.all([store.endpoints.list(), store.endpoints.listDeleted()])
  const named = new Map<string, Endpoint | undefined>(deleted.map((endpointId) => [endpointId, undefined]))
  for (const endpoint of found) named.set(endpoint.id, endpoint)
  const also = deps.isShuttingDown() ? 'all' : moment.also
  const balanced = new Set(found.filter(({ type }) => type === 'LOAD_BALANCER').map(({ id }): string => id))
  const [readings, needs, apps] = await Promise.all([
    reads.read({ ...moment, store, endpointIds: [...named.keys()], balanced, also }),
    readVolumeNeeds(store, found),
    readApps(store, found),
  ])
  return Promise.all(
    [...readings].map(async ([endpointId, reading]) => {
      const view = await viewEndpoint(deps, { endpointId, endpoint: named.get(endpointId), apps }, reading)
      const volumes = needs.get(endpointId)
      return volumes === undefined ? view : { ...view, volumes }
    }),
  )
}

async function viewEndpoint(
  deps: ObserveDeps,
  { endpointId, endpoint, apps }: { readonly endpointId: string; readonly endpoint: Endpoint | undefined; readonly apps: Apps },
  { queue, leases, workers, requests }: Reading,
): Promise<EndpointView> {
  const { memory } = deps
  const failures = endpoint === undefined ? undefined : await standingFailures(deps, endpoint, workers)
  const imageIds = endpoint === undefined ? new Map<string, string>() : imagesNow(deps, endpoint, workers)
  const remembered = { sweptAt: memory.sweptAt(endpointId), yieldedAt: memory.yieldedAt(endpointId) }
  const demand = demandFrom([{ kind: 'queue', ...queue }, ...(requests === undefined ? [] : [requestDemand(requests)])])
  const openRequests = requests === undefined ? {} : { openRequests: requests.open }
  const lifeSigns = endpoint === undefined ? 'reports' : lifeSignsOf(endpoint)
  const deployment = endpoint === undefined ? undefined : deploymentOf(endpoint, apps)
  const asked = { deployment, runtime: runtimeOf(deps.config, endpointId) }
  return { endpointId, endpoint, demand, queue, lifeSigns, leases, ...openRequests, workers, failures, ...asked, imageIds, ...remembered }
}

function requestDemand({ held, oldestHeldAt, open, perSecond }: RequestLoad): DemandSource {
  const answered = [...open.values()].reduce((sum, count) => sum + count, 0)
  return { kind: 'requests', waiting: held, waitingNormal: held, oldestWaitingAt: oldestHeldAt, open: answered, perSecond }
}

/** Asked only for workers that were placed before the last save: all others were made of what the name meant then. */
function imagesNow({ hosts }: ObserveDeps, endpoint: Endpoint, workers: readonly WorkerRecord[]): ReadonlyMap<string, string> {
  const since = savedAt(endpoint)
  const older = workers.filter((worker) => worker.createdAt <= since && !isDraining(worker))
  return new Map(
    older.flatMap(({ id, hostId, image }) => {
      const host = hosts.list().find((watch) => watch.hostId() === hostId)
      const imageId = host?.images.idSince(image, since)
      return imageId === undefined ? [] : [[id, imageId] as const]
    }),
  )
}

/** What is over is over for good: once a younger worker got ready, its own end brings no failure back. */
async function standingFailures(
  { store, memory }: ObserveDeps,
  endpoint: Endpoint,
  workers: readonly WorkerRecord[],
): Promise<StartFailures | undefined> {
  const failures = currentFailures(memory.failuresOf(endpoint.id), endpoint, workers)
  if (failures === undefined) memory.forgetFailures(endpoint.id)
  return failures === undefined || (await isMended(store, endpoint, failures)) ? undefined : failures
}

/** What a registry refused is tried again as soon as there are other credentials, and what lacked a secret as soon as it exists. */
async function isMended(store: Store, endpoint: Endpoint, { reason, lastAt }: StartFailures): Promise<boolean> {
  const { ownerId, spec } = endpoint
  if (reason === 'secret_missing') return hasAllSecrets(endpoint, await store.resources.secrets.list(ownerId))
  if (spec.registryId === null || reason !== 'registry_refused') return false
  const registry = await store.resources.registries.find(ownerId, spec.registryId)
  return registry !== undefined && registry.updatedAt > lastAt
}
