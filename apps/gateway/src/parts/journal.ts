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

/** Of one call; more would be a burst at the receiver. */
const MOST_TRACED = 1000
const READ_AT_ONCE = 50

/** By the id of each job that waits or runs, at most a thousand, before one call ends them all. Empty where no spans are sent. Never rejects. */
export async function traceparentsOf(
  deps: Pick<GatewayDeps, 'traces' | 'store'>,
  endpointId: string,
): Promise<ReadonlyMap<string, string | undefined>> {
  if (!deps.traces.isOn) return new Map()
  const { jobs } = await deps.store.jobs.list(endpointId, { offset: 0, limit: MOST_TRACED }).catch(() => ({ jobs: [] }))
  const ids = jobs.filter(({ settledAt }) => settledAt === undefined).map(({ id }) => id)
  const found = new Map<string, string | undefined>()
  for (let at = 0; at < ids.length; at += READ_AT_ONCE) {
    const some = ids.slice(at, at + READ_AT_ONCE).map(async (id) => found.set(id, await traceparentOf(deps, endpointId, id)))
    await Promise.all(some)
  }
  return found
}

/** Sends the spans of those of them that a purge has ended; one that a worker had taken before goes on. */
export async function tracePurged(
  { traces, store }: Pick<GatewayDeps, 'traces' | 'store'>,
  endpoint: { readonly id: string; readonly name: string },
  waiting: ReadonlyMap<string, string | undefined>,
): Promise<void> {
  for (const [id, traceparent] of waiting) {
    const job = await store.jobs.get(endpoint.id, id)
    if (job?.status === 'CANCELLED') traces.jobEnded(endpoint, { cause: 'purged', job, traceparent })
  }
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
