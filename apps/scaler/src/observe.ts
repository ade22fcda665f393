// Reads one snapshot for `plan`. The order matters: what is in flight, then the hosts, then leases, then records; so a worker that
// appears in between is at worst missing from an earlier part, which the plan takes for "too young to judge".
import type { EndpointView, InFlightKind, Observed, PlanPolicy } from '@runyard/core'
import type { Endpoint } from '@runyard/schema'
import type { Store } from '@runyard/store'
import type { HostWatch } from './host-watch.ts'
import type { Memory } from './memory.ts'

export interface ObserveDeps {
  readonly store: Store
  readonly hosts: readonly HostWatch[]
  readonly memory: Memory
  readonly policy: PlanPolicy
  readonly inFlight: () => ReadonlyMap<string, InFlightKind>
  readonly planeUpSince: () => number | undefined
  readonly isShuttingDown: () => boolean
}

export async function observe(deps: ObserveDeps, now: number): Promise<Observed> {
  const { store, memory, policy } = deps
  const inFlight = deps.inFlight()
  const hosts = deps.hosts.map((host) => host.view(now))
  const [endpoints, deleted] = await Promise.all([store.endpoints.list(), store.endpoints.listDeleted()])
  const views = await Promise.all([
    ...endpoints.map((endpoint) => viewEndpoint(deps, endpoint.id, endpoint)),
    ...deleted.map((endpointId) => viewEndpoint(deps, endpointId, undefined)),
  ])
  memory.retain({
    endpointIds: new Set(views.map((view) => view.endpointId)),
    workerIds: new Set(views.flatMap((view) => view.workers.map((worker) => worker.id))),
  })
  return {
    hosts,
    endpoints: views,
    inFlight,
    stopRequests: memory.stopRequests,
    planeUpSince: deps.planeUpSince(),
    shutdown: deps.isShuttingDown(),
    policy,
  }
}

async function viewEndpoint({ store, memory }: ObserveDeps, endpointId: string, endpoint: Endpoint | undefined): Promise<EndpointView> {
  const [demand, leases] = await Promise.all([store.jobs.stats(endpointId), store.jobs.leases(endpointId)])
  const workers = await store.workers.list(endpointId)
  return { endpointId, endpoint, demand, leases, workers, failures: memory.failuresOf(endpointId), sweptAt: memory.sweptAt(endpointId) }
}
