// With which credentials an endpoint's image is pulled, and for whom it is then on the host (ADR 27). They belong to the image that the endpoint names, not to
// an operator's image that stands in for it.
import type { Endpoint } from '@runyard/schema'
import type { Store } from '@runyard/store'
import type { EnsureOptions, ImageUser } from './images.ts'

export async function accessTo(
  store: Pick<Store, 'resources'>,
  endpoint: Endpoint,
  image: string,
): Promise<Pick<EnsureOptions, 'credentials' | 'user'>> {
  const user = userOf(endpoint, image)
  if (user === undefined) return {}
  const { ownerId, registryId } = user
  const found = registryId === null ? undefined : await store.resources.registries.find(ownerId, registryId)
  return { user, credentials: found && { name: found.name, username: found.username, password: found.password } }
}

/** Undefined: the operator. */
export function userOf({ ownerId, spec }: Endpoint, image: string): ImageUser | undefined {
  return image === spec.image ? { ownerId, registryId: spec.registryId } : undefined
}
