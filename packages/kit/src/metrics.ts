// One Prometheus registry per process, with the process's own metrics. Names: `runyard_<noun>_<unit>_total`; labels are bounded and
// never ids of jobs or workers. All names and kinds pass `promtool check metrics`.
import { collectDefaultMetrics, Gauge, Registry } from 'prom-client'

export { Counter, Gauge, Histogram, Registry } from 'prom-client'

export interface Metrics {
  readonly registry: Registry
  readonly contentType: string
  /** The exposition text. */
  render(): Promise<string>
}

const METRIC_PREFIX = 'runyard_'
/** prom-client exports these as gauges by type, and their sum as a gauge named `_total`, which is the suffix of counters. */
const SUMMED = ['handles', 'requests', 'resources'] as const

export function createMetrics(): Metrics {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry, prefix: METRIC_PREFIX })
  for (const what of SUMMED) renameSum(registry, what)
  return { registry, contentType: registry.contentType, render: () => registry.metrics() }
}

function renameSum(registry: Registry, what: (typeof SUMMED)[number]): void {
  const byType = `${METRIC_PREFIX}nodejs_active_${what}`
  registry.removeSingleMetric(`${byType}_total`)
  const sum = new Gauge({
    name: `${METRIC_PREFIX}nodejs_all_active_${what}`,
    help: `Number of active libuv ${what} of all types.`,
    registers: [],
    async collect() {
      const found = await registry.getSingleMetric(byType)?.get()
      this.set(found?.values.reduce((total, { value }) => total + value, 0) ?? 0)
    },
  })
  registry.registerMetric(sum)
}
