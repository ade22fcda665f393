// The pool facts of a scrape (ADR 73): read from Redis, so that every gateway reports the same and a restart loses nothing. What cannot be read is absent,
// never zero. The scaler, which has no listener, reports through Redis, too.
import { METRICS, STORE_PROBLEMS, countStates, isDraining, phaseOf, type MetricName } from '@runyard/core'
import { createSeries, type Samples, type Series } from '@runyard/kit'
import { WORKER_PHASES, type Endpoint, type HostRecord, type HostSight, type WorkerRecord } from '@runyard/schema'
import type { GatewayDeps } from '../parts/deps.ts'
import { readEndpointLoad, type EndpointLoad } from '../parts/endpoint-load.ts'

export type FactDeps = Pick<GatewayDeps, 'store' | 'config'>
type Facts = Series<MetricName>

interface Loaded {
  readonly endpoint: Endpoint
  readonly load: EndpointLoad
}

/** Of a host whose scaler wrote nothing for longer, nothing is known any more. */
const SIGHT_HOLDS_MS = 180_000

/** @throws RunyardError('store_unavailable') */
export async function readPoolFacts(deps: FactDeps, endpoints: readonly Endpoint[], now: number): Promise<Samples<MetricName>> {
  const { store } = deps
  const facts = createSeries<MetricName>(METRICS)
  const loads = await Promise.all(endpoints.map(async (endpoint) => ({ endpoint, load: await readEndpointLoad(store, endpoint.id) })))
  for (const loaded of loads) addLoad(facts, loaded, now)
  await Promise.all([
    addOutbox(deps, facts, now),
    addHosts(deps, facts, { loads, now }),
    addBilling(deps, facts, { endpoints, now }),
    addStore(deps, facts),
  ])
  return facts.samples()
}

function addLoad(facts: Facts, { endpoint, load }: Loaded, now: number): void {
  const of = [endpoint.name, endpoint.id]
  const { stats, scaler, workers } = load
  facts.set('runyard_queue_jobs', [...of, 'waiting'], stats.waiting)
  facts.set('runyard_queue_jobs', [...of, 'in_progress'], stats.inProgress)
  facts.set('runyard_queue_oldest_seconds', of, stats.oldestWaitingAt === undefined ? 0 : Math.max(0, now - stats.oldestWaitingAt) / 1000)
  const missing = (scaler?.throttled ?? 0) + (scaler?.unhealthy ?? 0)
  if (missing > 0 && scaler?.reason !== undefined) facts.set('runyard_queue_blocked', [...of, scaler.reason], 1)
  facts.set('runyard_workers_wanted', of, workers.filter(({ record }) => !isDraining(record)).length + missing)
  for (const [state, count] of Object.entries(countStates({ workers, missing: scaler })))
    facts.set('runyard_worker_states', [...of, state], count)
  for (const phase of WORKER_PHASES) if (phase !== 'gone') facts.set('runyard_workers', [...of, phase], 0)
  for (const { record, leaseCount } of workers) facts.add('runyard_workers', [...of, phaseOf(record, leaseCount)], 1)
  const ended = { COMPLETED: stats.completed, FAILED: stats.failed, CANCELLED: stats.cancelled, TIMED_OUT: stats.timedOut }
  for (const [status, count] of Object.entries(ended)) facts.set('runyard_jobs_ended_total', [...of, status], count)
  facts.set('runyard_jobs_retried_total', of, stats.retried)
  facts.set('runyard_webhooks_dropped_total', of, stats.webhooksDropped)
}

async function addOutbox({ store }: FactDeps, facts: Facts, now: number): Promise<void> {
  const ids = await store.webhooks.endpoints()
  const pending = await Promise.all(ids.map((id) => store.webhooks.pending(id)))
  const oldestAt = Math.min(now, ...pending.map((one) => one.oldestAt ?? now))
  const sum = (of: 'count' | 'bytes'): number => pending.reduce((total, one) => total + one[of], 0)
  facts.set('runyard_webhook_outbox_events', [], sum('count'))
  facts.set('runyard_webhook_outbox_bytes', [], sum('bytes'))
  facts.set('runyard_webhook_outbox_oldest_seconds', [], (now - oldestAt) / 1000)
}

