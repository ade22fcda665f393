// One Prometheus registry per process, with the process's own metrics. Names: `runyard_<noun>_<unit>_total`; labels are bounded and
// never ids of jobs or workers.
import { collectDefaultMetrics, Registry } from 'prom-client'

export { Counter, Gauge, Histogram, Registry } from 'prom-client'

export interface Metrics {
  readonly registry: Registry
  readonly contentType: string
  /** The exposition text. */
  render(): Promise<string>
}

const METRIC_PREFIX = 'runyard_'

export function createMetrics(): Metrics {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry, prefix: METRIC_PREFIX })
  return { registry, contentType: registry.contentType, render: () => registry.metrics() }
}
