// The whole pool on one board: jobs, workers, cards, cost.
import { orZero, poolPerSecond } from './expressions.ts'
import type { BoardSpec } from './panel.ts'

const CARD = '{{host}} {{gpu}}'

export const YARD: BoardSpec = {
  uid: 'runyard-yard',
  title: 'Runyard: yard',
  about: 'The pool at a glance: is it healthy, what waits, what do the cards do, what does it cost.',
  rows: [
    [
      'Jobs',
      [
        {
          title: 'Accepted jobs',
          about: 'Jobs per second, by endpoint.',
          unit: 'reqps',
          queries: [['runyard:jobs_accepted:rate5m', '{{endpoint}}']],
        },
        {
          title: 'Ended jobs',
          about: 'Jobs per second, by their final status.',
          unit: 'reqps',
          queries: [[poolPerSecond('runyard_jobs_ended_total', 'endpoint_id, status', 'status'), '{{status}}']],
        },
        {
          title: 'Failed share',
          about: 'Failed and timed-out jobs of all that were not cancelled. Open the endpoint for causes.',
          unit: 'percentunit',
          queries: [['runyard:job_errors:ratio_rate5m', '{{endpoint}}']],
        },
        {
          title: 'Wait, 95th percentile',
          about: 'From submission to the start, by endpoint.',
          unit: 's',
          queries: [['runyard:job_wait_seconds:p95', '{{endpoint}}']],
        },
        {
          title: 'Waiting jobs',
          about: 'Jobs in the queue now.',
          unit: 'short',
          queries: [['max by (endpoint) (runyard_queue_jobs{state="waiting"})', '{{endpoint}}']],
        },
        {
          title: 'Oldest waiting job',
          about: 'Above five minutes RunyardJobsWaitTooLong fires.',
          unit: 's',
          queries: [['max by (endpoint) (runyard_queue_oldest_seconds)', '{{endpoint}}']],
        },
        {
          title: 'Why no worker starts',
          about: 'Endpoints that want workers which no host can take; runyard explain says more.',
          unit: 'short',
          kind: 'states',
          width: 24,
          queries: [['max by (endpoint, reason) (runyard_queue_blocked)', '{{endpoint}}: {{reason}}']],
        },
      ],
    ],
    [
      'Workers and cards',
      [
        {
          title: 'Workers',
          about: 'All workers by phase.',
          unit: 'short',
          queries: [['sum by (phase) (max by (endpoint_id, phase) (runyard_workers))', '{{phase}}']],
        },
        {
          title: 'Cards',
          about: 'Cards that work, that are held, and that are free.',
          unit: 'short',
          queries: [
            ['runyard:gpus_busy:count', 'busy'],
            ['runyard:gpus_held:count', 'held'],
            ['runyard:gpus_free:count', 'free'],
          ],
        },
        {
          title: 'Cards out of use',
          about: 'Quarantined or on probation, with the fault.',
          unit: 'short',
          queries: [[orZero('count by (host, gpu, cause) (runyard_gpu_out_of_use)'), `${CARD} {{cause}}`]],
        },
        {
          title: 'Who holds which card',
          about: 'One lane per card and endpoint.',
          unit: 'short',
          kind: 'states',
          width: 24,
          queries: [['max by (host, gpu, endpoint) (runyard_gpu_assigned)', `${CARD} {{endpoint}}`]],
        },
        {
          title: 'Load',
          about: 'Share of time in which a card computed.',
          unit: 'percentunit',
          queries: [['max by (host, gpu) (runyard_gpu_utilization_ratio)', CARD]],
        },
        {
          title: 'Card memory',
          about: 'Used share of the memory of a card.',
          unit: 'percentunit',
          queries: [['max by (host, gpu) (runyard_gpu_memory_used_bytes / runyard_gpu_memory_total_bytes)', CARD]],
        },
        {
          title: 'Temperature',
          about: 'Above 87 °C RunyardGpuHot fires.',
          unit: 'celsius',
          queries: [['max by (host, gpu) (runyard_gpu_temperature_celsius)', CARD]],
        },
        {
          title: 'Power',
          about: 'Power draw of each card, and the sum of the limits.',
          unit: 'watt',
          queries: [
            ['max by (host, gpu) (runyard_gpu_power_watts)', CARD],
            ['sum(max by (host, uuid) (runyard_gpu_power_limit_watts))', 'sum of the limits'],
          ],
        },
        {
          title: 'Faults of cards',
          about: 'Uncorrectable memory errors, the last Xid, and 1 for a card whose driver reports a fault.',
          unit: 'short',
          queries: [
            [orZero('max by (host, gpu) (runyard_gpu_ecc_uncorrected_total)'), `${CARD} memory errors`],
            [orZero('max by (host, gpu) (runyard_gpu_xid_last)'), `${CARD} Xid`],
            ['1 - max by (host, gpu) (runyard_gpu_healthy)', `${CARD} fault`],
          ],
        },
        {
          title: 'Hosts',
          about: '1: the host answers, is prepared for workers, is cordoned.',
          unit: 'short',
          queries: [
            ['max by (host) (runyard_host_up)', '{{host}} answers'],
            ['max by (host) (runyard_host_ready)', '{{host}} ready'],
            ['max by (host) (runyard_host_cordoned)', '{{host}} cordoned'],
          ],
        },
        {
          title: 'Pulls of images',
          about: 'Bytes per second of finished pulls, by host.',
          unit: 'Bps',
          queries: [[orZero(poolPerSecond('runyard_image_pull_bytes_total', 'host', 'host')), '{{host}}']],
        },
        {
          title: 'Workers and standby',
          about: 'Started workers that wait for an endpoint, by host; not billed.',
          unit: 'short',
          queries: [['max by (host) (runyard_host_standby_workers)', '{{host}}']],
        },
      ],
    ],
    [
      'Cost',
      [
        {
          title: 'Billed time',
          about: 'Seconds of workers in a billed state in the chosen time, by endpoint and type of card.',
          unit: 's',
          kind: 'stat',
          width: 16,
          queries: [
            [
              'sum by (endpoint, gpu) (max by (endpoint, endpoint_id, gpu, state) (increase(runyard_billable_seconds_total[$__range])))',
              '{{endpoint}} {{gpu}}',
            ],
          ],
        },
        {
          title: 'Held, not busy',
          about: 'Cards that are paid for and run no job.',
          unit: 'short',
          kind: 'stat',
          queries: [['clamp_min(runyard:gpus_held:count - runyard:gpus_busy:count, 0)', 'cards']],
        },
        {
          title: 'Billed time of deleted endpoints',
          about: 'Seconds in the chosen time that count for endpoints which are gone, by owner.',
          unit: 's',
          kind: 'stat',
          queries: [
            [
              orZero('sum by (owner) (max by (owner, gpu, state) (increase(runyard_deleted_endpoints_billable_seconds_total[$__range])))'),
              '{{owner}}',
            ],
          ],
        },
        {
          title: 'Workers in the ledger',
          about: 'Workers whose interval has not ended. It stays as high as there are workers.',
          unit: 'short',
          queries: [['max(runyard_ledger_open_intervals)', 'open intervals']],
        },
        {
          title: 'Prices',
          about: 'Of one billed hour, by type of card; empty: none is configured.',
          unit: 'short',
          kind: 'stat',
          queries: [[orZero('max by (gpu, currency) (runyard_gpu_price_per_hour)'), '{{gpu}} {{currency}}']],
        },
      ],
    ],
  ],
}
