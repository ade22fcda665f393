export * from './client.ts'
export type { HistoryClient, JobSearch, LogSearch } from './history-client.ts'
export type { Target } from './http.ts'
