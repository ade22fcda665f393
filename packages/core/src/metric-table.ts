// Every metric that Runyard exports, declared once (ADR 73). The gateway's series, the scaler's report, the reference in docs/monitoring.md, the
// rules, the boards and the tests use this table; a metric that is not in it cannot be exported.
// Labels: what concerns an endpoint has `endpoint` (its name) and `endpoint_id`. No label names a job or an API key; a worker only in `runyard_gpu_assigned`.
import {
  BILLING_STATES,
  CARD_FAULTS,
  HOST_KINDS,
  REFUSAL_REASONS,
  TERMINAL_JOB_STATUSES,
  WEBHOOK_OUTCOMES,
  WORKER_PHASES,
} from '@runyard/schema'
import { END_CAUSES } from './job-end.ts'

/** `pool`: read from Redis, the same on every gateway, never to be summed over gateways. `process`: counted by this process; the sum is right. */
export const METRIC_SCOPES = ['pool', 'process'] as const
export type MetricScope = (typeof METRIC_SCOPES)[number]

export interface MetricRow {
  readonly scope: MetricScope
  /** A summary has no quantiles, only its sum and its count. */
  readonly kind: 'counter' | 'gauge' | 'histogram' | 'summary'
  readonly help: string
  readonly labels: readonly string[]
  /** Upper bounds of a histogram. */
  readonly buckets?: readonly number[]
  /** Labels with a closed list of values. */
  readonly values?: Readonly<Record<string, readonly string[]>>
}

/** A start of a worker in parts: until its container runs, until it asks for work, until its first function runs; and from its placement to its first poll. */
export const START_PHASES = ['container', 'ready', 'function', 'total'] as const
export type StartPhase = (typeof START_PHASES)[number]

export const HOLDERS = ['caller', 'worker'] as const
export const BLOB_OPERATIONS = ['read', 'write', 'delete', 'list'] as const
export const STORE_PROBLEMS = ['away', 'may_evict', 'not_durable', 'read_only', 'too_old'] as const

const ENDPOINT = ['endpoint', 'endpoint_id'] as const
const CARD = ['host', 'gpu', 'uuid'] as const
/** Ten bounds, since two histograms per endpoint are the largest part of the page. */
const JOB_BUCKETS_S = [0.01, 0.05, 0.1, 0.5, 1, 5, 15, 60, 300, 1800]
const HTTP_BUCKETS_S = [0.002, 0.005, 0.01, 0.05, 0.25, 1, 5, 30]
const STORE_BUCKETS_S = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.25, 1, 5]
const TICK_BUCKETS_S = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 15]

const pool = { scope: 'pool' } as const
const own = { scope: 'process' } as const
const counter = { kind: 'counter' } as const
const gauge = { kind: 'gauge' } as const

const JOBS = {
  runyard_jobs_accepted_total: { ...own, ...counter, help: 'Jobs that this gateway accepted.', labels: ENDPOINT },
  runyard_jobs_ended_total: {
    ...pool,
    ...counter,
    help: 'Jobs that ended, by their final status.',
    labels: [...ENDPOINT, 'status'],
    values: { status: TERMINAL_JOB_STATUSES },
  },
  runyard_job_end_causes_total: {
    ...own,
    ...counter,
    help: 'Ends of jobs that this gateway recorded, by what ended them.',
    labels: [...ENDPOINT, 'cause', 'status'],
    values: { cause: END_CAUSES, status: TERMINAL_JOB_STATUSES },
  },
  runyard_jobs_retried_total: { ...pool, ...counter, help: 'Attempts repeated after a lost worker.', labels: ENDPOINT },
  runyard_job_wait_seconds: {
    ...own,
    kind: 'histogram',
    help: 'From submission to the start of the first attempt, observed at the start.',
    labels: ENDPOINT,
    buckets: JOB_BUCKETS_S,
  },
  runyard_job_run_seconds: {
    ...own,
    kind: 'histogram',
    help: 'From the start of the last attempt to the end of the job.',
    labels: ENDPOINT,
    buckets: JOB_BUCKETS_S,
  },
  runyard_queue_jobs: {
    ...pool,
    ...gauge,
    help: 'Jobs that have not ended.',
    labels: [...ENDPOINT, 'state'],
    values: { state: ['waiting', 'in_progress'] },
  },
  runyard_queue_oldest_seconds: { ...pool, ...gauge, help: 'Age of the oldest waiting job; 0: none waits.', labels: ENDPOINT },
  runyard_queue_blocked: {
    ...pool,
    ...gauge,
    help: '1 while a wanted worker cannot start, with the reason.',
    labels: [...ENDPOINT, 'reason'],
  },
} as const satisfies Record<string, MetricRow>

