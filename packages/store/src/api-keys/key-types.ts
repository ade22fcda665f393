// API keys as the rest of the program sees them (ADR 38).
import type { ApiKey } from '@runyard/schema'

export type { ApiKey } from '@runyard/schema'

export interface ListedKey extends ApiKey {
  /** Epoch ms, up to a minute old; absent: never. */
  readonly lastUsedAt?: number
}

export interface KeyStore {
  /** The plain key is returned once and never stored (only its SHA-256). `plain` imports a given one. */
  create(options: {
    name: string
    ownerId: string
    expiresAt?: number | undefined
    plain?: string
  }): Promise<{ key: ApiKey; plain: string }>
  /**
   * Makes `plain` the key of a slot (a key file), in place of the one that it had; `onlyIfAbsent`: unless it has one. False: that key was revoked,
   * and stays so.
   */
  install(options: { slot: string; name: string; ownerId: string; plain: string; onlyIfAbsent?: boolean }): Promise<boolean>
  /** Cached in memory; `keys-changed` empties the cache. */
  verify(plain: string): Promise<ApiKey | undefined>
  list(): Promise<readonly ListedKey[]>
  /** For good: not even an import brings the key back. False: there is no such id. */
  revoke(id: string): Promise<boolean>
  /** Another key for the same record; the old one is revoked in the same step. @throws RunyardError('not_found' | 'conflict') */
  rotate(id: string, plain?: string): Promise<{ key: ApiKey; plain: string }>
}
