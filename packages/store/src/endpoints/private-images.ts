// Which images came with credentials, and with whose (ADR 27): by the image's id, since a name may mean another image tomorrow. Nothing here
// expires: an image stays on its host for as long as nobody prunes it. The number is bounded by the pulls that needed credentials.
import type { StoreContext } from '../context.ts'
import { registryField } from './registry-record.ts'
import type { PrivateImageStore } from '../types.ts'

export function createPrivateImageStore({ client, keys }: Pick<StoreContext, 'client' | 'keys'>): PrivateImageStore {
  return {
    async mayUse(imageId, { ownerId, registryId }) {
      const key = keys.privateImage(imageId)
      const isMember = registryId !== null && (await client.sismember(key, registryField(ownerId, registryId))) === 1
      return isMember || (await client.exists(key)) === 0
    },
    async allow(imageId, { ownerId, registryId }) {
      await client.sadd(keys.privateImage(imageId), registryField(ownerId, registryId))
    },
    async allowEverybody(imageId) {
      await client.del(keys.privateImage(imageId))
    },
  }
}
