// What every part of the gateway is given, opened once per process by `openGateway` and shared by both listeners.
import type { Logger } from '@runyard/kit'
import type { Config } from '@runyard/schema'
import type { Store } from '@runyard/store'
import type { EndpointCache } from './endpoint-cache.ts'
import type { EventWriter } from './event-writer.ts'
import type { Waiters } from './waiters.ts'
import type { GatewayMetrics } from './metrics.ts'
import type { Dispatcher } from '../workers/dispatcher.ts'
import type { LeaseBook } from '../workers/heartbeats.ts'
import type { RefusedPolls } from '../workers/wrong-key-polls.ts'
import type { WorkerRegistry } from '../workers/sessions.ts'

export interface GatewayDeps {
  readonly store: Store
  readonly config: Config
  readonly log: Logger
  readonly metrics: GatewayMetrics
  readonly endpoints: EndpointCache
  readonly events: EventWriter
  /** Requests that wait for something to happen to a job. */
  readonly waiters: Waiters
  readonly workers: WorkerRegistry
  readonly refusedPolls: RefusedPolls
  readonly leases: LeaseBook
  readonly dispatcher: Dispatcher
  /** Aborts when the process is asked to stop: holds end, retries give up. */
  readonly closing: AbortSignal
}
