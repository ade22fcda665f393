// What the scaler counts of itself, its hosts and their cards. It has no listener, so the leader writes a report to Redis every ten seconds, which the
// gateways serve with their metrics (ADR 73). Counts begin anew with the process, as those of any process.
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { METRICS, type Action, type EndpointView, type HostView, type MetricName, type Observed } from '@runyard/core'
import { createSeries, type Series } from '@runyard/kit'
import type { CardUse, Reason, ScalerReport } from '@runyard/schema'
import type { StoreUnderTerm } from '@runyard/store'

export type Numbers = ReturnType<typeof createNumbers>

interface Seen {
  readonly store: Pick<StoreUnderTerm, 'scalerReport'>
  readonly observed: Pick<Observed, 'hosts'> & { readonly endpoints: readonly Pick<EndpointView, 'endpointId'>[] }
  readonly inFlight: number
  readonly now: number
}

const REPORT_EVERY_MS = 10_000
/** From zero on, so that Prometheus sees the first one as an increase. */
const FAILURES = ['runyard_worker_start_failures_total', 'runyard_workers_lost_total'] as const
const OF_ENDPOINTS = ['runyard_worker_starts_total', 'runyard_worker_ends_total', ...FAILURES] as const
const LOST: ReadonlySet<Reason> = new Set(['exited', 'out_of_memory', 'heartbeat_lost', 'host_lost'])

export function createNumbers(version: string) {
  const series = createSeries<MetricName>(METRICS)
  const eventLoop = monitorEventLoopDelay({ resolution: 20 })
  let reportedAt = -Infinity
  eventLoop.enable()

  function noteProcess(): void {
    const { user, system } = process.cpuUsage()
    series.set('runyard_scaler_cpu_seconds_total', [], (user + system) / 1e6)
    series.set('runyard_scaler_resident_memory_bytes', [], process.memoryUsage.rss())
    series.set('runyard_scaler_eventloop_p99_seconds', [], eventLoop.percentile(99) / 1e9)
    eventLoop.reset()
    series.set('runyard_build_info', ['scaler', version, process.versions.node], 1)
  }

  return {
    /** A tick went through. */
    ticked(tookMs: number, at: number) {
      series.observe('runyard_scaler_tick_seconds', [], tookMs / 1000)
      series.set('runyard_scaler_last_tick_timestamp_seconds', [], at / 1000)
    },
    decided(actions: readonly Action[]) {
      for (const action of actions) series.add('runyard_scaler_decisions_total', [action.kind, 'reason' in action ? action.reason : ''], 1)
    },
    actionFailed: (kind: Action['kind']): void => series.add('runyard_scaler_action_failures_total', [kind], 1),
    workerStarted: (endpointId: string, reason: Reason): void => series.add('runyard_worker_starts_total', [endpointId, reason], 1),
    workerGone(endpointId: string, { reason, isStartFailure }: { readonly reason: Reason; readonly isStartFailure: boolean }) {
      series.add('runyard_worker_ends_total', [endpointId, reason], 1)
      if (isStartFailure) series.add('runyard_worker_start_failures_total', [endpointId], 1)
      else if (LOST.has(reason)) series.add('runyard_workers_lost_total', [endpointId], 1)
    },
    /** A pull went through. */
    imagePulled: (host: string, bytes: number): void => series.add('runyard_image_pull_bytes_total', [host], bytes),
    /** Writes a report if the last one is ten seconds old. */
    async report({ store, observed, inFlight, now }: Seen): Promise<void> {
      if (now - reportedAt < REPORT_EVERY_MS) return
      reportedAt = now
      noteProcess()
      series.set('runyard_scaler_actions_in_flight', [], inFlight)
      const known = new Set(observed.endpoints.map(({ endpointId }) => endpointId))
      for (const name of OF_ENDPOINTS) series.keep(name, (endpointId) => known.has(endpointId))
      for (const endpointId of known) for (const name of FAILURES) series.add(name, [endpointId], 0)
      const hosts = createSeries<MetricName>(METRICS)
      for (const host of observed.hosts) addHost(hosts, host)
      await store.scalerReport.put(toReport(now, [series, hosts]))
    },
    [Symbol.dispose]: () => eventLoop.disable(),
  }
}

function toReport(at: number, parts: readonly Series<MetricName>[]): ScalerReport {
  const metrics = parts.flatMap((part) => [...part.samples()])
  return {
    at,
    metrics: Object.fromEntries(
      metrics.map(([name, samples]) => [name, samples.map(({ values, reading }) => ({ values: [...values], reading }))]),
    ),
  }
}

/** What changes with every look, and is therefore not in the sight of the host. */
function addHost(series: Series<MetricName>, { label, disk, listingMs, inventory, uses = {} }: HostView): void {
  if (listingMs !== undefined) series.set('runyard_host_listing_seconds', [label], listingMs / 1000)
  if (disk !== undefined) {
    series.set('runyard_host_disk_free_bytes', [label], disk.freeBytes)
    series.set('runyard_host_disk_total_bytes', [label], disk.totalBytes)
  }
  for (const [index, { uuid }] of (inventory?.gpus ?? []).entries()) {
    const use = uses[uuid]
    if (use !== undefined) addUse(series, [label, String(index), uuid], use)
  }
}

function addUse(series: Series<MetricName>, card: readonly string[], { usedBytes, load, lastXid }: CardUse): void {
  const readings = {
    runyard_gpu_memory_used_bytes: usedBytes,
    runyard_gpu_utilization_ratio: load?.utilization,
    runyard_gpu_temperature_celsius: load?.temperatureC,
    runyard_gpu_power_watts: load?.powerW,
    runyard_gpu_power_limit_watts: load?.powerLimitW,
    runyard_gpu_ecc_uncorrected_total: load?.eccErrors,
    runyard_gpu_xid_last: lastXid,
  } as const
  for (const [name, reading] of Object.entries(readings)) {
    if (typeof reading === 'number') series.set(name as keyof typeof readings, card, reading)
  }
}
