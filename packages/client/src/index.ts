export * from './client.ts'
export type { FailureSearch, HistoryClient, JobSearch, LogSearch, SeriesSearch, WorkerSearch } from './history-client.ts'
export type { Target } from './http.ts'
