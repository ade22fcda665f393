// How long and how much the store keeps, from the one configuration.
import type { Config } from '@runyard/schema'
import type { OpenStoreOptions } from './types.ts'

export function retentionOf({ retention, webhooks }: Pick<Config, 'retention' | 'webhooks'>): OpenStoreOptions['retention'] {
  return {
    asyncMs: retention.asyncS * 1000,
    syncMs: retention.syncS * 1000,
    batchMs: retention.batchS * 1000,
    keepBytes: retention.endpointBytes,
    outboxEvents: webhooks.outboxEvents,
    outboxBytes: webhooks.outboxBytes,
  }
}
