// One endpoint: its jobs, its queue, its workers.
import { mean, orZero, perSecond, poolPerSecond, quantile } from './expressions.ts'
import type { BoardSpec } from './panel.ts'

const OF = '{endpoint="$endpoint"}'
const of = (more: string): string => `{endpoint="$endpoint",${more}}`

export const ENDPOINT: BoardSpec = {
  uid: 'runyard-endpoint',
  title: 'Runyard: endpoint',
  about: 'One endpoint: how its jobs fare, why they wait, how its workers start and end.',
  variable: { name: 'endpoint', label: 'Endpoint', query: 'label_values(runyard_queue_jobs, endpoint)' },
  rows: [
    [
      'Jobs',
      [
        {
          title: 'Accepted and ended',
          about: 'Jobs per second. A gap between the lines is a growing queue.',
          unit: 'reqps',
          queries: [
            [perSecond(`runyard_jobs_accepted_total${OF}`, 'endpoint'), 'accepted'],
            [poolPerSecond(`runyard_jobs_ended_total${OF}`, 'endpoint_id, status', 'status'), '{{status}}'],
          ],
        },
        {
          title: 'What ended them',
          about: 'Causes of ends, as in the log line of each job.',
          unit: 'reqps',
          queries: [[perSecond(`runyard_job_end_causes_total${OF}`, 'cause'), '{{cause}}']],
        },
        {
          title: 'Failed share',
          about: 'In the last five minutes and in the last hour.',
          unit: 'percentunit',
          queries: [
            [`runyard:job_errors:ratio_rate5m${OF}`, '5 minutes'],
            [`runyard:job_errors:ratio_rate1h${OF}`, '1 hour'],
          ],
        },
        {
          title: 'Wait',
          about: 'From submission to the start of the first attempt.',
          unit: 's',
          queries: (['p50', 'p95', 'p99'] as const).map((name) => [`runyard:job_wait_seconds:${name}${OF}`, name] as const),
        },
        {
          title: 'Run time',
          about: 'From the start of the last attempt to the end.',
          unit: 's',
          queries: [
            [quantile(0.5, `runyard_job_run_seconds_bucket${OF}`), 'p50'],
            [quantile(0.95, `runyard_job_run_seconds_bucket${OF}`), 'p95'],
          ],
        },
        {
          title: 'Retried attempts',
          about: 'Attempts that were repeated because their worker was lost.',
          unit: 'reqps',
          queries: [[poolPerSecond(`runyard_jobs_retried_total${OF}`, 'endpoint_id', 'endpoint'), 'retried']],
        },
      ],
    ],
    [
      'Queue and workers',
      [
        {
          title: 'Queue',
          about: 'Jobs that have not ended.',
          unit: 'short',
          queries: [[`max by (state) (runyard_queue_jobs${OF})`, '{{state}}']],
        },
        {
          title: 'Oldest waiting job',
          about: 'Its age; 0: none waits.',
          unit: 's',
          queries: [[`max(runyard_queue_oldest_seconds${OF})`, 'age']],
        },
        {
          title: 'Why no worker starts',
          about: 'The reason while a wanted worker cannot start; runyard explain says more.',
          unit: 'short',
          kind: 'states',
          queries: [[orZero(`max by (reason) (runyard_queue_blocked${OF})`), '{{reason}}']],
        },
        {
          title: 'Workers',
          about: 'By phase, and how many are wanted.',
          unit: 'short',
          queries: [
            [`max by (phase) (runyard_workers${OF})`, '{{phase}}'],
            [`max(runyard_workers_wanted${OF})`, 'wanted'],
          ],
        },
        {
          title: 'Billing states',
          about: 'The six states that the ledger knows.',
          unit: 'short',
          queries: [[`max by (state) (runyard_worker_states${OF})`, '{{state}}']],
        },
        {
          title: 'Parts of a start',
          about: 'Mean of the last hour: until the container runs, until it asks for work, until its first function runs; total.',
          unit: 's',
          queries: [[mean('runyard_worker_start_seconds', 'phase', { selector: OF, window: '1h' }), '{{phase}}']],
        },
        {
          title: 'Starts',
          about: 'Started containers per second, by why.',
          unit: 'reqps',
          queries: [[poolPerSecond(`runyard_worker_starts_total${OF}`, 'endpoint_id, reason', 'reason'), '{{reason}}']],
        },
        {
          title: 'Ends',
          about: 'Workers that are gone per second, by why.',
          unit: 'reqps',
          queries: [[orZero(poolPerSecond(`runyard_worker_ends_total${OF}`, 'endpoint_id, reason', 'reason')), '{{reason}}']],
        },
        {
          title: 'Failures',
          about: 'Workers that failed before they were ready, and ready ones that ended by themselves.',
          unit: 'reqps',
          queries: [
            [poolPerSecond(`runyard_worker_start_failures_total${OF}`, 'endpoint_id', 'endpoint'), 'failed starts'],
            [poolPerSecond(`runyard_workers_lost_total${OF}`, 'endpoint_id', 'endpoint'), 'lost'],
          ],
        },
      ],
    ],
    [
      'Cost',
      [
        {
          title: 'Billed time',
          about: 'Seconds in each billed state in the chosen time.',
          unit: 's',
          kind: 'stat',
          width: 12,
          queries: [
            [`sum by (state) (max by (endpoint_id, gpu, state) (increase(runyard_billable_seconds_total${OF}[$__range])))`, '{{state}}'],
          ],
        },
        {
          title: 'Cards',
          about: 'Cards that its workers hold.',
          unit: 'short',
          kind: 'states',
          width: 12,
          queries: [[`max by (host, gpu) (runyard_gpu_assigned${of('worker!=""')})`, '{{host}} {{gpu}}']],
        },
      ],
    ],
  ],
}
