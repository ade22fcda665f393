// Blobs as objects in a bucket behind S3's API. S3 is strongly consistent: a stored object can be read and listed at once, and it appears
// completely or not at all, even if it was uploaded in parts (`s3-upload.ts`).
import type { BlobReader, BlobStore, ByteRange } from '@runyard/schema'
import { measure } from './measure.ts'
import { outOfRange, toWholeRange } from './names.ts'
import { createS3Client, errorCode, reasonOf, type S3Client, type S3Settings } from './s3-client.ts'
import { listObjects } from './s3-lists.ts'
import { removeOldUploads, upload } from './s3-upload.ts'

export type { S3Settings } from './s3-client.ts'

const DELETES_AT_ONCE = 8
/** Maximum time until the server responds, and between two chunks of its response. */
const SILENCE_MS = 60_000

export function createS3BlobStore(settings: S3Settings): BlobStore {
  const client = createS3Client(settings)
  const { keyOf, nameOf, ask } = client
  const remove = (key: string): Promise<unknown> => ask(key, { method: 'DELETE' }, [404])
  return {
    async put(name, body) {
      await ask(keyOf(name), { method: 'PUT', body })
    },

    async get(name) {
      const response = await client.send(keyOf(name), { method: 'GET' })
      return (await isMissing(response)) ? undefined : client.bodyOf(response)
    },

    async write(name, source, limits) {
      const measured = measure(source, limits)
      await upload(client, { key: keyOf(name), bytes: measured.bytes, maxBytes: limits.maxBytes })
      return measured.digest()
    },

    read: async (name, range) => openReader(client, keyOf(name), range),

    // Lists the first key with this prefix; an existing object is the first. Unlike HEAD, the response says whether the bucket is missing.
    async stat(name) {
      const key = keyOf(name)
      for await (const found of listObjects(client, { prefix: key, 'max-keys': '1' })) {
        return found.key === key ? { size: found.size, writtenAt: found.writtenAt } : undefined
      }
      return undefined
    },

    async delete(names) {
      const keys = names.map(keyOf)
      for (let from = 0; from < keys.length; from += DELETES_AT_ONCE) {
        await Promise.all(keys.slice(from, from + DELETES_AT_ONCE).map(remove))
      }
    },

    async *list(name) {
      for await (const { key } of listObjects(client, { prefix: `${keyOf(name)}/` })) yield nameOf(key)
    },

    removeLeftovers: async (folder, now) => removeOldUploads(client, `${keyOf(folder)}/`, now),
  }
}

/** True if the object is missing, not the bucket. */
async function isMissing(response: Response): Promise<boolean> {
  if (response.status !== 404 || (await errorCode(response.clone())) !== 'NoSuchKey') return false
  await response.body?.cancel()
  return true
}

async function openReader(client: S3Client, key: string, wanted: ByteRange | undefined): Promise<BlobReader | undefined> {
  const silence = new AbortController()
  const timer = setTimeout(() => silence.abort(new Error('it fell silent')), SILENCE_MS)
  const close = async (): Promise<void> => {
    clearTimeout(timer)
    silence.abort()
  }
  try {
    const response = await client.send(key, { method: 'GET', headers: toHeaders(wanted), signal: silence.signal })
    if (await isThere(client, response, wanted)) {
      const size = sizeOf(response)
      const bytes = chunksOf(client, response, { timer, close })
      return { size, range: toWholeRange(wanted, size), bytes, [Symbol.asyncDispose]: close }
    }
  } catch (error) {
    await close()
    throw error
  }
  await close()
  return undefined
}

/** @throws RunyardError('bad_request' | 'store_unavailable') */
async function isThere(client: S3Client, response: Response, wanted: ByteRange | undefined): Promise<boolean> {
  if (await isMissing(response)) return false
  if (response.status === 416) throw outOfRange(wanted?.from ?? 0)
  if (!response.ok) await client.bodyOf(response)
  return true
}

/** The end of S3's ranges is inclusive, ours is exclusive. */
function toHeaders(range: ByteRange | undefined): Record<string, string> {
  if (range === undefined) return {}
  const { from, to } = range
  // HTTP cannot express an empty range.
  if (to !== undefined && to <= from) throw outOfRange(from)
  return { range: `bytes=${from}-${to === undefined ? '' : to - 1}` }
}

/** The size of the whole object, for a partial response from `Content-Range: bytes 0-9/1234`. */
function sizeOf({ headers }: Response): number {
  return Number(headers.get('content-range')?.split('/')[1] ?? headers.get('content-length'))
}

interface Closing {
  readonly timer: NodeJS.Timeout
  readonly close: () => Promise<void>
}

async function* chunksOf(client: S3Client, { body }: Response, { timer, close }: Closing): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of body ?? []) {
      timer.refresh()
      yield chunk
      timer.refresh()
    }
  } catch (error) {
    throw client.unavailable(reasonOf(error), error)
  } finally {
    await close()
  }
}
