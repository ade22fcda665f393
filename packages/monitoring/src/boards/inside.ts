// What runs the pool: gateways, scaler, Redis, webhooks.
import { mean, orZero, perSecond, poolPerSecond, quantile } from './expressions.ts'
import type { BoardSpec } from './panel.ts'

const JOB = '{job=~"runyard.*"}'

export const INSIDE: BoardSpec = {
  uid: 'runyard-inside',
  title: 'Runyard: inside',
  about: 'Gateways, scaler, Redis and webhooks.',
  rows: [
    [
      'Gateways',
      [
        { title: 'Up', about: '1: the gateway answers.', unit: 'short', queries: [[`up${JOB}`, '{{instance}}']] },
        {
          title: 'Requests',
          about: 'Per second, by code.',
          unit: 'reqps',
          queries: [[perSecond('runyard_http_requests_total', 'code'), '{{code}}']],
        },
        {
          title: 'Requests by route',
          about: 'Per second.',
          unit: 'reqps',
          queries: [[perSecond('runyard_http_requests_total', 'route, method'), '{{method}} {{route}}']],
        },
        {
          title: 'Duration, 95th percentile',
          about: 'By route, with the time that a request was held for news.',
          unit: 's',
          queries: [[quantile(0.95, 'runyard_http_request_seconds_bucket', 'route, le'), '{{route}}']],
        },
        {
          title: 'Held requests',
          about: 'Callers that wait for a job, and workers that wait for work.',
          unit: 'short',
          queries: [['sum by (holder) (runyard_http_held_requests)', '{{holder}}']],
        },
        {
          title: 'Refused requests',
          about: 'By the limit that refused them.',
          unit: 'reqps',
          queries: [[orZero(perSecond('runyard_requests_refused_total', 'reason')), '{{reason}}']],
        },
        {
          title: 'Certificate',
          about: 'Time until that of the TLS listener ends. Below two weeks RunyardCertificateExpires fires.',
          unit: 's',
          queries: [[orZero('min by (instance) (runyard_certificate_expires_timestamp_seconds) - time()'), '{{instance}}']],
        },
        {
          title: 'Event loop',
          about: 'Delay, 99th percentile. Above 0.5 s RunyardGatewayBlocked fires.',
          unit: 's',
          queries: [[`nodejs_eventloop_lag_p99_seconds${JOB}`, '{{instance}}']],
        },
        {
          title: 'Processor time',
          about: 'Of one processor.',
          unit: 'percentunit',
          queries: [
            [`rate(process_cpu_seconds_total${JOB}[$__rate_interval])`, '{{instance}}'],
            ['max(rate(runyard_scaler_cpu_seconds_total[$__rate_interval]))', 'scaler'],
          ],
        },
        {
          title: 'Memory',
          about: 'Resident memory.',
          unit: 'bytes',
          queries: [
            [`process_resident_memory_bytes${JOB}`, '{{instance}}'],
            ['max(runyard_scaler_resident_memory_bytes)', 'scaler'],
          ],
        },
      ],
    ],
    [
      'Scaler',
      [
        {
          title: 'Age of the last tick',
          about: 'Above a minute RunyardScalerSilent fires.',
          unit: 's',
          queries: [['time() - max(runyard_scaler_last_tick_timestamp_seconds)', 'age']],
        },
        {
          title: 'Duration of a tick',
          about: 'Mean and 95th percentile.',
          unit: 's',
          queries: [
            [
              'max(rate(runyard_scaler_tick_seconds_sum[$__rate_interval]) / (rate(runyard_scaler_tick_seconds_count[$__rate_interval]) > 0))',
              'mean',
            ],
            ['histogram_quantile(0.95, max by (le) (rate(runyard_scaler_tick_seconds_bucket[$__rate_interval])))', 'p95'],
          ],
        },
        {
          title: 'Decisions',
          about: 'Actions of the plans per second.',
          unit: 'reqps',
          queries: [[poolPerSecond('runyard_scaler_decisions_total', 'action, reason', 'action, reason'), '{{action}} {{reason}}']],
        },
        {
          title: 'Actions in flight',
          about: 'Under way now.',
          unit: 'short',
          queries: [['max(runyard_scaler_actions_in_flight)', 'actions']],
        },
        {
          title: 'Failed actions',
          about: 'They are tried again; the log says why.',
          unit: 'reqps',
          queries: [[orZero(poolPerSecond('runyard_scaler_action_failures_total', 'action', 'action')), '{{action}}']],
        },
        {
          title: 'Event loop',
          about: 'Delay, 99th percentile.',
          unit: 's',
          queries: [['max(runyard_scaler_eventloop_p99_seconds)', 'scaler']],
        },
        {
          title: 'Listing the workers of a host',
          about: 'How long the host took to answer.',
          unit: 's',
          queries: [['max by (host) (runyard_host_listing_seconds)', '{{host}}']],
        },
        {
          title: 'Disk',
          about: 'Free space for images, and the size of the disk; absent: the host has no images.',
          unit: 'bytes',
          queries: [
            [orZero('max by (host) (runyard_host_disk_free_bytes)'), '{{host}} free'],
            [orZero('max by (host) (runyard_host_disk_total_bytes)'), '{{host}} size'],
          ],
        },
        {
          title: 'Versions',
          about: 'Of each part.',
          unit: 'short',
          kind: 'stat',
          queries: [['count by (part, version, node) (runyard_build_info)', '{{part}} {{version}}, Node {{node}}']],
        },
      ],
    ],
    [
      'Redis and webhooks',
      [
        { title: 'Redis', about: '1: the gateway is connected.', unit: 'short', queries: [['runyard_store_up', '{{instance}}']] },
        {
          title: 'Memory of Redis',
          about: 'Above 85 % of its limit RunyardStoreNearlyFull fires.',
          unit: 'bytes',
          queries: [
            ['max(runyard_store_used_bytes)', 'used'],
            [orZero('max(runyard_store_max_bytes)'), 'limit'],
          ],
        },
        {
          title: 'Answer of Redis',
          about: 'How long one command takes.',
          unit: 's',
          queries: [['runyard_store_answer_seconds', '{{instance}}']],
        },
        {
          title: 'Scripts of Redis',
          about: 'From sending a script to its answer. Above a quarter of a second RunyardStoreSlow fires.',
          unit: 's',
          queries: [
            [quantile(0.5, 'runyard_store_script_seconds_bucket'), 'p50'],
            [quantile(0.99, 'runyard_store_script_seconds_bucket'), 'p99'],
          ],
        },
        {
          title: 'Large values',
          about: 'Operations per second that their storage failed or refused.',
          unit: 'reqps',
          queries: [[orZero(perSecond('runyard_blob_errors_total', 'operation')), '{{operation}}']],
        },
        {
          title: 'Problems of Redis',
          about: '1: Redis is unfit for accepted jobs.',
          unit: 'short',
          queries: [['max by (kind) (runyard_store_problem)', '{{kind}}']],
        },
        {
          title: 'Slow fsync',
          about: 'Writes that waited for the disk, per second.',
          unit: 'reqps',
          queries: [['max(rate(runyard_store_aof_delayed_fsync_total[$__rate_interval]))', 'writes']],
        },
        {
          title: 'Waiting webhooks',
          about: 'Events in all outboxes.',
          unit: 'short',
          queries: [['max(runyard_webhook_outbox_events)', 'events']],
        },
        {
          title: 'Size of waiting webhooks',
          about: 'In Redis, with those given up.',
          unit: 'bytes',
          queries: [['max(runyard_webhook_outbox_bytes)', 'bytes']],
        },
        {
          title: 'Dropped webhooks',
          about: 'Per second, because an outbox was full.',
          unit: 'reqps',
          queries: [[orZero(poolPerSecond('runyard_webhooks_dropped_total', 'endpoint_id', 'endpoint')), '{{endpoint}}']],
        },
        {
          title: 'Oldest webhook',
          about: 'Above ten minutes RunyardWebhooksLate fires.',
          unit: 's',
          queries: [['max(runyard_webhook_outbox_oldest_seconds)', 'age']],
        },
        {
          title: 'Attempts',
          about: 'Deliveries per second, by outcome.',
          unit: 'reqps',
          queries: [[orZero(perSecond('runyard_webhook_attempts_total', 'outcome')), '{{outcome}}']],
        },
        {
          title: 'Duration of an attempt',
          about: 'Mean.',
          unit: 's',
          queries: [[orZero(mean('runyard_webhook_attempt_seconds', 'job')), 'mean']],
        },
      ],
    ],
  ],
}
