// Uploads of artifacts that became no build yet. Each expires with its URL; an artifact that was uploaded and not made a build is swept like every
// artifact without a holder.
import type { StoredUpload, Upload } from '@runyard/schema'
import type { StoreContext } from '../context.ts'
import { readUpload } from '../data/records.ts'
import { defineScript } from '../scripts/define-script.ts'
import { flag } from '../scripts/replies.ts'

const replaceScript = defineScript({
  lua: new URL('./replace-upload.lua', import.meta.url),
  keys: ['upload'],
  args: { record: 'text' },
  reply: flag,
})

export type UploadStore = ReturnType<typeof createUploadStore>

export function createUploadStore({ client, keys, run }: Pick<StoreContext, 'client' | 'keys' | 'run'>) {
  return {
    async prepare(upload: Upload): Promise<void> {
      await client.set(keys.upload(upload.id), JSON.stringify(upload), 'PXAT', upload.expiresAt)
    },
    /** Undefined: unknown, expired, or a build already. */
    async find(id: string): Promise<Upload | undefined> {
      const text = await client.get(keys.upload(id))
      return text === null ? undefined : readUpload(text)
    },
    /** False: it has expired, or became a build, in the meantime. */
    conclude: (upload: Upload, stored: StoredUpload): Promise<boolean> =>
      run(replaceScript, { upload: keys.upload(upload.id), record: JSON.stringify({ ...upload, stored }) }),
    async remove(id: string): Promise<void> {
      await client.del(keys.upload(id))
    },
  }
}
