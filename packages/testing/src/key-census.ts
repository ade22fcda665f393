// Which Redis keys may be permanent, each with its bound (ADR 43). Every other key has an expiry or is removed with what it belongs to.

/** After the prefix; * stands for one name. */
export const PERMANENT_KEYS: Readonly<Record<string, string>> = {
  '{@}:instance': 'one value',
  '{@}:data-version': 'one value',
  '{@}:revision': 'one value',
  '{@}:term': 'one value',
  '{@}:card-states': 'two per card of a host',
  '{@}:ledger-rolled': 'two values',
  '{@}:api-keys': 'one per key that the operator made and did not revoke',
  '{@}:api-key-hashes': 'one per key that the operator made: a revoked one never comes back',
  '{@}:api-key-slots': 'one per key file',
  '{@}:api-key-uses': 'one per key that there is',
  '{@}:webhook-secrets': 'one per owner of keys',
  '{@}:private-image:*': 'one per image that was pulled with credentials',
  '{@}:ledger-totals': 'one per endpoint that there is, and per owner, type of card and state',
  '{@}:ledger-days:*': 'one per day, endpoint that there was for as long as intervals are kept, host, key, type of card and state',
  '{@}:hosts': 'three per host that was seen within 30 days, or that is cordoned',
  '{_notices}:r:notices': 'one per problem that there is',
  '{@}:measures': '10,000 entries',
}

/** Keys that outlive their endpoint, but not forever: the ledger's intervals and their owners. */
export const ENDING_KEYS: readonly string[] = ['{@}:ledger-rows', '{@}:endpoint-owners', '{@}:endpoint-owners-since']

export interface KeyReader {
  keys(pattern: string): Promise<readonly string[]>
  pttl(key: string): Promise<number>
}

/** All keys without an expiry, with the prefix removed. */
export async function keysWithoutExpiry(redis: KeyReader, prefix: string): Promise<readonly string[]> {
  const keys = await redis.keys(`${prefix}:*`)
  const left = await Promise.all(keys.map((key) => redis.pttl(key)))
  // -2: the key has expired in the meantime.
  return keys
    .filter((_, index) => left[index] === -1)
    .map((key) => key.slice(prefix.length + 1))
    .toSorted()
}

export function isPermanent(key: string): boolean {
  return Object.keys(PERMANENT_KEYS).some((name) => (name.endsWith('*') ? key.startsWith(name.slice(0, -1)) : key === name))
}
