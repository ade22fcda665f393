// Counts what the storage of large values fails or refuses, by operation. What a caller did wrong (a bad name, a body that is too large) does not count.
import { RunyardError, type BlobStore } from '@runyard/schema'
import type { BlobOperation } from './parts/deps.ts'

export interface CountedBlobs {
  readonly store: BlobStore
  readonly errors: (operation: BlobOperation) => number
}

export function countBlobErrors(blobs: BlobStore): CountedBlobs {
  const errors = new Map<BlobOperation, number>()
  const note = (operation: BlobOperation, error: unknown): never => {
    const isCallers = error instanceof RunyardError && error.code !== 'store_unavailable'
    if (!isCallers) errors.set(operation, (errors.get(operation) ?? 0) + 1)
    throw error
  }
  const counted = <T>(operation: BlobOperation, work: Promise<T>): Promise<T> => work.catch((error: unknown) => note(operation, error))

  async function* listed(folder: string): AsyncGenerator<string> {
    try {
      yield* blobs.list(folder)
    } catch (error) {
      note('list', error)
    }
  }
  return {
    store: {
      put: (name, bytes) => counted('write', blobs.put(name, bytes)),
      get: (name) => counted('read', blobs.get(name)),
      write: (name, source, limits) => counted('write', blobs.write(name, source, limits)),
      read: (name, range) => counted('read', blobs.read(name, range)),
      stat: (name) => counted('read', blobs.stat(name)),
      delete: (names) => counted('delete', blobs.delete(names)),
      list: listed,
      removeLeftovers: (folder, now) => counted('delete', blobs.removeLeftovers(folder, now)),
    },
    errors: (operation) => errors.get(operation) ?? 0,
  }
}
