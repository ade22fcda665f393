// Where the scaler writes down the ends of jobs (ADR 44): its log, the endpoint's history, and, since it has no `/metrics` of its own, a list
// from which a gateway takes the measures. What cannot be written is logged and stops no work.
import { writeJournal, type EndLine, type EndMeasure, type JobEnd } from '@runyard/core'
import type { EndpointEvent } from '@runyard/schema'
import type { ActDeps } from './act-deps.ts'

/** Only for ends that this process has made, or has taken from a list of ends that scripts made (`takeExpired`). */
export async function recordEnds(
  { store, log }: Pick<ActDeps, 'store' | 'log'>,
  endpointId: string,
  ends: readonly JobEnd[],
): Promise<void> {
  if (ends.length === 0) return
  const name = (await store.endpoints.get(endpointId).catch(() => undefined))?.name
  const events: EndpointEvent[] = []
  const measures: EndMeasure[] = []
  const port = {
    log: (line: EndLine, text: string) => log.info(line, text),
    event: (event: EndpointEvent) => events.push(event),
    measure: (measure: EndMeasure) => measures.push(measure),
  }
  writeJournal(port, { id: endpointId, name }, ends)
  for (const result of await Promise.allSettled([store.events.append(...events), store.measures.hand(measures)])) {
    if (result.status === 'rejected') log.warn({ endpointId, err: result.reason as unknown }, 'the ends of jobs were not recorded')
  }
}
