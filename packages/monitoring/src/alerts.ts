// Alerts: what needs a person now (page), and what needs one today (ticket). Each has an entry of its name in docs/runbooks.md. Facts of the pool are the same
// on every gateway; `max` makes one alert of them.
import type { Pace } from './pace.ts'
import type { AlertRule, RuleGroup } from './rules.ts'

interface Row {
  readonly expr: string
  readonly after?: string
  readonly summary: string
}

const E = 'endpoint, endpoint_id'
const CARD = 'host, gpu, uuid'
const increase = (metric: string, window: string): string => `max by (${E}) (increase(${metric}[${window}]))`
const STORE_UP = 'on () (max(runyard_store_up) == 1)'

/** Of the 1 % of jobs that may fail: burnt so fast, a month's budget is gone in two days, or in five. */
const [FAST, SLOW] = [0.144, 0.06]
/** Fewer jobs say nothing about a share. */
const ENOUGH_JOBS = 10

function pages({ span, seconds }: Pace): Readonly<Record<string, Row>> {
  const lastTick = 'max(runyard_scaler_last_tick_timestamp_seconds)'
  return {
    RunyardDown: {
      expr: 'up{job=~"runyard.*"} == 0',
      after: span(60),
      summary: 'The gateway {{ $labels.instance }} does not answer.',
    },
    RunyardStoreAway: {
      expr: 'runyard_store_up == 0 or runyard_store_problem{kind="read_only"} == 1',
      after: span(60),
      summary: 'Redis is away or refuses writes: no job is accepted.',
    },
    RunyardScalerSilent: {
      expr: `time() - ${lastTick} > ${seconds(60)} or (absent(runyard_scaler_last_tick_timestamp_seconds) and ${STORE_UP})`,
      after: span(30),
      summary: 'No scaler works: no worker starts, and no lost job returns to the queue.',
    },
    RunyardJobsLost: {
      expr: `sum by (${E}) (increase(runyard_job_end_causes_total{cause="worker_lost"}[${span(600)}])) > 0`,
      summary: 'Jobs of {{ $labels.endpoint }} failed because their workers were lost again and again.',
    },
  }
}

function store({ span }: Pace): Readonly<Record<string, Row>> {
  return {
    RunyardStoreNotDurable: {
      expr: 'max by (kind) (runyard_store_problem{kind=~"not_durable|may_evict|too_old"}) == 1',
      after: span(300),
      summary: 'Redis may lose accepted jobs ({{ $labels.kind }}).',
    },
    RunyardStoreNearlyFull: {
      expr: 'max(runyard_store_used_bytes) / max(runyard_store_max_bytes) > 0.85',
      after: span(300),
      summary: 'Redis uses {{ $value | humanizePercentage }} of its memory limit, beyond which it accepts no job.',
    },
    RunyardStoreSlow: {
      expr: `histogram_quantile(0.99, sum by (instance, le) (rate(runyard_store_script_seconds_bucket[${span(300)}]))) > 0.25`,
      after: span(300),
      summary: 'Redis answers the scripts of {{ $labels.instance }} {{ $value | humanizeDuration }} late.',
    },
    RunyardBlobErrors: {
      expr: `sum by (operation) (increase(runyard_blob_errors_total[${span(900)}])) > 0`,
      summary: 'The storage of large values fails to {{ $labels.operation }} them.',
    },
  }
}

function hostsAndGateways({ span, seconds }: Pace): Readonly<Record<string, Row>> {
  return {
    RunyardHostUnreachable: {
      expr: 'max by (host, kind) (runyard_host_up) == 0',
      after: span(300),
      summary: 'The host {{ $labels.host }} does not answer.',
    },
    RunyardDiskLow: {
      expr: 'max by (host) (runyard_host_disk_low) == 1',
      after: span(300),
      summary: 'The host {{ $labels.host }} has too little disk space to pull images.',
    },
    RunyardCertificateExpires: {
      expr: `min by (instance) (runyard_certificate_expires_timestamp_seconds) - time() < ${14 * 86_400}`,
      after: span(300),
      summary: 'The certificate of the TLS listener of {{ $labels.instance }} expires in {{ $value | humanizeDuration }}.',
    },
    RunyardGatewayBlocked: {
      expr: 'nodejs_eventloop_lag_p99_seconds{job=~"runyard.*"} > 0.5',
      after: span(300),
      summary: 'The gateway {{ $labels.instance }} is overloaded: it answers {{ $value | humanizeDuration }} late.',
    },
    RunyardWebhooksLate: {
      expr: `max(runyard_webhook_outbox_oldest_seconds) > ${seconds(600)}`,
      after: span(60),
      summary: 'The oldest webhook has waited for {{ $value | humanizeDuration }}.',
    },
    RunyardWebhooksDropped: {
      expr: `${increase('runyard_webhooks_dropped_total', span(900))} > 0`,
      summary: 'Webhooks of {{ $labels.endpoint }} were dropped because its outbox was full.',
    },
  }
}

