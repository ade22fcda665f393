// How a process opens the store, from the one configuration.
import type { Config } from '@runyard/schema'
import type { OpenStoreOptions } from './open-options.ts'

/** Where a Redis listens that nobody configured. */
const FALLBACK_REDIS_URL = 'redis://127.0.0.1:6379'

/** What every process needs; `name` is that of its connections in `CLIENT LIST`. */
export function storeOptionsOf(
  config: Pick<Config, 'redis' | 'lease' | 'retention' | 'webhooks' | 'limits'>,
  name: string,
): OpenStoreOptions {
  return {
    redisUrl: config.redis.url ?? FALLBACK_REDIS_URL,
    name,
    leaseMs: config.lease.durationS * 1000,
    retention: retentionOf(config),
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
