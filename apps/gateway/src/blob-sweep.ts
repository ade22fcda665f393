// Deletes the large values of jobs that are gone, a few times a minute, and looks once a day, and at its start, for those that Redis does not list.
// Every gateway does so: they see the blob store, and two that sweep at once only do the same thing twice.
import { createLoop, type Logger, type Loop } from '@runyard/kit'
import type { Store } from '@runyard/store'

const EVERY_MS = 10_000
const ADOPT_EVERY_MS = 24 * 60 * 60 * 1000

export function openBlobSweep({ store, log }: { store: Pick<Store, 'jobs'>; log: Logger }): Loop {
  let adoptAt = 0
  const loop = createLoop({
    name: 'blob sweep',
    async tick(now) {
      if (now >= adoptAt) {
        const adopted = await store.jobs.adoptBlobs(now)
        if (adopted > 0)
          log.warn({ jobs: adopted }, 'large values lie in the blob store that Redis did not list; those without a job go in a day')
        adoptAt = now + ADOPT_EVERY_MS
      }
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
