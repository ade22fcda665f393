// Reads one snapshot for `plan`. The order matters: what is in flight, then the hosts, then leases, then records; so a worker that
// appears in between is at worst missing from an earlier part, which the plan takes for "too young to judge".
import type { EndpointView, InFlightKind, Observed, PlanPolicy, StartFailures } from '@runyard/core'
import type { Endpoint } from '@runyard/schema'
import type { Store } from '@runyard/store'
import type { Continuity } from './continuity.ts'
import type { HostWatch } from './host-watch.ts'
import type { Memory } from './memory.ts'

export interface ObserveDeps {
  readonly store: Store
  readonly hosts: readonly HostWatch[]
  readonly memory: Memory
  readonly policy: PlanPolicy
  readonly inFlight: () => ReadonlyMap<string, InFlightKind>
  readonly planeUpSince: () => number | undefined
  /** Redis, as these looks see it. */
  readonly redis: Continuity
  readonly isShuttingDown: () => boolean
}

export async function observe(deps: ObserveDeps, now: number): Promise<Observed> {
  const { memory, policy } = deps
  const inFlight = deps.inFlight()
  const hosts = deps.hosts.map((host) => host.view(now))
  const views = await viewEndpoints(deps).catch((error: unknown) => {
    deps.redis.lose()
    throw error
  })
  memory.retain({
    endpointIds: new Set(views.map((view) => view.endpointId)),
    workerIds: new Set(views.flatMap((view) => view.workers.map((worker) => worker.id))),
  })
  return {
    hosts,
    endpoints: views,
    inFlight,
    stopRequests: memory.stopRequests,
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

async function viewEndpoints(deps: ObserveDeps): Promise<readonly EndpointView[]> {
  const { endpoints } = deps.store
  const [found, deleted] = await Promise.all([endpoints.list(), endpoints.listDeleted()])
  return Promise.all([
    ...found.map((endpoint) => viewEndpoint(deps, endpoint.id, endpoint)),
    ...deleted.map((endpointId) => viewEndpoint(deps, endpointId, undefined)),
  ])
}

async function viewEndpoint({ store, memory }: ObserveDeps, endpointId: string, endpoint: Endpoint | undefined): Promise<EndpointView> {
  const [demand, leases] = await Promise.all([store.jobs.stats(endpointId), store.jobs.leases(endpointId)])
  const workers = await store.workers.list(endpointId)
  const failures = await standingFailures(store, endpoint, memory.failuresOf(endpointId))
  return { endpointId, endpoint, demand, leases, workers, failures, sweptAt: memory.sweptAt(endpointId) }
}

/** What a registry refused is tried again as soon as there are other credentials. */
async function standingFailures(store: Store, endpoint: Endpoint | undefined, failures: StartFailures | undefined) {
  if (endpoint === undefined || endpoint.spec.registryId === null || failures?.reason !== 'registry_refused') return failures
  const registry = await store.registries.get(endpoint.ownerId, endpoint.spec.registryId)
  return registry !== undefined && registry.updatedAt > failures.lastAt ? undefined : failures
}
