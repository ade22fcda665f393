// Deletes the blobs of jobs that are gone. Only what Redis lists is ever deleted, so an empty or strange Redis deletes nothing; several
// gateways may sweep at once, and a crash half-way leaves the job on the list for the next sweep.
import type { BlobStore } from '@runyard/schema'
import type { StoreContext } from '../context.ts'
import { folderOf, memberOf, type JobAt } from './payloads.ts'
import { BLOBS_DONE, BLOBS_LATER, LIFE_LEFT } from '../scripts/blobs.ts'
import type { JobStore } from '../types.ts'

const BATCH = 200
const AT_ONCE = 8
/** A live job's end is not foreseen. */
const LOOK_AGAIN_MS = 20_000

interface Candidate extends JobAt {
  /** The score under which it was found: another one since then is news of its blobs. */
  readonly score: string
}

export function createBlobSweep(context: StoreContext, blobs: BlobStore | undefined): Pick<JobStore, 'sweepBlobs'> {
  const { client, keys, run } = context
  const lifeLeft = async ({ endpointId, jobId }: JobAt): Promise<number> =>
    (await run(LIFE_LEFT, [keys.queue(endpointId)], [jobId, LOOK_AGAIN_MS])) as number
  const unchanged = async (found: Candidate): Promise<boolean> => (await client.zscore(keys.blobs, memberOf(found))) === found.score

  const sweepOne = async (store: BlobStore, found: Candidate, now: number): Promise<number> => {
    const left = await lifeLeft(found)
    const entry = [memberOf(found), found.score] as const
    if (left >= 0) {
      await run(BLOBS_LATER, [keys.blobs], [...entry, now + Math.max(left, 1)])
      return 0
    }
    const names: string[] = []
    for await (const name of store.list(folderOf(await context.instanceId(), found))) names.push(name)
    // Whatever was put before the end of that listing was announced before: then the score is another one, and the job is looked at anew.
    if (!(await unchanged(found))) return 0
    await store.delete(names)
    await run(BLOBS_DONE, [keys.blobs], entry)
    return names.length
  }

  const sweepBatch = async (store: BlobStore, now: number): Promise<{ seen: number; deleted: number }> => {
    const found = toCandidates(await client.zrangebyscore(keys.blobs, '-inf', now, 'WITHSCORES', 'LIMIT', 0, BATCH))
    let deleted = 0
    for (let from = 0; from < found.length; from += AT_ONCE) {
      const counts = await Promise.all(found.slice(from, from + AT_ONCE).map((candidate) => sweepOne(store, candidate, now)))
      deleted += counts.reduce((sum, count) => sum + count, 0)
    }
    return { seen: found.length, deleted }
  }

  return {
    async sweepBlobs(now) {
      if (blobs === undefined) return 0
      let total = 0
      for (;;) {
        const { seen, deleted } = await sweepBatch(blobs, now)
        total += deleted
        if (seen < BATCH) return total
      }
    },
  }
}

function toCandidates(flat: readonly string[]): readonly Candidate[] {
  return flat.flatMap((member, at) => {
    const slash = member.indexOf('/')
    const score = flat[at + 1]
    return at % 2 === 1 || score === undefined ? [] : [{ endpointId: member.slice(0, slash), jobId: member.slice(slash + 1), score }]
  })
}
