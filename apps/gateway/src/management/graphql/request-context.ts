// Who asks.
import type { ApiKey } from '@runyard/store'
import type { Reads } from './reads.ts'

/** Every resolver's third argument. */
export interface RequestContext {
  readonly key: ApiKey
  readonly reads: Reads
}

declare module 'mercurius' {
  interface MercuriusContext extends RequestContext {}
}
