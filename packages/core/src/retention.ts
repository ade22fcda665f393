// How many bytes of results each endpoint may keep when all endpoints together exceed the installation's limit.

export interface Kept {
  readonly endpointId: string
  readonly keptBytes: number
}

/**
 * Endpoints above a fair share, with that share in bytes. Small endpoints keep what they have, the others are cut to a common level.
 * E.g. 3, 9 and 4 with room for 10: the 9 and the 4 are cut to 3.5 each.
 */
export function cutToFit(kept: readonly Kept[], limit: number): ReadonlyMap<string, number> {
  const byWeight = kept.toSorted((a, b) => a.keptBytes - b.keptBytes)
  let left = limit
  for (const [at, { keptBytes }] of byWeight.entries()) {
    const share = left / (byWeight.length - at)
    if (keptBytes > share) return new Map(byWeight.slice(at).map(({ endpointId }) => [endpointId, Math.floor(share)]))
    left -= keptBytes
  }
  return new Map()
}
