// What Node says of its own process, under the names that stock boards know (`process_…`, `nodejs_…`). All of them pass `promtool check metrics`.
import { collectDefaultMetrics, Gauge, Registry } from 'prom-client'

/** prom-client exports these as gauges by type, and their sum as a gauge named `_total`, which is the suffix of counters. */
const SUMMED = ['handles', 'requests', 'resources'] as const

export function createNodeMetrics() {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  for (const what of SUMMED) renameSum(registry, what)
  return {
    contentType: registry.contentType,
    /** The exposition text. */
    render: (): Promise<string> => registry.metrics(),
  }
}

function renameSum(registry: Registry, what: (typeof SUMMED)[number]): void {
  const byType = `nodejs_active_${what}`
  registry.removeSingleMetric(`${byType}_total`)
  const sum = new Gauge({
    name: `nodejs_all_active_${what}`,
    help: `Number of active libuv ${what} of all types.`,
    registers: [],
    async collect() {
      const found = await registry.getSingleMetric(byType)?.get()
      this.set(found?.values.reduce((total, { value }) => total + value, 0) ?? 0)
    },
  })
  registry.registerMetric(sum)
}
