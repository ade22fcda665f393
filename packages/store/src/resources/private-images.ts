// Which images were pulled with credentials, and with whose (ADR 27), by the image's id, because a name may later mean another image. Records do not
// expire: an image stays on its host until it is pruned. The number is bounded by the pulls that needed credentials.
import { RESOURCE_KINDS } from '@runyard/core'
import type { StoreContext } from '../context.ts'

export interface ImageUser {
  readonly ownerId: string
  readonly registryId: string
}

export type PrivateImageStore = ReturnType<typeof createPrivateImageStore>

export function createPrivateImageStore({ client, keys }: Pick<StoreContext, 'client' | 'keys'>) {
  return {
    /** Everybody may where no registry asked for credentials, or where the image was not pulled here. */
    async mayUse(
      imageId: string,
      { ownerId, registryId }: { readonly ownerId: string; readonly registryId: string | null },
    ): Promise<boolean> {
      const key = keys.privateImage(imageId)
      const isMember = registryId !== null && (await client.sismember(key, RESOURCE_KINDS.registries.field(ownerId, registryId))) === 1
      return isMember || (await client.exists(key)) === 0
    },
    /** A registry gave it out for these credentials. */
    async allow(imageId: string, { ownerId, registryId }: ImageUser): Promise<void> {
      await client.sadd(keys.privateImage(imageId), RESOURCE_KINDS.registries.field(ownerId, registryId))
    },
    /** A registry gave it out without any. */
    async allowEverybody(imageId: string): Promise<void> {
      await client.del(keys.privateImage(imageId))
    },
  }
}
