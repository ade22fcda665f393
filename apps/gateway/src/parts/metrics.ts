// What this gateway counts while it works: the process facts of the table (ADR 73). What is true in Redis is read at scrape time (`pool-facts.ts`).
// A count on the hot path is one look-up by endpoint and an addition. Series of an endpoint are kept by its id, since its name may change; the page adds
// the name.
import { METRICS, START_PHASES, type EndMeasure, type MetricName, type StartPhase } from '@runyard/core'
import { createSeries, observeIn, type Distribution, type Samples, type Series, type Value } from '@runyard/kit'
import type { RefusalReason, WebhookOutcome } from '@runyard/schema'
import type { Store } from '@runyard/store'
import type { FastifyInstance, onSendHookHandler } from 'fastify'

export type GatewayMetrics = ReturnType<typeof createGatewayMetrics>

export type RouteCount = (code: number, seconds: number) => void

interface EndpointCells {
  readonly accepted: Value
  readonly wait: Distribution
  readonly run: Distribution
}

const WAIT = 'runyard_job_wait_seconds'
const RUN = 'runyard_job_run_seconds'
const SCRIPTS = 'runyard_store_script_seconds'
const OF_ENDPOINTS = Object.entries(METRICS).flatMap(([name, { scope, labels }]) =>
  scope === 'process' && labels.includes('endpoint_id') ? [name as MetricName] : [],
)

export function createGatewayMetrics(store: Pick<Store, 'timeScripts'>) {
  const series = createSeries<MetricName>(METRICS)
  const cells = new Map<string, EndpointCells>()
  const [waitBounds, runBounds, scriptBounds] = [METRICS[WAIT].buckets, METRICS[RUN].buckets, METRICS[SCRIPTS].buckets]
  const scripts = series.distribution(SCRIPTS)
  store.timeScripts((ms) => observeIn(scripts, scriptBounds, ms / 1000))

  function cellsOf(endpointId: string): EndpointCells {
    const known = cells.get(endpointId)
    if (known !== undefined) return known
    const made: EndpointCells = {
      accepted: series.value('runyard_jobs_accepted_total', endpointId),
      wait: series.distribution(WAIT, endpointId),
      run: series.distribution(RUN, endpointId),
    }
    // From zero on, so that Prometheus sees the first one as an increase.
    for (const phase of START_PHASES) series.distribution('runyard_worker_start_seconds', endpointId, phase)
    series.add('runyard_job_end_causes_total', [endpointId, 'worker_lost', 'FAILED'], 0)
    cells.set(endpointId, made)
    return made
  }

  return {
    jobAccepted(endpointId: string) {
      cellsOf(endpointId).accepted.value += 1
    },
    /** A worker got its first attempt. */
    jobStarted(endpointId: string, waitMs: number) {
      observeIn(cellsOf(endpointId).wait, waitBounds, Math.max(0, waitMs) / 1000)
    },
    jobsEnded({ endpointId, cause, status, jobs, durations }: EndMeasure) {
      series.add('runyard_job_end_causes_total', [endpointId, cause, status], jobs)
      if (durations !== undefined) observeIn(cellsOf(endpointId).run, runBounds, durations.executionMs / 1000)
    },
    workerStarted(endpointId: string, phase: StartPhase, ms: number) {
      series.observe('runyard_worker_start_seconds', [endpointId, phase], Math.max(0, ms) / 1000)
    },
    webhookAttempt(outcome: WebhookOutcome, ms: number) {
      series.add('runyard_webhook_attempts_total', [outcome], 1)
      series.observe('runyard_webhook_attempt_seconds', [], ms / 1000)
    },
    refused(reason: RefusalReason) {
      series.add('runyard_requests_refused_total', [reason], 1)
    },
    route: (route: string, method: string): RouteCount => countRoute(series, route, method),
    /** Drops the series of endpoints that are not in `ids`. */
    keepEndpoints(ids: ReadonlySet<string>) {
      for (const endpointId of cells.keys()) if (!ids.has(endpointId)) cells.delete(endpointId)
      for (const name of OF_ENDPOINTS) series.keep(name, (endpointId) => ids.has(endpointId))
    },
    /** Those of endpoints begin with their id. */
    samples: (): Samples<MetricName> => series.samples(),
  }
}

function countRoute(series: Series<MetricName>, route: string, method: string): RouteCount {
  const seconds = series.distribution('runyard_http_request_seconds', route, method)
  const bounds = METRICS.runyard_http_request_seconds.buckets
  const byCode = new Map<number, Value>()
  return (code, took) => {
    const known = byCode.get(code)
    const count = known ?? series.value('runyard_http_requests_total', route, method, String(code))
    if (known === undefined) byCode.set(code, count)
    count.value += 1
    observeIn(seconds, bounds, took)
  }
}

declare module 'fastify' {
  interface FastifyRequest {
    /** Of `performance.now`. */
    arrivedAt: number
  }
}

/**
 * Counts requests by route pattern; call it on the root, before any route. Each route gets a hook with its own cells, so that a request costs two
 * additions, and nothing is allocated for it. The time ends when the answer is ready to be sent: waiting for the socket would need two listeners
 * per request. A path that no route serves is not counted, since it could have any name, nor is an answer that is written past Fastify (followed logs).
 */
export function countRequests(app: FastifyInstance, metrics: Pick<GatewayMetrics, 'route'>): void {
  app.decorateRequest('arrivedAt', 0)
  app.addHook('onRequest', (request, _reply, done) => {
    request.arrivedAt = performance.now()
    done()
  })
  app.addHook('onRoute', (route) => {
    const byMethod = new Map<string, RouteCount>()
    const count: onSendHookHandler = (request, reply, ...[payload, next]) => {
      const known = byMethod.get(request.method)
      const add = known ?? metrics.route(route.url, request.method)
      if (known === undefined) byMethod.set(request.method, add)
      add(reply.statusCode, (performance.now() - request.arrivedAt) / 1000)
      next(null, payload)
    }
    const { onSend = [] } = route
    route.onSend = [...(Array.isArray(onSend) ? onSend : [onSend]), count]
  })
}
