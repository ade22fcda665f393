// Where the data of volumes is, and whose data is to be removed (ADR 71). A volume gets a store once; a removal is written before its record is
// deleted, so that a crash in between leaves a removal of a volume that still exists, which removes nothing.
import { VolumeRemoval, type VolumeRemoval as Removal } from '@runyard/schema'
import type { StoreContext } from '../context.ts'
import { readRecord } from '../data/records.ts'
import { defineScript } from '../scripts/define-script.ts'
import { nothing, text } from '../scripts/replies.ts'

export type VolumeStore = ReturnType<typeof createVolumeStore>

const claimScript = defineScript({
  lua: new URL('./claim-volume.lua', import.meta.url),
  keys: ['stores'],
  args: { id: 'text', wanted: 'text' },
  reply: text,
})

const forgetScript = defineScript({
  lua: new URL('./forget-volume.lua', import.meta.url),
  keys: ['stores', 'removals'],
  args: { id: 'text' },
  reply: nothing,
})

export function createVolumeStore({ client, keys, run }: StoreContext) {
  const { stores, removals } = keys.volumes
  return {
    /** Volume id → the store of its data. */
    stores: async (): Promise<ReadonlyMap<string, string>> => new Map(Object.entries(await client.hgetall(stores))),
    /** The store that the volume has: the wanted one, or the one that it got earlier. */
    claim: (id: string, wanted: string): Promise<string> => run(claimScript, { stores, id, wanted }),
    async putRemoval(removal: Removal): Promise<void> {
      await client.hset(removals, removal.id, JSON.stringify(removal))
    },
    /** It removes nothing: its volume stays. */
    async dropRemoval(id: string): Promise<void> {
      await client.hdel(removals, id)
    },
    removals: async (): Promise<readonly Removal[]> =>
      (await client.hvals(removals)).map((stored) => readRecord('volume removal', VolumeRemoval, stored)),
    /** Its data is gone. */
    forget: (id: string): Promise<void> => run(forgetScript, { stores, removals, id }),
  }
}
