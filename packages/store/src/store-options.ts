// The options with which a process opens the store, derived from the configuration.
import type { BlobStore, Config } from '@runyard/schema'

/** What is kept, and how much of it. Times are ms, weights are bytes in Redis; a bound that is absent is none. */
export interface RetentionOptions {
  /** Results of `/run`. */
  readonly asyncMs: number
  /** Results of `/runsync`. */
  readonly syncMs: number
  /** A batch and its results, after its last request can have ended; default: as `asyncMs`. */
  readonly batchMs?: number
  /** The kept results of one endpoint; beyond it the oldest go. */
  readonly keepBytes?: number
  /** Jobs of one endpoint that may wait. */
  readonly queueJobs?: number
  /** What its waiting and running jobs and its drafts of batches may weigh. */
  readonly queueBytes?: number
  /** Idempotency keys of one endpoint. */
  readonly idempotencyKeys?: number
  /** What one attempt of a job may stream. */
  readonly streamBytes?: number
  /** What unread chunks of one endpoint's running jobs may weigh. */
  readonly unreadBytes?: number
  /** Webhooks of one endpoint that may wait, and what they may weigh. */
  readonly outboxEvents?: number
  readonly outboxBytes?: number
}

export interface OpenStoreOptions {
  readonly redisUrl: string
  /** Of its connections in Redis' `CLIENT LIST`; default: `runyard`. */
  readonly name?: string
  readonly leaseMs: number
  /** How long a claim on chunks of a stream stands without a word of its reader; default 10 s. */
  readonly claimMs?: number
  /** Where values larger than the threshold go. A process without it keeps all in Redis and reads no input, output or chunk that is not there. */
  readonly blobs?: { readonly store: BlobStore; readonly thresholdBytes: number }
  readonly retention: RetentionOptions
  /** How much is kept of what happened, and for how long; default: nothing. */
  readonly history?: { readonly bytes: number; readonly days: number }
  /** Key prefix; tests use one each. */
  readonly prefix?: string
  /** How long opening waits for Redis before it gives up; default 10 s. */
  readonly connectWaitMs?: number
  /** How long Redis may take over an answer before its connection is given up; default 10 s. */
  readonly answerMs?: number
  /** How often it is made sure that signals still arrive; default 15 s. */
  readonly signalCheckMs?: number
  readonly onError?: (error: Error) => void
}

const FALLBACK_REDIS_URL = 'redis://127.0.0.1:6379'

/** What every process needs; `name` is that of its connections in `CLIENT LIST`. */
export function storeOptionsOf(
  config: Pick<Config, 'redis' | 'lease' | 'retention' | 'webhooks' | 'limits' | 'history'>,
  name: string,
): OpenStoreOptions {
  return {
    redisUrl: config.redis.url ?? FALLBACK_REDIS_URL,
    name,
    leaseMs: config.lease.durationS * 1000,
    retention: retentionOf(config),
    history: config.history,
  }
}

function retentionOf({ retention, webhooks, limits }: Pick<Config, 'retention' | 'webhooks' | 'limits'>): OpenStoreOptions['retention'] {
  return {
    asyncMs: retention.asyncS * 1000,
    syncMs: retention.syncS * 1000,
    batchMs: retention.batchS * 1000,
    keepBytes: retention.endpointBytes,
    queueJobs: limits.queueJobs,
    queueBytes: limits.queueBytes,
    idempotencyKeys: limits.idempotencyKeys,
    streamBytes: limits.streamBytes,
    unreadBytes: limits.unreadBytes,
    outboxEvents: webhooks.outboxEvents,
    outboxBytes: webhooks.outboxBytes,
  }
}