const WORKERS = {
  runyard_workers: {
    ...pool,
    ...gauge,
    help: 'Workers by phase.',
    labels: [...ENDPOINT, 'phase'],
    values: { phase: WORKER_PHASES.filter((phase) => phase !== 'gone') },
  },
  runyard_worker_states: {
    ...pool,
    ...gauge,
    help: 'Workers by billing state; idle: places where a worker starts without a pull.',
    labels: [...ENDPOINT, 'state'],
    values: { state: BILLING_STATES },
  },
  runyard_workers_wanted: { ...pool, ...gauge, help: 'Workers that serve or start, with those that cannot start.', labels: ENDPOINT },
  runyard_worker_starts_total: { ...pool, ...counter, help: 'Started containers, by why.', labels: [...ENDPOINT, 'reason'] },
  runyard_worker_ends_total: { ...pool, ...counter, help: 'Workers that are gone, by why.', labels: [...ENDPOINT, 'reason'] },
  runyard_worker_start_failures_total: { ...pool, ...counter, help: 'Workers that failed before they were ready.', labels: ENDPOINT },
  runyard_workers_lost_total: { ...pool, ...counter, help: 'Ready workers that ended without being asked to.', labels: ENDPOINT },
  runyard_worker_start_seconds: {
    ...own,
    kind: 'summary',
    help: 'Parts of the start of a worker, each measured once per worker.',
    labels: [...ENDPOINT, 'phase'],
    values: { phase: START_PHASES },
  },
} as const satisfies Record<string, MetricRow>

const SCALER = {
  runyard_scaler_last_tick_timestamp_seconds: { ...pool, ...gauge, help: 'When the leading scaler last finished a tick.', labels: [] },
  runyard_scaler_tick_seconds: { ...pool, kind: 'histogram', help: 'Duration of a tick.', labels: [], buckets: TICK_BUCKETS_S },
  runyard_scaler_decisions_total: { ...pool, ...counter, help: 'Actions of the plans.', labels: ['action', 'reason'] },
  runyard_scaler_action_failures_total: { ...pool, ...counter, help: 'Actions that failed and are tried again.', labels: ['action'] },
  runyard_scaler_actions_in_flight: { ...pool, ...gauge, help: 'Actions under way.', labels: [] },
  runyard_scaler_cpu_seconds_total: { ...pool, ...counter, help: 'Processor time of the scaler.', labels: [] },
  runyard_scaler_resident_memory_bytes: { ...pool, ...gauge, help: 'Memory of the scaler.', labels: [] },
  runyard_scaler_eventloop_p99_seconds: { ...pool, ...gauge, help: 'Delay of its event loop, 99th percentile of ten seconds.', labels: [] },
} as const satisfies Record<string, MetricRow>

