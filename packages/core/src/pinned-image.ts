// Which image the workers of a release run (ADR 62): what the tag referred to when the first worker since the last save started. A save or a retry reads
// the tag again. Failure direction: without a pin a worker runs what the tag refers to.
import type { Endpoint } from '@runyard/schema'
import { savedAt } from './backoff.ts'

/** What a host says that the image's tag refers to. */
export interface FoundImage {
  readonly hostId: string
  readonly id: string
  readonly digest: string | undefined
}

/** The name by which the host starts workers of this release; undefined: the first worker decides it. */
export function pinnedImageOn(endpoint: Endpoint, hostId: string): string | undefined {
  const pinned = pinnedOf(endpoint)
  return pinned?.digest ?? pinned?.ids[hostId]
}

/** What the tag of this release refers to at its registry; undefined: no worker has started since the last save, or the image is local. */
export function pinnedDigestOf(endpoint: Endpoint): string | undefined {
  return pinnedOf(endpoint)?.digest
}

function pinnedOf(endpoint: Endpoint): Endpoint['pinnedImage'] {
  return endpoint.pinnedImage?.since === savedAt(endpoint) ? endpoint.pinnedImage : undefined
}

/** The endpoint with the image of this release. The first worker decides; a host with an image of its own adds its id. */
export function withPinnedImage(endpoint: Endpoint, { hostId, id, digest }: FoundImage): Endpoint {
  const since = savedAt(endpoint)
  const known = pinnedOf(endpoint)
  if (known?.digest !== undefined) return endpoint
  if (known === undefined)
    return { ...endpoint, pinnedImage: digest === undefined ? { since, ids: { [hostId]: id } } : { since, digest, ids: {} } }
  return { ...endpoint, pinnedImage: { ...known, ids: { ...known.ids, [hostId]: id } } }
}
