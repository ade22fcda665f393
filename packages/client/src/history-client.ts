// The pool's history: jobs of all endpoints, logs, what is live, and the cards.
import { followEvents, toQuery, type Send, type AnyTarget } from './http.ts'
import type {
  BulkBody,
  BulkView,
  FailureListView,
  JobDetailView,
  JobFilter,
  JobSearchView,
  JobValueView,
  LiveEvent,
  MergedLine,
  MergedLogQuery,
  MergedLogView,
  PoolView,
  SeriesView,
  TimelineView,
  WorkerLifeListView,
  WorkerLifeView,
} from '@runyard/schema/api'

/** What a page of jobs is asked for. */
export type JobSearch = Omit<JobFilter, 'since' | 'until'> & {
  /** Epoch ms. */
  readonly since?: number | undefined
  readonly until?: number | undefined
  readonly limit?: number
  readonly cursor?: string | undefined
}

/** Which failures; times in epoch ms. */
export interface FailureSearch {
  readonly endpoint?: string | undefined
  readonly since?: number | undefined
  readonly until?: number | undefined
}

/** Which workers; both times in epoch ms. */
export interface WorkerSearch {
  /** Id or name. */
  readonly endpoint?: string | undefined
  readonly since?: number | undefined
  readonly until?: number | undefined
  readonly limit?: number
}

/** Which numbers; times in epoch ms. */
export interface SeriesSearch {
  readonly endpoint?: string | undefined
  /** Uuid of a card: its readings instead. */
  readonly gpu?: string | undefined
  readonly from?: number | undefined
  readonly to?: number | undefined
  readonly points?: number | undefined
}

/** Which lines. */
export type LogSearch = { readonly [K in keyof Omit<MergedLogQuery, 'from'>]?: MergedLogQuery[K] | undefined } & {
  /** Epoch ms. */
  readonly from?: number | undefined
}

/** What each card did; for `px` pixels. */
export interface TimelineSearch {
  /** Epoch ms. */
  readonly from: number
  readonly to: number
  readonly px: number
  readonly group?: 'host' | 'type' | 'endpoint' | undefined
  readonly endpoint?: string | undefined
  readonly gpu?: string | undefined
  /** Lists jobs only if there are no more; default: four per pixel. */
  readonly mostJobs?: number | undefined
}

export function createHistoryClient(send: Send, target: AnyTarget) {
  const jobAt = (jobId: string): string => `/runyard/v1/jobs/${encodeURIComponent(jobId)}`
  return {
    /** Those that wait or run, then those that ended; each newest first. */
    findJobs: ({ since, until, ...search }: JobSearch) =>
      send<JobSearchView>(`/runyard/v1/jobs?${toQuery({ ...search, since: toIso(since), until: toIso(until) })}`),
    /** By its id alone; also after its result is gone. */
    getJob: (jobId: string) => send<JobDetailView>(jobAt(jobId)),
    /** What was submitted; `bytes`: only the beginning. @throws RunyardError('not_found') where it is not kept any more */
    jobInput: (jobId: string, bytes?: number) => send<JobValueView>(`${jobAt(jobId)}/input?${toQuery({ bytes })}`),
    jobOutput: (jobId: string, bytes?: number) => send<JobValueView>(`${jobAt(jobId)}/output?${toQuery({ bytes })}`),
    /** Failed jobs, grouped by their error. */
    failures: ({ endpoint, since, until }: FailureSearch) =>
      send<FailureListView>(`/runyard/v1/failures?${toQuery({ endpoint, since: toIso(since), until: toIso(until) })}`),
    /** Workers that are there, then those that are gone, latest first. */
    workers: async ({ since, until, ...search }: WorkerSearch) => {
      const query = toQuery({ ...search, since: toIso(since), until: toIso(until) })
      return (await send<WorkerLifeListView>(`/runyard/v1/workers?${query}`)).workers
    },
    /** Also of a worker that is gone. */
    workerLife: (workerId: string) => send<WorkerLifeView>(`/runyard/v1/workers/${encodeURIComponent(workerId)}`),
    /** Numbers of endpoints over time, or readings of a card. */
    series: ({ from, to, ...search }: SeriesSearch) =>
      send<SeriesView>(`/runyard/v1/series?${toQuery({ ...search, from: toIso(from), to: toIso(to) })}`),
    /** Lines of all workers, merged by time: the latest that match, oldest first. */
    logs: ({ from, ...search }: LogSearch) => send<MergedLogView>(`/runyard/v1/logs?${toQuery({ ...search, from: toIso(from) })}`),
    /** The same lines as they come; `after`: the id of the last one that was seen. Ends where the gateway does. */
    async *followLogs({ from, ...search }: LogSearch, options: { readonly after?: string | undefined; readonly signal: AbortSignal }) {
      const path = `/runyard/v1/logs?${toQuery({ ...search, from: toIso(from) })}`
      for await (const { id, data } of followEvents(target, path, options)) yield { id, data: data as MergedLine }
    },
    /** The state of each topic and every change of it, until the gateway or `signal` ends it. */
    async *followLive(topics: readonly string[], options: { readonly signal: AbortSignal }) {
      const query = toQuery({ topics: topics.join(',') })
      for await (const { data } of followEvents(target, `/runyard/v1/live?${query}`, options)) yield data as LiveEvent
    },
    /** Hosts and cards as they are now. */
    pool: () => send<PoolView>('/runyard/v1/pool'),
    /** One lane per card. */
    timeline: ({ from, to, ...search }: TimelineSearch) =>
      send<TimelineView>(`/runyard/v1/timeline?${toQuery({ ...search, from: toIso(from), to: toIso(to) })}`),
    /** Retries or cancels all that match. */
    changeJobs: (body: Partial<BulkBody> & Pick<BulkBody, 'action'>) => send<BulkView>('/runyard/v1/jobs/bulk', { body }),
  }
}

function toIso(at: number | undefined): string | undefined {
  return at === undefined ? undefined : new Date(at).toISOString()
}
