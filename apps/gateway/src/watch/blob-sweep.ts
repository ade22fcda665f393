// Deletes the large values of jobs that are gone, a few times a minute. Every gateway does so: they see the blob store, and two that sweep at
// once only do the same thing twice.
import { createLoop, type Logger, type Loop } from '@runyard/kit'
import type { Store } from '@runyard/store'

const EVERY_MS = 10_000

export function openBlobSweep({ store, log }: { store: Pick<Store, 'jobs'>; log: Logger }): Loop {
  const loop = createLoop({
    name: 'blob sweep',
    async tick(now) {
      const deleted = await store.jobs.sweepBlobs(now)
      if (deleted > 0) log.debug({ blobs: deleted }, 'large values of jobs that are gone were deleted')
      return now + EVERY_MS
    },
    log,
    maxSleepMs: EVERY_MS,
  })
  loop.start()
  return loop
}
