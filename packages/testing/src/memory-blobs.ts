// A blob store in memory, for tests of what uses one: it can be away, and it can be stopped in the middle of a put.
import { BlobName, RunyardError, type BlobStore, type Bytes } from '@runyard/schema'

export interface MemoryBlobs extends BlobStore {
  readonly blobs: Map<string, Bytes>
  readonly fault: {
    away: boolean
    /** Runs when a blob has just been put, before its writer knows. */
    afterPut?: ((name: string) => Promise<void>) | undefined
    beforeList?: (() => Promise<void>) | undefined
  }
}

export function createMemoryBlobs(shared = new Map<string, Bytes>()): MemoryBlobs {
  const fault: MemoryBlobs['fault'] = { away: false }
  const check = (name: string): string => {
    if (!BlobName.safeParse(name).success) throw new RunyardError('bad_request', 'no name')
    if (fault.away) throw new RunyardError('store_unavailable', 'The blob store cannot be used right now: away.', { retryAfterS: 5 })
    return name
  }
  return {
    blobs: shared,
    fault,
    async put(name, bytes) {
      shared.set(check(name), Uint8Array.from(bytes))
      await fault.afterPut?.(name)
    },
    get: async (name) => shared.get(check(name)),
    async delete(names) {
      for (const name of names) shared.delete(check(name))
    },
    async *list(folder) {
      check(folder)
      await fault.beforeList?.()
      for (const name of shared.keys()) if (name.startsWith(`${folder}/`)) yield name
    },
  }
}
