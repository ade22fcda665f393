// What every part of the gateway gets, opened once per process by `openGateway` and shared by both listeners. Workers need more (`WorkerPlaneDeps`).
import type { Logger, ShownSetting } from '@runyard/kit'
import type { BLOB_OPERATIONS } from '@runyard/core'
import type { Config, Prices } from '@runyard/schema'
import type { Store } from '@runyard/store'
import type { Notices } from './notices.ts'
import type { Traces } from './traces.ts'
import type { DeployedEndpoints } from './deployed-endpoints.ts'
import type { EndpointCache } from './endpoint-cache.ts'
import type { EventWriter } from './event-writer.ts'
import type { Past } from './past.ts'
import type { HistoryWriter } from './history-writer.ts'
import type { Waiters } from './waiters.ts'
import type { GatewayMetrics } from './metrics.ts'

export type BlobOperation = (typeof BLOB_OPERATIONS)[number]

export interface GatewayDeps {
  readonly store: Store
  readonly config: Config
  readonly log: Logger
  readonly metrics: GatewayMetrics
  /** As the configuration file has them now. */
  readonly prices: () => Prices
  /** For people, as they were at the start. */
  readonly settings: readonly ShownSetting[]
  readonly notices: Notices
  readonly traces: Traces
  /** How often the storage of large values has failed. */
  readonly blobErrors: (operation: BlobOperation) => number
  readonly endpoints: EndpointCache
  /** By the names of a deployed app. */
  readonly deployed: DeployedEndpoints
  readonly events: EventWriter
  /** Ended jobs on their way into the history. */
  readonly history: HistoryWriter
  /** What is in the history, for who reads much of it. */
  readonly past: Past
  /** Requests that wait for an event of a job. */
  readonly waiters: Waiters
  /** Aborts when the process is asked to stop: holds end, retries give up. */
  readonly closing: AbortSignal
}
