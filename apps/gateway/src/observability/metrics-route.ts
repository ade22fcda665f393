// `/metrics` in Prometheus' format. Queue, workers and billable seconds are read from the store at each scrape, so that every gateway reports the same
// and a restart loses nothing. While Redis is away those series are absent rather than zero. Ends of jobs that the scaler recorded are added to this
// gateway's own series. The page names all users' endpoints, so `metrics-access.ts` decides which requests need no key.
import type { FastifyInstance } from 'fastify'
import { countStates, phaseOf } from '@runyard/core'
import { Counter, Gauge } from '@runyard/kit'
import { WORKER_PHASES, type Endpoint } from '@runyard/schema'
import type { GatewayDeps } from '../parts/deps.ts'
import { requireApiKey } from '../http/authenticate.ts'
import { isOpenFor } from './metrics-access.ts'
import { readEndpointLoad, type EndpointLoad } from '../parts/endpoint-load.ts'

type ScrapeDeps = Pick<GatewayDeps, 'store' | 'metrics' | 'config' | 'waiters' | 'log'>

export async function registerMetrics(app: FastifyInstance, deps: ScrapeDeps): Promise<void> {
  const series = createSeries(deps)
  await app.register(async (scope) => {
    requireApiKey(scope, deps.store, { isOpen: (request) => isOpenFor(deps.config, request) })
    scope.get('/metrics', async (_request, reply) => {
      await readStore(deps, series).catch((error: unknown) => {
        deps.log.warn({ err: error }, 'the metrics miss what Redis knows')
      })
      return reply.type(deps.metrics.contentType).send(await deps.metrics.render())
    })
  })
}

type Series = ReturnType<typeof createSeries>

function createSeries({ metrics }: ScrapeDeps) {
  const registers = [metrics.registry]
  const labelNames = ['endpoint', 'endpoint_id']
  return {
    held: new Gauge({ name: 'runyard_waiting_requests', help: 'Requests held for news of a job.', registers }),
    storeUp: new Gauge({ name: 'runyard_store_up', help: '1 while Redis answers.', registers }),
    queue: new Gauge({ name: 'runyard_queue_jobs', help: 'Jobs by state.', labelNames: [...labelNames, 'state'], registers }),
    oldest: new Gauge({ name: 'runyard_queue_oldest_seconds', help: 'Age of the oldest waiting job.', labelNames, registers }),
    workers: new Gauge({ name: 'runyard_workers', help: 'Workers by phase.', labelNames: [...labelNames, 'phase'], registers }),
    states: new Gauge({
      name: 'runyard_worker_states',
      help: 'Workers by billing state; idle: places where a worker starts without a pull.',
      labelNames: [...labelNames, 'state'],
      registers,
    }),
    standby: new Gauge({ name: 'runyard_standby_workers', help: 'Started workers without an endpoint.', labelNames: ['host'], registers }),
    throttled: new Gauge({ name: 'runyard_throttled_workers', help: 'Workers wanted that no host can take.', labelNames, registers }),
    outbox: new Gauge({ name: 'runyard_webhook_outbox_events', help: 'Webhooks that wait for a delivery.', registers }),
    outboxOldest: new Gauge({ name: 'runyard_webhook_outbox_oldest_seconds', help: 'Age of the oldest one.', registers }),
    outboxBytes: new Gauge({ name: 'runyard_webhook_outbox_bytes', help: 'What they weigh in Redis, with those given up.', registers }),
    dropped: new Counter({
      name: 'runyard_dropped_webhooks_total',
      help: 'Webhooks that were never delivered because the outbox was full.',
      labelNames,
      registers,
    }),
    settled: new Counter({
      name: 'runyard_settled_jobs_total',
      help: 'Jobs that ended.',
      labelNames: [...labelNames, 'outcome'],
      registers,
    }),
    retried: new Counter({ name: 'runyard_retried_jobs_total', help: 'Attempts repeated after a lost worker.', labelNames, registers }),
    billable: new Counter({
      name: 'runyard_billable_seconds_total',
      help: 'Seconds of workers in a billed state.',
      labelNames: [...labelNames, 'gpu', 'state'],
      registers,
    }),
    // Not the same counter: `increase()` would count twice what moves from one series to another.
    billableGone: new Counter({
      name: 'runyard_deleted_endpoints_billable_seconds_total',
      help: 'The same of endpoints that were deleted.',
      labelNames: ['owner', 'gpu', 'state'],
      registers,
    }),
  }
}

