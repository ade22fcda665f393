// Records the ends of jobs that the scaler made (ADR 44): in its log, in the endpoint's history, and, because it has no `/metrics`, in a list from which
// a gateway takes the measures. Failed writes are logged and stop no work.
import { toKeptEnds, writeJournal, writeUnread, type EndLine, type EndMeasure, type JobEnd, type JournalPort } from '@runyard/core'
import type { EndpointEvent, JobRecord } from '@runyard/schema'
import type { TracedJobEnd } from '@runyard/store'
import type { ActDeps } from './act-deps.ts'

type JournalDeps = Pick<ActDeps, 'store' | 'log' | 'config'>
type Write = (port: JournalPort, endpoint: { readonly id: string; readonly name: string | undefined }) => void

/** Only for ends that this process has made. */
export async function recordEnds(deps: JournalDeps, endpointId: string, ends: readonly JobEnd[]): Promise<void> {
  if (ends.length > 0) await record(deps, endpointId, (port, endpoint) => writeJournal(port, endpoint, ends))
}

/** For jobs that scripts of any process have ended in passing, each taken once from their list. */
export async function recordExpired(
  deps: JournalDeps,
  endpointId: string,
  { jobs, unlisted }: { readonly jobs: readonly JobRecord[]; readonly unlisted: number },
): Promise<void> {
  const [last] = jobs.slice(-1)
  if (last === undefined) return
  const ends = jobs.map((job) => ({ cause: 'ttl', job }) as const)
  const { status, error = '', settledAt = 0 } = last
  await record(deps, endpointId, (port, endpoint) => {
    writeJournal(port, endpoint, ends)
    writeUnread(port, endpoint, { cause: 'ttl', status, error, at: settledAt, jobs: unlisted })
  })
}

/** The call that purged them has recorded all else. Never rejects. */
export async function rememberPurged(
  { store, log }: Pick<JournalDeps, 'store' | 'log'>,
  endpointId: string,
  purged: readonly JobRecord[],
): Promise<void> {
  const { jobs, texts } = toKeptEnds(purged.map((job) => [endpointId, { cause: 'purged', job }]))
  await store.history.addJobs(jobs, texts).catch((error: unknown) => {
    log.warn({ endpointId, err: error }, 'purged jobs are not in the history')
  })
}

async function record({ store, log, config }: JournalDeps, endpointId: string, write: Write): Promise<void> {
  const name = (await store.endpoints.get(endpointId).catch(() => undefined))?.name
  const events: EndpointEvent[] = []
  const measures: EndMeasure[] = []
  const kept: (readonly [string, JobEnd])[] = []
  const port: JournalPort = {
    keep: (id, ends) => kept.push(...ends.map((end) => [id, end] as const)),
    log: (line: EndLine, text: string) => log.info(line, text),
    event: (event) => events.push(event),
    measure: (measure) => measures.push(measure),
  }
  write(port, { id: endpointId, name })
  const { jobs, texts } = toKeptEnds(kept)
  const traced = config.traces.endpoint === undefined ? [] : kept
  const writes = [
    store.events.append(...events),
    store.measures.hand(measures),
    store.history.addJobs(jobs, texts),
    handTraces(store, { id: endpointId, name }, traced),
  ]
  for (const result of await Promise.allSettled(writes)) {
    if (result.status === 'rejected') log.warn({ endpointId, err: result.reason as unknown }, 'the ends of jobs were not recorded')
  }
}

/** Of one call; more would be a burst at the receiver. */
const MOST_TRACED = 100

/** A gateway sends the spans. */
async function handTraces(
  { jobs, tracedEnds }: JournalDeps['store'],
  endpoint: TracedJobEnd['endpoint'],
  kept: readonly (readonly [string, JobEnd])[],
): Promise<void> {
  const ends = kept.slice(-MOST_TRACED).map(async ([endpointId, { cause, job }]): Promise<TracedJobEnd> => {
    const submission = await jobs.submission(endpointId, job.id).catch(() => undefined)
    const { error: _error, ...facts } = job
    return { endpoint, end: { cause, job: facts }, traceparent: submission?.traceparent }
  })
  await tracedEnds.hand(await Promise.all(ends))
}
