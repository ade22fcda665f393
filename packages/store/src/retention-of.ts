// How long and how much the store keeps, from the one configuration.
import type { Config } from '@runyard/schema'
import type { OpenStoreOptions } from './types.ts'

export function retentionOf({ retention }: Pick<Config, 'retention'>): OpenStoreOptions['retention'] {
  return {
    asyncMs: retention.asyncS * 1000,
    syncMs: retention.syncS * 1000,
    batchMs: retention.batchS * 1000,
    keepBytes: retention.endpointBytes,
  }
}
