// Recording rules: what boards and alerts ask for often, by the name of the endpoint. Process facts are added up over gateways. Pool facts are the same on each
// gateway, so of them the highest counts: a sum would multiply them where each gateway serves both scopes.
import type { Pace } from './pace.ts'
import type { RuleGroup } from './rules.ts'

const QUANTILES = [
  ['p50', 0.5],
  ['p95', 0.95],
  ['p99', 0.99],
] as const

/** The windows of the error budget: two to be sure of, two to see that it still burns. */
export const BURN_WINDOWS = [
  ['5m', 300],
  ['30m', 1800],
  ['1h', 3600],
  ['6h', 21_600],
] as const

const BY = 'by (endpoint, endpoint_id)'
/** How fast jobs end, with the labels of the endpoint and the status; once, however many gateways serve it. */
const ended = (status: string, window: string): string =>
  `sum ${BY} (max by (endpoint, endpoint_id, status) (rate(runyard_jobs_ended_total{${status}}[${window}])))`

export function recordingGroups({ span }: Pace): readonly RuleGroup[] {
  const window = span(300)
  return [
    {
      name: 'runyard-jobs',
      rules: [
        { record: 'runyard:jobs_accepted:rate5m', expr: `sum ${BY} (rate(runyard_jobs_accepted_total[${window}]))` },
        { record: 'runyard:jobs_ended:rate5m', expr: ended('', window) },
        ...QUANTILES.map(([name, quantile]) => ({
          record: `runyard:job_wait_seconds:${name}`,
          expr: `histogram_quantile(${quantile}, sum by (endpoint, endpoint_id, le) (rate(runyard_job_wait_seconds_bucket[${window}])))`,
        })),
        ...BURN_WINDOWS.map(([name, seconds]) => ({
          record: `runyard:job_errors:ratio_rate${name}`,
          // A cancelled job is not a failure.
          expr: `(${ended('status=~"FAILED|TIMED_OUT"', span(seconds))}) / (${ended('status!="CANCELLED"', span(seconds))} > 0)`,
        })),
      ],
    },
    {
      name: 'runyard-gpus',
      rules: [
        { record: 'runyard:gpus:count', expr: 'count(max by (host, uuid) (runyard_gpu_info))' },
        { record: 'runyard:gpus_held:count', expr: 'count(max by (host, uuid) (runyard_gpu_assigned)) or vector(0)' },
        {
          record: 'runyard:gpus_free:count',
          expr: 'count(max by (host, uuid) (runyard_gpu_info) unless on (uuid) runyard_gpu_assigned) or vector(0)',
        },
        {
          record: 'runyard:gpus_busy:count',
          // A worker that works: its endpoint has as many busy workers as jobs in progress.
          expr: 'sum(max by (endpoint_id) (runyard_workers{phase="busy"}) and on (endpoint_id) runyard_gpu_assigned) or vector(0)',
        },
      ],
    },
  ]
}
