// The shared dependencies of all parts of the store.
import type { Redis } from 'ioredis'
import type { Answers } from './connection.ts'
import type { InstanceStore } from './instance.ts'
import type { EndpointCache } from './endpoints/endpoint-lists.ts'
import type { JustSettled } from './jobs/just-settled.ts'
import type { Keys } from './keys.ts'
import type { Payloads } from './blobs/payloads.ts'
import type { Run, Timing } from './scripts/run-script.ts'
import type { Signals } from './signals.ts'
import type { OpenStoreOptions } from './store-options.ts'

export interface StoreContext {
  readonly client: Redis
  readonly keys: Keys
  readonly run: Run
  readonly timing: Timing
  readonly answers: Answers
  readonly signals: Signals
  readonly payloads: Payloads
  readonly justSettled: JustSettled
  readonly installation: InstanceStore
  readonly instanceId: () => Promise<string>
  readonly endpointCache: EndpointCache
  readonly options: Pick<OpenStoreOptions, 'leaseMs' | 'claimMs' | 'retention' | 'blobs' | 'history'>
  readonly onError: (error: Error) => void
}
