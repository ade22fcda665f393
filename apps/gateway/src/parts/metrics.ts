// What the gateway measures by itself while it works; what is true in Redis is read at scrape time (`metrics-route.ts`). Labels name endpoints
// only, never jobs or workers, and those of a deleted endpoint are dropped.
import { END_CAUSES, type EndMeasure } from '@runyard/core'
import { Counter, createMetrics, Histogram, type Metrics, type Registry } from '@runyard/kit'
import type { RefusalReason, WebhookOutcome } from '@runyard/schema'

/** Parts of a cold start; each label value is the time from the first event of its name to the second. */
export type ColdStartPhase = 'placed_to_container' | 'container_to_ready' | 'placed_to_ready' | 'ready_to_function'

export interface GatewayMetrics extends Metrics {
  jobAccepted(endpointId: string): void
  jobsEnded(measure: EndMeasure): void
  webhookAttempt(outcome: WebhookOutcome): void
  refused(reason: RefusalReason): void
  coldStart(endpointId: string, phase: ColdStartPhase, ms: number): void
  /** Drops the series of endpoints that are not in `ids`. */
  keepEndpoints(ids: ReadonlySet<string>): void
}

const JOB_BUCKETS_S = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 600, 3600]
const COLD_START_BUCKETS_S = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600]

export function createGatewayMetrics(): GatewayMetrics {
  const metrics = createMetrics()
  const series = createSeries(metrics.registry)
  /** The label values in use, by endpoint: what has to be dropped with it. */
  const used = new Map<string, Set<string>>()

  function note(endpointId: string, label: string): void {
    const labels = used.get(endpointId)
    if (labels === undefined) used.set(endpointId, new Set([label]))
    else labels.add(label)
  }

  return {
    ...metrics,
    jobAccepted(endpointId) {
      note(endpointId, '')
      series.accepted.inc({ endpoint_id: endpointId })
    },
    jobsEnded({ endpointId, cause, status, jobs, durations }) {
      note(endpointId, status)
      series.ended.inc({ endpoint_id: endpointId, cause, status }, jobs)
      if (durations === undefined) return
      series.delay.observe({ endpoint_id: endpointId }, durations.delayMs / 1000)
      series.execution.observe({ endpoint_id: endpointId, status }, durations.executionMs / 1000)
    },
    webhookAttempt(outcome) {
      series.webhooks.inc({ outcome })
    },
    refused(reason) {
      series.refused.inc({ reason })
    },
    coldStart(endpointId, phase, ms) {
      note(endpointId, phase)
      series.coldStart.observe({ endpoint_id: endpointId, phase }, Math.max(0, ms) / 1000)
    },
    keepEndpoints(ids) {
      for (const [endpointId, labels] of used) {
        if (ids.has(endpointId)) continue
        used.delete(endpointId)
        dropSeries(series, endpointId, labels)
      }
    },
  }
}

type Series = ReturnType<typeof createSeries>

function createSeries(registry: Registry) {
  const registers = [registry]
  return {
    accepted: new Counter({
      name: 'runyard_accepted_jobs_total',
      help: 'Jobs accepted by this gateway.',
      labelNames: ['endpoint_id'],
      registers,
    }),
    ended: new Counter({
      name: 'runyard_ended_jobs_total',
      help: 'Ends of jobs that this gateway recorded, by what ended them.',
      labelNames: ['endpoint_id', 'cause', 'status'],
      registers,
    }),
    webhooks: new Counter({
      name: 'runyard_webhook_attempts_total',
      help: 'Attempts to deliver a webhook, by what came of them.',
      labelNames: ['outcome'],
      registers,
    }),
    refused: new Counter({
      name: 'runyard_refused_requests_total',
      help: 'Requests that a limit or a budget refused, by what refused them.',
      labelNames: ['reason'],
      registers,
    }),
    delay: new Histogram({
      name: 'runyard_job_delay_seconds',
      help: 'From submission to the start of the last attempt.',
      labelNames: ['endpoint_id'],
      buckets: JOB_BUCKETS_S,
      registers,
    }),
    execution: new Histogram({
      name: 'runyard_job_execution_seconds',
      help: 'From the start of the last attempt to the end of the job.',
      labelNames: ['endpoint_id', 'status'],
      buckets: JOB_BUCKETS_S,
      registers,
    }),
    coldStart: new Histogram({
      name: 'runyard_cold_start_seconds',
      help: 'Parts of the start of a worker.',
      labelNames: ['endpoint_id', 'phase'],
      buckets: COLD_START_BUCKETS_S,
      registers,
    }),
  }
}

function dropSeries(series: Series, endpointId: string, labels: ReadonlySet<string>): void {
  series.accepted.remove({ endpoint_id: endpointId })
  series.delay.remove({ endpoint_id: endpointId })
  for (const label of labels) {
    series.execution.remove({ endpoint_id: endpointId, status: label })
    series.coldStart.remove({ endpoint_id: endpointId, phase: label })
    for (const cause of END_CAUSES) series.ended.remove({ endpoint_id: endpointId, cause, status: label })
  }
}
