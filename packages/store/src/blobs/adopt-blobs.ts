// Puts on the list what lies in the blob store and is not on it: Redis may lose its last second of announcements in a power cut, and those
// blobs would stay for good. Nothing is deleted here. They get a day, and only a Redis that knows this installation may list them: an
// empty one does not, so it can never make the sweep take everything for left over.
import type { BlobStore } from '@runyard/schema'
import type { StoreContext } from '../context.ts'
import type { JobStore } from '../types.ts'

export const ADOPTED_GRACE_MS = 24 * 60 * 60 * 1000
const BATCH = 500

export function createBlobAdoption(context: StoreContext, blobs: BlobStore | undefined): Pick<JobStore, 'adoptBlobs'> {
  const { client, keys, instanceId } = context
  const announce = async (members: ReadonlySet<string>, now: number): Promise<number> => {
    if (members.size === 0 || !(await isOurs(context))) return 0
    return client.zadd(keys.blobs, 'NX', ...[...members].flatMap((member) => [now + ADOPTED_GRACE_MS, member]))
  }

  return {
    async adoptBlobs(now) {
      if (blobs === undefined) return 0
      let members = new Set<string>()
      let adopted = 0
      for await (const name of blobs.list(await instanceId())) {
        members.add(toMember(name))
        if (members.size < BATCH) continue
        adopted += await announce(members, now)
        members = new Set()
      }
      return adopted + (await announce(members, now))
    },
  }
}

async function isOurs({ client, keys, instanceId }: StoreContext): Promise<boolean> {
  const text = await client.get(keys.instance)
  return text !== null && (JSON.parse(text) as { id: string }).id === (await instanceId())
}

/** As `folderOf` names them: instance, endpoint, first letters, job, blob. */
function toMember(name: string): string {
  const [, endpointId, , jobId] = name.split('/')
  return `${endpointId}/${jobId}`
}