const HOSTS = {
  runyard_host_up: {
    ...pool,
    ...gauge,
    help: '1 while the host answers.',
    labels: ['host', 'kind'],
    values: { kind: HOST_KINDS },
  },
  runyard_host_ready: { ...pool, ...gauge, help: '1 while the host is prepared for workers.', labels: ['host'] },
  runyard_host_cordoned: { ...pool, ...gauge, help: '1 while the operator keeps new workers off it.', labels: ['host'] },
  runyard_host_cpus: { ...pool, ...gauge, help: 'Processors of the host.', labels: ['host'] },
  runyard_host_memory_bytes: { ...pool, ...gauge, help: 'Memory of the host.', labels: ['host'] },
  runyard_host_standby_workers: { ...pool, ...gauge, help: 'Started workers without an endpoint; not billed.', labels: ['host'] },
  runyard_host_disk_free_bytes: { ...pool, ...gauge, help: 'Free space where the host keeps its images.', labels: ['host'] },
  runyard_host_disk_total_bytes: { ...pool, ...gauge, help: 'Size of that disk.', labels: ['host'] },
  runyard_host_disk_low: { ...pool, ...gauge, help: '1 while the host pulls no image for lack of disk space.', labels: ['host'] },
  runyard_image_pull_bytes_total: { ...pool, ...counter, help: 'Bytes that finished pulls of images have downloaded.', labels: ['host'] },
  runyard_host_listing_seconds: { ...pool, ...gauge, help: 'How long its last list of workers took.', labels: ['host'] },
} as const satisfies Record<string, MetricRow>

const CARDS = {
  runyard_gpu_info: { ...pool, ...gauge, help: 'Always 1.', labels: [...CARD, 'type', 'simulated'] },
  runyard_gpu_healthy: { ...pool, ...gauge, help: '1 unless nvidia-smi reports a fault that forbids its use.', labels: CARD },
  runyard_gpu_out_of_use: {
    ...pool,
    ...gauge,
    help: '1 while the card is quarantined or on probation, with the fault.',
    labels: [...CARD, 'cause'],
    values: { cause: CARD_FAULTS },
  },
  runyard_gpu_assigned: {
    ...pool,
    ...gauge,
    help: '1 for each worker that holds the card. Its uuid joins with the UUID of DCGM.',
    labels: [...CARD, ...ENDPOINT, 'worker'],
  },
  runyard_gpu_memory_total_bytes: { ...pool, ...gauge, help: 'Memory of the card.', labels: CARD },
  runyard_gpu_memory_used_bytes: { ...pool, ...gauge, help: 'Used memory, without that of desktop programs.', labels: CARD },
  runyard_gpu_utilization_ratio: { ...pool, ...gauge, help: 'Share of time in which the card computed, 0 to 1.', labels: CARD },
  runyard_gpu_temperature_celsius: { ...pool, ...gauge, help: 'Temperature of the card.', labels: CARD },
  runyard_gpu_power_watts: { ...pool, ...gauge, help: 'Power draw of the card.', labels: CARD },
  runyard_gpu_power_limit_watts: { ...pool, ...gauge, help: 'Highest power draw that is set.', labels: CARD },
  runyard_gpu_ecc_uncorrected_total: {
    ...pool,
    ...counter,
    help: 'Uncorrectable memory errors of the card since its driver was loaded; absent: it has no ECC.',
    labels: CARD,
  },
  runyard_gpu_xid_last: { ...pool, ...gauge, help: 'Last Xid of the card in the kernel’s log; absent: none, or not known.', labels: CARD },
} as const satisfies Record<string, MetricRow>

