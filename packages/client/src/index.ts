export * from './client.ts'
export type { Target } from './http.ts'
