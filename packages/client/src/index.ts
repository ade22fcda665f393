export * from './client.ts'
export type { FailureSearch, JobSearch, LogSearch, SeriesSearch, TimelineSearch, WorkerSearch } from './history-client.ts'
export type { Target } from './http.ts'
