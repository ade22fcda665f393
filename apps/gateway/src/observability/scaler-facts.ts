// Pool facts that only the leading scaler knows, from its latest report. Of an old report only counts and the time of the last tick are served: what hosts
// and cards did a minute ago is not what they do now.
import { METRICS, type MetricName } from '@runyard/core'
import type { Samples } from '@runyard/kit'
import type { ScalerReport } from '@runyard/schema'
import type { Store } from '@runyard/store'

const HOLDS_MS = 60_000
const LAST_TICK: MetricName = 'runyard_scaler_last_tick_timestamp_seconds'

/** Endpoints by their id. @throws RunyardError('store_unavailable') */
export async function readScalerFacts(store: Pick<Store, 'scalerReport'>, now: number): Promise<Samples<MetricName>> {
  const report = await store.scalerReport.get()
  return report === undefined ? new Map() : toSamples(report, now)
}

/** A scaler of another version may report what this one does not know. */
function toSamples({ at, metrics }: ScalerReport, now: number): Samples<MetricName> {
  const isOld = now - at > HOLDS_MS
  return new Map(
    Object.entries(metrics).flatMap(([name, samples]) =>
      isMetric(name) && (!isOld || name === LAST_TICK || METRICS[name].kind !== 'gauge') ? [[name, samples] as const] : [],
    ),
  )
}

function isMetric(name: string): name is MetricName {
  return Object.hasOwn(METRICS, name)
}
