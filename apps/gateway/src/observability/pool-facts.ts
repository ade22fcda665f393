// The pool facts of a scrape (ADR 73): read from Redis, so that every gateway reports the same and a restart loses nothing. What cannot be read is absent,
// never zero. The scaler, which has no listener, reports through Redis, too.
import { countStates, isDraining, type MetricName, METRICS, phaseOf, STORE_PROBLEMS } from '@runyard/core'
import { createSeries, type Samples, type Series } from '@runyard/kit'
import { type Endpoint, type ScalerReport, WORKER_PHASES } from '@runyard/schema'
import type { Store } from '@runyard/store'
import type { GatewayDeps } from '../parts/deps.ts'
import { type EndpointLoad, readEndpointLoad } from '../parts/endpoint-load.ts'
import { addHosts } from './host-facts.ts'

export type FactDeps = Pick<GatewayDeps, 'store' | 'config' | 'prices'>
type Facts = Series<MetricName>

interface Loaded {
  readonly endpoint: Endpoint
  readonly load: EndpointLoad
}

/** @throws RunyardError('store_unavailable') */
export async function readPoolFacts(deps: FactDeps, endpoints: readonly Endpoint[], now: number): Promise<Samples<MetricName>> {
  const { store } = deps
  const facts = createSeries<MetricName>(METRICS)
  const loads = await Promise.all(endpoints.map(async (endpoint) => ({ endpoint, load: await readEndpointLoad(store, endpoint.id) })))
  for (const loaded of loads) {
    addQueue(facts, loaded, now)
    addWorkers(facts, loaded)
  }
  const holdings = loads.flatMap(({ endpoint, load }) => load.workers.map(({ record }) => ({ endpoint, record })))
  await Promise.all([
    addOutbox(deps, facts, now),
    addHosts(store, facts, { holdings, now }),
    addBilling(deps, facts, { endpoints, now }),
    addStore(deps, facts),
  ])
  return facts.samples()
}

function addQueue(facts: Facts, { endpoint, load: { stats } }: Loaded, now: number): void {
  const of = [endpoint.name, endpoint.id]
  const { oldestWaitingAt = now } = stats
  facts.set('runyard_queue_jobs', [...of, 'waiting'], stats.waiting)
  facts.set('runyard_queue_jobs', [...of, 'in_progress'], stats.inProgress)
  facts.set('runyard_queue_oldest_seconds', of, Math.max(0, now - oldestWaitingAt) / 1000)
  const ended = { COMPLETED: stats.completed, FAILED: stats.failed, CANCELLED: stats.cancelled, TIMED_OUT: stats.timedOut }
  for (const [status, count] of Object.entries(ended)) facts.set('runyard_jobs_ended_total', [...of, status], count)
  facts.set('runyard_jobs_retried_total', of, stats.retried)
  facts.set('runyard_webhooks_dropped_total', of, stats.webhooksDropped)
}

const PHASES = WORKER_PHASES.filter((phase) => phase !== 'gone')

function addWorkers(facts: Facts, { endpoint, load: { workers, scaler } }: Loaded): void {
  const of = [endpoint.name, endpoint.id]
  const { throttled, unhealthy, reason } = scaler ?? { throttled: 0, unhealthy: 0, reason: undefined }
  const missing = throttled + unhealthy
  if (missing > 0 && reason !== undefined) facts.set('runyard_queue_blocked', [...of, reason], 1)
  facts.set('runyard_workers_wanted', of, workers.filter(({ record }) => !isDraining(record)).length + missing)
  const states = countStates({ workers, missing: scaler })
  for (const [state, count] of Object.entries(states)) facts.set('runyard_worker_states', [...of, state], count)
  for (const phase of PHASES) facts.set('runyard_workers', [...of, phase], 0)
  for (const { record, leaseCount } of workers) facts.add('runyard_workers', [...of, phaseOf(record, leaseCount)], 1)
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

async function addBilling(
  { store, config, prices }: FactDeps,
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
  facts.set('runyard_ledger_open_intervals', [], await store.ledger.openIntervals())
  const { currency, gpuPerHour, cpuWorkerPerHour } = prices()
  for (const [gpu, price] of Object.entries({ ...gpuPerHour, cpu: cpuWorkerPerHour })) {
    if (price > 0) facts.set('runyard_gpu_price_per_hour', [gpu, currency], price)
  }
}

async function addStore({ store }: FactDeps, facts: Facts): Promise<void> {
  const [problems, redis] = await Promise.all([store.problems(), store.redisFacts()])
  for (const kind of STORE_PROBLEMS) facts.set('runyard_store_problem', [kind], problems.some((problem) => problem.kind === kind) ? 1 : 0)
  facts.set('runyard_store_used_bytes', [], redis.usedBytes)
  if (redis.ceilingBytes !== undefined) facts.set('runyard_store_max_bytes', [], redis.ceilingBytes)
  if (redis.delayedFsyncs !== undefined) facts.set('runyard_store_aof_delayed_fsync_total', [], redis.delayedFsyncs)
}

const HOLDS_MS = 60_000
const LAST_TICK: MetricName = 'runyard_scaler_last_tick_timestamp_seconds'

/**
 * What only the leading scaler knows, from its latest report. Of an old report only counts and the time of the last tick are served: what hosts and cards did a
 * minute ago is not what they do now. Endpoints by their id.
 * @throws RunyardError('store_unavailable')
 */
export async function readScalerFacts(store: Pick<Store, 'scalerReport'>, now: number): Promise<Samples<MetricName>> {
  const report = await store.scalerReport.get()
  return report === undefined ? new Map() : toSamples(report, now)
}

/** A scaler of another version may report what this one does not know. */
function toSamples({ at, metrics }: ScalerReport, now: number): Samples<MetricName> {
  const isOld = now - at > HOLDS_MS
  return new Map(
    Object.entries(metrics).flatMap(([name, samples]) =>
      isMetric(name) && (!isOld || name === LAST_TICK || METRICS[name].kind !== 'gauge') ? [[name, samples] as const] : [],
    ),
  )
}

function isMetric(name: string): name is MetricName {
  return Object.hasOwn(METRICS, name)
}
