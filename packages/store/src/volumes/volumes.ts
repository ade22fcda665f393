// Where the data of volumes is, and whose data is to be removed (ADR 71). A volume gets a store once; a removal is written before its record is
// deleted, so that a crash in between leaves a removal of a volume that still exists, which removes nothing.
import { VolumeRemoval, type VolumeRemoval as Removal } from '@runyard/schema'
import type { StoreContext } from '../context.ts'
import { readRecord } from '../data/records.ts'
import { defineScript } from '../scripts/define-script.ts'
import { nothing, text } from '../scripts/replies.ts'

export interface VolumeStore {
  /** Volume id → the store of its data. */
  stores(): Promise<ReadonlyMap<string, string>>
  /** The store that the volume has: the wanted one, or the one that it got earlier. */
  claim(id: string, wanted: string): Promise<string>
  putRemoval(removal: Removal): Promise<void>
  /** It removes nothing: its volume stays. */
  dropRemoval(id: string): Promise<void>
  removals(): Promise<readonly Removal[]>
  /** Its data is gone. */
  forget(id: string): Promise<void>
}

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

export function createVolumeStore({ client, keys, run }: StoreContext): VolumeStore {
  const { stores, removals } = keys.volumes
  return {
    stores: async () => new Map(Object.entries(await client.hgetall(stores))),
    claim: (id, wanted) => run(claimScript, { stores, id, wanted }),
    async putRemoval(removal) {
      await client.hset(removals, removal.id, JSON.stringify(removal))
    },
    async dropRemoval(id) {
      await client.hdel(removals, id)
    },
    removals: async () => (await client.hvals(removals)).map((stored) => readRecord('volume removal', VolumeRemoval, stored)),
    forget: (id) => run(forgetScript, { stores, removals, id }),
  }
}