function cards({ span }: Pace): Readonly<Record<string, Row>> {
  const idle = `avg_over_time(runyard_gpu_utilization_ratio[${span(1800)}])`
  return {
    RunyardGpuQuarantined: {
      expr: `max by (${CARD}, cause) (runyard_gpu_out_of_use{cause!="not_released"}) == 1`,
      after: span(60),
      summary: 'GPU {{ $labels.gpu }} of {{ $labels.host }} is out of use: {{ $labels.cause }}.',
    },
    RunyardGpuMemoryNotReturned: {
      expr: `max by (${CARD}) (runyard_gpu_out_of_use{cause="not_released"}) == 1`,
      after: span(300),
      summary: 'GPU {{ $labels.gpu }} of {{ $labels.host }} still has memory in use after its worker ended.',
    },
    RunyardGpuMemoryErrors: {
      expr: `max by (${CARD}) (increase(runyard_gpu_ecc_uncorrected_total[${span(3600)}])) > 0`,
      summary: 'GPU {{ $labels.gpu }} of {{ $labels.host }} had uncorrectable memory errors.',
    },
    RunyardGpuHot: {
      expr: `max by (${CARD}) (runyard_gpu_temperature_celsius) > 87`,
      after: span(600),
      summary: 'GPU {{ $labels.gpu }} of {{ $labels.host }} has {{ $value }} °C.',
    },
    RunyardGpuIdleButHeld: {
      expr: `max by (${CARD}) (${idle}) < 0.02 and on (uuid) runyard_gpu_assigned`,
      after: span(1800),
      summary: 'GPU {{ $labels.gpu }} of {{ $labels.host }} is held and computes nothing.',
    },
  }
}

function endpoints({ span, seconds }: Pace): Readonly<Record<string, Row>> {
  const oldest = `max by (${E}) (runyard_queue_oldest_seconds) > ${seconds(300)}`
  const blocked = `max by (${E}, reason) (runyard_queue_blocked)`
  const burns = (long: string, short: string, limit: number): string =>
    `(runyard:job_errors:ratio_rate${long} > ${limit} and runyard:job_errors:ratio_rate${short} > ${limit})`
  const enough = `sum by (${E}) (max by (${E}, status) (increase(runyard_jobs_ended_total[${span(21_600)}]))) >= ${ENOUGH_JOBS}`
  const mean = (window: string): string => {
    const rate = (what: string): string => `sum by (${E}) (rate(runyard_worker_start_seconds_${what}{phase="total"}[${window}]))`
    return `(${rate('sum')} / (${rate('count')} > 0))`
  }
  return {
    RunyardJobsWaitTooLong: {
      expr: `(${oldest}) * on (${E}) group_left (reason) ${blocked} or on (${E}) ${oldest}`,
      after: span(60),
      summary:
        'A job of {{ $labels.endpoint }} has waited for {{ $value | humanizeDuration }}{{ with $labels.reason }} ({{ . }}){{ end }}.',
    },
    RunyardNoCapacity: {
      expr: `max by (${E}, reason) (runyard_queue_blocked{reason!="backing_off"}) == 1`,
      after: span(900),
      summary: '{{ $labels.endpoint }} wants workers that cannot start: {{ $labels.reason }}.',
    },
    RunyardWorkersCrashLoop: {
      expr: `${increase('runyard_worker_start_failures_total', span(600))} > 2.5`,
      summary: 'Workers of {{ $labels.endpoint }} fail before they are ready.',
    },
    RunyardWorkersLost: {
      expr: `${increase('runyard_workers_lost_total', span(900))} > 0`,
      summary: 'Workers of {{ $labels.endpoint }} ended by themselves.',
    },
    RunyardErrorBudgetBurn: {
      expr: `(${burns('1h', '5m', FAST)} or ${burns('6h', '30m', SLOW)}) and on (${E}) ${enough}`,
      summary: '{{ $value | humanizePercentage }} of the jobs of {{ $labels.endpoint }} fail.',
    },
    RunyardColdStartsSlow: {
      expr: `${mean(span(3600))} > 2 * ${mean(span(604_800))} and ${mean(span(3600))} > 5`,
      after: span(600),
      summary: 'Workers of {{ $labels.endpoint }} take {{ $value | humanizeDuration }} to start, twice as long as in the last week.',
    },
  }
}

export function alertGroups(pace: Pace): readonly RuleGroup[] {
  return [
    { name: 'runyard-pages', rules: toRules(pages(pace), 'page') },
    {
      name: 'runyard-tickets',
      rules: toRules({ ...store(pace), ...hostsAndGateways(pace), ...cards(pace), ...endpoints(pace) }, 'ticket'),
    },
  ]
}

function toRules(rows: Readonly<Record<string, Row>>, severity: 'page' | 'ticket'): readonly AlertRule[] {
  return Object.entries(rows).map(([alert, { expr, after, summary }]) => ({
    alert,
    expr,
    ...(after === undefined ? {} : { for: after }),
    labels: { severity },
    annotations: { summary, runbook_url: `docs/runbooks.md#${alert.toLowerCase()}` },
  }))
}
