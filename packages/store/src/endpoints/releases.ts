// The latest releases of an endpoint, newest first. Each is written right after the save that made it; a crash in between leaves it out of the list.
import type { Release } from '@runyard/schema'
import type { StoreContext } from '../context.ts'
import { readRelease } from '../data/records.ts'
import { defineScript } from '../scripts/define-script.ts'
import { nothing } from '../scripts/replies.ts'

/** As many as are kept. */
const MOST = 20

const addScript = defineScript({
  lua: new URL('./add-release.lua', import.meta.url),
  keys: ['releases', 'forgotten'],
  args: { record: 'text', most: 'number' },
  reply: nothing,
})

export type ReleaseStore = ReturnType<typeof createReleaseStore>

export function createReleaseStore({ client, keys, run }: Pick<StoreContext, 'client' | 'keys' | 'run'>) {
  return {
    /** Nothing for a deleted endpoint. */
    async add(endpointId: string, release: Release): Promise<void> {
      const touched = { releases: keys.of(endpointId, 'releases'), forgotten: keys.of(endpointId, 'forgotten') }
      await run(addScript, { ...touched, record: JSON.stringify(release), most: MOST })
    },
    list: async (endpointId: string): Promise<readonly Release[]> =>
      (await client.lrange(keys.of(endpointId, 'releases'), 0, -1)).map(readRelease),
  }
}
