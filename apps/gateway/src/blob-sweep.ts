// Deletes blobs of jobs and artifacts that are gone, a few times a minute, and looks once a day, and at its start, for those that Redis does
// not list. Every gateway does so: they see the blob store, and two that sweep at once only do the same thing twice.
import { createLoop, type Logger, type Loop } from '@runyard/kit'
import type { BlobSweeps, Store } from '@runyard/store'

const EVERY_MS = 10_000
const ADOPT_EVERY_MS = 24 * 60 * 60 * 1000

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
