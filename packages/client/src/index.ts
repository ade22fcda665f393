export * from './client.ts'
export type { Target } from './http.ts'
export type * from './shapes.ts'
