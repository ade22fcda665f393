// What this gateway does for the blob store beside its jobs: it sweeps it, and counts its errors.
import { createLoop, type Logger, type Loop } from '@runyard/kit'
import { RunyardError, type BlobStore } from '@runyard/schema'
import type { BlobSweeps, Store } from '@runyard/store'
import type { BlobOperation } from './parts/deps.ts'

const EVERY_MS = 10_000
const ADOPT_EVERY_MS = 24 * 60 * 60 * 1000

/**
 * Deletes blobs of jobs and artifacts that are gone, a few times a minute, and looks once a day, and at its start, for those that Redis does not list. Every
 * gateway does so: they see the blob store, and two that sweep at once only do the same thing twice.
 */
export function openBlobSweep({ store, log }: { store: Pick<Store, 'jobs' | 'artifacts'>; log: Logger }): Loop {
  let adoptAt = 0
  const families: readonly (readonly [string, BlobSweeps])[] = [
    ['values of jobs', store.jobs],
    ['artifacts', store.artifacts],
  ]
  const loop = createLoop({
    name: 'blob sweep',
    async tick(now) {
      for (const [family, sweeps] of families) {
        const adopted = now >= adoptAt ? await sweeps.adoptBlobs(now) : 0
        if (adopted > 0) log.warn({ family, owners: adopted }, 'the blob store has blobs that Redis did not list; unused ones go in a day')
        const deleted = await sweeps.sweepBlobs(now)
        if (deleted > 0) log.debug({ family, blobs: deleted }, 'deleted blobs that nothing uses any more')
      }
      if (now >= adoptAt) adoptAt = now + ADOPT_EVERY_MS
      return now + EVERY_MS
    },
    log,
    maxSleepMs: EVERY_MS,
  })
  loop.start()
  return loop
}

export interface CountedBlobs {
  readonly store: BlobStore
  readonly errors: (operation: BlobOperation) => number
}

/** Counts what the storage fails or refuses, by operation. What a caller did wrong (a bad name, a body that is too large) does not count. */
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
