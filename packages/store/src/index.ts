export { retentionOf } from './retention-of.ts'
export { openStore } from './open-store.ts'
export type * from './types.ts'
export type * from './webhook-types.ts'
