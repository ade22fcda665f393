// Records the ends of jobs that this process has made (ADR 44): in its log, the endpoints' history and its metrics.
import { writeJournal, writeUnread, type JournalPort, type UnreadEnds } from '@runyard/core'
import type { GatewayDeps } from './deps.ts'
import type { TracedEnd } from './job-spans.ts'

export type JournalDeps = Pick<GatewayDeps, 'log' | 'events' | 'metrics' | 'history' | 'traces'>

interface EndpointName {
  readonly id: string
  readonly name: string | undefined
}

/** Only for ends that this process has made. */
export function recordEnds(deps: JournalDeps, endpoint: EndpointName, ends: readonly TracedEnd[]): void {
  writeJournal(portOf(deps), endpoint, ends)
  for (const end of ends) deps.traces.jobEnded(endpoint, end)
}

/** Of the caller, read before the job ends; undefined where no spans are sent. Never rejects. */
export async function traceparentOf(
  { traces, store }: Pick<GatewayDeps, 'traces' | 'store'>,
  endpointId: string,
  jobId: string,
): Promise<string | undefined> {
  const submission = traces.isOn ? await store.jobs.submission(endpointId, jobId).catch(() => undefined) : undefined
  return submission?.traceparent
}

/** The same for jobs that were not read. */
export function recordUnread(deps: JournalDeps, endpoint: EndpointName, ends: UnreadEnds): void {
  writeUnread(portOf(deps), endpoint, ends)
}

function portOf({ log, events, metrics, history }: JournalDeps): JournalPort {
  return {
    keep: (endpointId, ends) => history.add(endpointId, ends),
    log: (line, text) => log.info(line, text),
    event: (event) => events.add(event),
    measure: (measure) => metrics.jobsEnded(measure),
  }
}
