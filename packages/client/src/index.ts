export * from './client.ts'
export type { FailureSearch, HistoryClient, JobSearch, LogSearch, SeriesSearch } from './history-client.ts'
export type { Target } from './http.ts'
