// Who asks.
import { type Caller } from '@runyard/core'
import type { ApiKey } from '@runyard/store'
import type { Reads } from './reads.ts'

/** Every resolver's third argument. */
export interface RequestContext {
  readonly key: ApiKey
  readonly reads: Reads
  /** At which the client reached us. */
  readonly host: string
  readonly by: Caller
  /** The program that asks, as it names itself. */
  readonly agent: string
  /** Where the client reaches the gateway. */
  readonly base: string
  /** What the mutations did to endpoints that were there. */
  readonly notices: string[]
}

declare module 'mercurius' {
  interface MercuriusContext extends RequestContext {}
}
