// What a process tells the store when it opens it; the rest of the store's border is in `types.ts`.
import type { BlobStore } from '@runyard/schema'

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
