// Lines of several workers, merged by time, each with its level and, where it is known, its job: the line names it, or the worker had exactly one then, as
// leases and the history say. The clock of the worker's host is taken as it is.
import { defined, endedAttempts, jobOfLine, levelOf, LOG_LEVELS, type LogLevel, type WorkerSpan } from '@runyard/core'
import type { Endpoint } from '@runyard/schema'
import type { MergedLine, MergedLogQuery } from '@runyard/schema/api'
import type { Store, StoredLine } from '@runyard/store'
import type { Past } from '../parts/past.ts'

export type LogStore = Pick<Store, 'endpoints' | 'workers' | 'jobs' | 'history' | 'workerLogs' | 'events'>

/** Of one answer. */
const MOST_WORKERS = 200
/** So long lines are kept after the end of a worker. */
const KEPT_MS = 3_600_000
const KEPT_LINES = 1000

export interface LoggedWorker {
  readonly id: string
  readonly endpointId: string
}

export type Wanted = Pick<MergedLogQuery, 'worker' | 'job' | 'level' | 'source' | 'q' | 'from' | 'to'>

/** Those that are there first. */
export async function loggedWorkers(
  { store, past }: { readonly store: LogStore; readonly past: Pick<Past, 'lives'> },
  endpoints: readonly Endpoint[],
  { worker }: Wanted,
): Promise<readonly LoggedWorker[]> {
  const there = (await Promise.all(endpoints.map(({ id }) => store.workers.list(id)))).flat()
  const ids = new Set<string>(endpoints.map(({ id }) => id))
  const lives = await past.lives({ from: Date.now() - KEPT_MS, to: Number.MAX_SAFE_INTEGER })
  const all = [...there, ...lives].filter(({ id, endpointId }) => ids.has(endpointId) && (worker === undefined || worker === id))
  const found = new Map(all.map(({ id, endpointId }) => [id, { id, endpointId }]))
  return [...found.values()].slice(0, MOST_WORKERS)
}

export const sourcesOf = ({ source }: Wanted) => (source === 'all' ? (['container', 'system'] as const) : ([source] as const))

/** Everything that is kept and matches, oldest first. */
export async function readLines(store: LogStore, workers: readonly LoggedWorker[], wanted: Wanted): Promise<readonly MergedLine[]> {
  const spans = await spansOfAll(store, workers, Date.now() - KEPT_MS * 24)
  const read = workers.flatMap((worker) =>
    sourcesOf(wanted).map(async (source) =>
      (await store.workerLogs.read(worker.id, source, KEPT_LINES)).flatMap(
        (line) => toMerged(line, { worker, source, spans, wanted }) ?? [],
      ),
    ),
  )
  return (await Promise.all(read)).flat().toSorted((a, b) => a.at - b.at)
}

/** By worker. */
export type Spans = ReadonlyMap<string, readonly WorkerSpan[]>

const CHUNKS_AT_ONCE = 512
const MOST_CHUNKS = 8192

/** Of all attempts. */
export async function spansOfAll(store: LogStore, workers: readonly LoggedWorker[], from: number): Promise<Spans> {
  const [last, earlier] = await Promise.all([spansOf(store, workers, from), earlierAttempts(store, workers)])
  return Map.groupBy([...last.values(), earlier].flat(), ({ workerId }) => workerId)
}

/** Of the last attempt of each job. */
export async function spansOf(store: LogStore, workers: readonly LoggedWorker[], from: number): Promise<Spans> {
  const ids = new Set(workers.map(({ id }) => id))
  const endpointIds = [...new Set(workers.map(({ endpointId }) => endpointId))]
  const leases = (await Promise.all(endpointIds.map((id) => store.jobs.leases(id)))).flat()
  const found = leases.flatMap(({ jobId, workerId = '', startedAt }) =>
    ids.has(workerId) ? [{ workerId, jobId, from: startedAt, to: Infinity }] : [],
  )
  let after: string | undefined
  for (let read = 0; read < MOST_CHUNKS; read += CHUNKS_AT_ONCE) {
    const chunks = await store.history.jobs({ from, to: Number.MAX_SAFE_INTEGER, after, newestFirst: true, count: CHUNKS_AT_ONCE })
    for (const { id: jobId, workerId = '', startedAt, endedAt } of chunks.flatMap(({ jobs }) => jobs))
      if (startedAt !== undefined && ids.has(workerId)) found.push({ workerId, jobId, from: startedAt, to: endedAt })
    after = chunks.at(-1)?.id
    if (chunks.length < CHUNKS_AT_ONCE) break
  }
  return Map.groupBy(found, ({ workerId }) => workerId)
}

const EVENTS_READ = 1000

/** Leases and the history have the last attempt of a job; those before are among the events. */
async function earlierAttempts({ events }: LogStore, workers: readonly LoggedWorker[]): Promise<readonly WorkerSpan[]> {
  const endpointIds = [...new Set(workers.map(({ endpointId }) => endpointId))]
  const found = await Promise.all(endpointIds.map((id) => events.list(id, EVENTS_READ, 'jobs')))
  return found.flatMap(endedAttempts)
}

interface LineContext {
  readonly worker: LoggedWorker
  readonly source: MergedLine['source']
  readonly spans: Spans
  readonly wanted: Wanted
}

/** Undefined where it does not match. */
export function toMerged({ at, line }: StoredLine, { worker, source, spans, wanted }: LineContext): MergedLine | undefined {
  const level = levelOf(line)
  const jobId = source === 'container' ? jobOfLine(spans.get(worker.id) ?? [], { at, line }) : undefined
  const merged = defined({ at, endpointId: worker.endpointId, workerId: worker.id, source, line, level, jobId })
  return isWanted(merged, wanted) ? merged : undefined
}

function isWanted({ at, line, level, jobId }: MergedLine, wanted: Wanted): boolean {
  const { job, level: least = 'debug', q = '', from = 0, to = Infinity } = wanted
  const isInRange = at >= from && at < to
  return isInRange && isOfLevel(level, least) && (job === undefined || job === jobId) && line.toLowerCase().includes(q.toLowerCase())
}

const isOfLevel = (level: MergedLine['level'], least: LogLevel): boolean =>
  least === 'debug' || (level !== undefined && LOG_LEVELS.indexOf(level) >= LOG_LEVELS.indexOf(least))
