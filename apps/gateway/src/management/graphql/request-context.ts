// Who asks.
import type { ApiKey } from '@runyard/store'

/** Every resolver's third argument. */
export interface RequestContext {
  readonly key: ApiKey
}

declare module 'mercurius' {
  interface MercuriusContext extends RequestContext {}
}