async function addHosts(
  { store }: FactDeps,
  facts: Facts,
  { loads, now }: { readonly loads: readonly Loaded[]; readonly now: number },
): Promise<void> {
  const [records, cards] = await Promise.all([store.hosts.list(), store.cards.list()])
  const outOfUse = new Map(
    cards.flatMap(({ uuid, claim }) =>
      claim?.kind === 'quarantined' || claim?.kind === 'probation' ? [[uuid, claim.cause] as const] : [],
    ),
  )
  const held = Map.groupBy(
    loads.flatMap(({ endpoint, load }) => load.workers.map(({ record }) => ({ endpoint, record }))),
    ({ record }) => record.hostId,
  )
  for (const host of newestByLabel(records, now)) {
    addHost(facts, host)
    addCards(facts, host.sight, { outOfUse, holders: held.get(host.hostId) ?? [] })
  }
}

type SeenHost = HostRecord & { readonly sight: HostSight }

/** A host that was given another engine has an old record of the same name. */
function newestByLabel(records: readonly HostRecord[], now: number): Iterable<SeenHost> {
  const found = new Map<string, SeenHost>()
  for (const { sight, ...record } of records) {
    if (sight === undefined || now - sight.at > SIGHT_HOLDS_MS) continue
    if ((found.get(sight.label)?.sight.at ?? 0) < sight.at) found.set(sight.label, { ...record, sight })
  }
  return found.values()
}

function addHost(facts: Facts, { sight, cordon }: SeenHost): void {
  const { label, kind, health, inventory, standby = 0, lowDisk } = sight
  facts.set('runyard_host_up', [label, kind], health === 'unreachable' ? 0 : 1)
  facts.set('runyard_host_ready', [label], health === 'ready' ? 1 : 0)
  facts.set('runyard_host_cordoned', [label], cordon === undefined ? 0 : 1)
  facts.set('runyard_host_disk_low', [label], lowDisk === undefined ? 0 : 1)
  facts.set('runyard_host_standby_workers', [label], standby)
  if (inventory === undefined) return
  facts.set('runyard_host_cpus', [label], inventory.cpuCount)
  facts.set('runyard_host_memory_bytes', [label], inventory.memoryBytes)
}

interface Holding {
  readonly endpoint: Endpoint
  readonly record: WorkerRecord
}

function addCards(
  facts: Facts,
  { label, inventory }: HostSight,
  { outOfUse, holders }: { readonly outOfUse: ReadonlyMap<string, string>; readonly holders: readonly Holding[] },
): void {
  const indexes = new Map<string, string>()
  for (const [index, gpu] of (inventory?.gpus ?? []).entries()) {
    const card = [label, String(index), gpu.uuid]
    indexes.set(gpu.uuid, String(index))
    facts.set('runyard_gpu_info', [...card, gpu.name, String(gpu.simulated)], 1)
    facts.set('runyard_gpu_healthy', card, gpu.healthy ? 1 : 0)
    facts.set('runyard_gpu_memory_total_bytes', card, gpu.memoryBytes)
    const cause = outOfUse.get(gpu.uuid)
    if (cause !== undefined) facts.set('runyard_gpu_out_of_use', [...card, cause], 1)
  }
  for (const { endpoint, record } of holders) {
    for (const { uuid } of record.gpus)
      facts.set('runyard_gpu_assigned', [label, indexes.get(uuid) ?? '', uuid, endpoint.name, endpoint.id, record.id], 1)
  }
}

async function addBilling(
  { store, config }: FactDeps,
  facts: Facts,
  { endpoints, now }: { readonly endpoints: readonly Endpoint[]; readonly now: number },
): Promise<void> {
  const names = new Map<string, string>(endpoints.map(({ id, name }) => [id, name]))
  for (const { endpointId, ownerId, gpuType, state, seconds } of await store.ledger.totals(now)) {
    if (!config.billing.states.includes(state)) continue
    const what = [gpuType ?? 'cpu', state]
    if (endpointId === null) facts.add('runyard_deleted_endpoints_billable_seconds_total', [ownerId, ...what], seconds)
    else facts.add('runyard_billable_seconds_total', [names.get(endpointId) ?? '', endpointId, ...what], seconds)
  }
}

async function addStore({ store }: FactDeps, facts: Facts): Promise<void> {
  const [problems, redis] = await Promise.all([store.problems(), store.redisFacts()])
  for (const kind of STORE_PROBLEMS) facts.set('runyard_store_problem', [kind], problems.some((problem) => problem.kind === kind) ? 1 : 0)
  facts.set('runyard_store_used_bytes', [], redis.usedBytes)
  if (redis.ceilingBytes !== undefined) facts.set('runyard_store_max_bytes', [], redis.ceilingBytes)
  if (redis.delayedFsyncs !== undefined) facts.set('runyard_store_aof_delayed_fsync_total', [], redis.delayedFsyncs)
}