async function readStore(deps: ScrapeDeps, series: Series): Promise<void> {
  for (const metric of Object.values(series)) metric.reset()
  series.held.set(deps.waiters.size)
  series.storeUp.set(deps.store.isUp() ? 1 : 0)
  const now = Date.now()
  for (const measure of await deps.store.measures.take()) deps.metrics.jobsEnded(measure)
  const [endpoints, totals] = await Promise.all([deps.store.endpoints.list(), deps.store.ledger.totals(now)])
  const names = new Map(endpoints.map(({ id, name }) => [id as string, name]))
  deps.metrics.keepEndpoints(new Set(names.keys()))
  const loads = await Promise.all(endpoints.map((endpoint) => readEndpointLoad(deps.store, endpoint.id)))
  endpoints.forEach((endpoint, index) => {
    const load = loads[index]
    if (load !== undefined) setLoad(series, { endpoint, load, now })
  })
  await setOutbox(deps, series, now)
  await setStandby(deps, series)
  for (const total of totals) {
    if (!deps.config.billing.states.includes(total.state)) continue
    const labels = { gpu: total.gpuType ?? 'cpu', state: total.state }
    const { endpointId: id, ownerId, seconds } = total
    if (id === null) series.billableGone.inc({ ...labels, owner: ownerId }, seconds)
    else series.billable.inc({ ...labels, endpoint: names.get(id) ?? '', endpoint_id: id }, seconds)
  }
}

async function setStandby({ store }: ScrapeDeps, series: Series): Promise<void> {
  for (const { sight } of await store.hosts.list()) {
    if (sight?.standby !== undefined) series.standby.set({ host: sight.label }, sight.standby)
  }
}

async function setOutbox({ store }: ScrapeDeps, series: Series, now: number): Promise<void> {
  const ids = await store.webhooks.endpoints()
  const pending = await Promise.all(ids.map((id) => store.webhooks.pending(id)))
  const oldestAt = Math.min(now, ...pending.map((one) => one.oldestAt ?? now))
  series.outbox.set(pending.reduce((sum, { count }) => sum + count, 0))
  series.outboxBytes.set(pending.reduce((sum, { bytes }) => sum + bytes, 0))
  series.outboxOldest.set((now - oldestAt) / 1000)
}

function setLoad(series: Series, { endpoint, load, now }: { endpoint: Endpoint; load: EndpointLoad; now: number }): void {
  const labels = { endpoint: endpoint.name, endpoint_id: endpoint.id }
  const { stats, scaler } = load
  series.queue.set({ ...labels, state: 'waiting' }, stats.waiting)
  series.queue.set({ ...labels, state: 'in_progress' }, stats.inProgress)
  series.oldest.set(labels, stats.oldestWaitingAt === undefined ? 0 : Math.max(0, now - stats.oldestWaitingAt) / 1000)
  series.throttled.set(labels, scaler?.throttled ?? 0)
  for (const [state, count] of Object.entries(countStates({ workers: load.workers, missing: scaler })))
    series.states.set({ ...labels, state }, count)
  series.settled.inc({ ...labels, outcome: 'completed' }, stats.completed)
  series.settled.inc({ ...labels, outcome: 'failed' }, stats.failed)
  series.settled.inc({ ...labels, outcome: 'cancelled' }, stats.cancelled)
  series.settled.inc({ ...labels, outcome: 'timed_out' }, stats.timedOut)
  series.retried.inc(labels, stats.retried)
  series.dropped.inc(labels, stats.webhooksDropped)
  const phases = load.workers.map(({ record, leaseCount }) => phaseOf(record, leaseCount))
  for (const phase of WORKER_PHASES) series.workers.set({ ...labels, phase }, phases.filter((one) => one === phase).length)
}