const REST = {
  runyard_store_up: { ...own, ...gauge, help: '1 while Redis answers this gateway, 0 after 2 s without an answer.', labels: [] },
  runyard_store_script_seconds: {
    ...own,
    kind: 'histogram',
    help: 'From sending a script to Redis to its answer.',
    labels: [],
    buckets: STORE_BUCKETS_S,
  },
  runyard_store_answer_seconds: { ...own, ...gauge, help: 'How long one command took just now.', labels: [] },
  runyard_store_used_bytes: { ...pool, ...gauge, help: 'Memory that Redis uses.', labels: [] },
  runyard_store_max_bytes: { ...pool, ...gauge, help: 'Memory beyond which Redis refuses writes; absent: no limit.', labels: [] },
  runyard_store_problem: {
    ...pool,
    ...gauge,
    help: '1 while Redis is unfit for accepted jobs, with the reason.',
    labels: ['kind'],
    values: { kind: STORE_PROBLEMS },
  },
  runyard_store_aof_delayed_fsync_total: {
    ...pool,
    ...counter,
    help: 'Writes that waited for a slow fsync of the append-only file.',
    labels: [],
  },
  runyard_webhook_outbox_events: { ...pool, ...gauge, help: 'Webhooks that wait for a delivery.', labels: [] },
  runyard_webhook_outbox_oldest_seconds: { ...pool, ...gauge, help: 'Age of the oldest one.', labels: [] },
  runyard_webhook_outbox_bytes: { ...pool, ...gauge, help: 'Their size in Redis, with those given up.', labels: [] },
  runyard_webhooks_dropped_total: { ...pool, ...counter, help: 'Webhooks never delivered because the outbox was full.', labels: ENDPOINT },
  runyard_webhook_attempts_total: {
    ...own,
    ...counter,
    help: 'Attempts to deliver a webhook.',
    labels: ['outcome'],
    values: { outcome: WEBHOOK_OUTCOMES },
  },
  runyard_webhook_attempt_seconds: { ...own, kind: 'summary', help: 'Duration of these attempts.', labels: [] },
  runyard_billable_seconds_total: {
    ...pool,
    ...counter,
    help: 'Seconds of workers in a billed state.',
    labels: [...ENDPOINT, 'gpu', 'state'],
    values: { state: BILLING_STATES },
  },
  // Not the same counter: `increase()` would count twice what moves from one series to another.
  runyard_deleted_endpoints_billable_seconds_total: {
    ...pool,
    ...counter,
    help: 'The same of endpoints that were deleted.',
    labels: ['owner', 'gpu', 'state'],
    values: { state: BILLING_STATES },
  },
  runyard_blob_errors_total: {
    ...own,
    ...counter,
    help: 'Operations on large values that their storage failed or refused.',
    labels: ['operation'],
    values: { operation: BLOB_OPERATIONS },
  },
  runyard_certificate_expires_timestamp_seconds: {
    ...own,
    ...gauge,
    help: 'When the certificate of the TLS listener expires; absent: there is none.',
    labels: [],
  },
  runyard_ledger_open_intervals: { ...pool, ...gauge, help: 'Workers whose interval in the ledger has not ended.', labels: [] },
  runyard_gpu_price_per_hour: {
    ...pool,
    ...gauge,
    help: 'Price of one GPU for one billed hour, by the configuration; cpu: of a CPU worker.',
    labels: ['gpu', 'currency'],
  },
  runyard_http_requests_total: {
    ...own,
    ...counter,
    help: 'Answered requests, by the pattern of their route.',
    labels: ['route', 'method', 'code'],
  },
  runyard_http_request_seconds: {
    ...own,
    kind: 'histogram',
    help: 'From the arrival of a request to the end of its answer, holds included.',
    labels: ['route', 'method'],
    buckets: HTTP_BUCKETS_S,
  },
  runyard_http_held_requests: {
    ...own,
    ...gauge,
    help: 'Requests held for news: of callers for their jobs, of workers for work.',
    labels: ['holder'],
    values: { holder: HOLDERS },
  },
  runyard_requests_refused_total: {
    ...own,
    ...counter,
    help: 'Requests that a limit or a budget refused.',
    labels: ['reason'],
    values: { reason: REFUSAL_REASONS },
  },
  runyard_build_info: {
    ...own,
    ...gauge,
    help: 'Always 1. That of the scaler is a pool fact.',
    labels: ['part', 'version', 'node'],
    values: { part: ['gateway', 'scaler'] },
  },
} as const satisfies Record<string, MetricRow>

const TABLE = { ...JOBS, ...WORKERS, ...SCALER, ...HOSTS, ...CARDS, ...REST }
export type MetricName = keyof typeof TABLE
export const METRICS: Readonly<Record<MetricName, MetricRow>> = TABLE
