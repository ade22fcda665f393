// Writes a stream as one object: with a single put if it fits into one part, otherwise as a multipart upload. One part is in memory at a time, and
// all parts except the last have the same size, as some servers require. The object appears when the upload is completed. A failed upload is
// aborted; `removeOldUploads` removes uploads that a crash left behind.
import type { S3Client } from './s3-client.ts'
import { listUploads } from './s3-lists.ts'

const PART_BYTES = 8 * 2 ** 20
/** S3's own limit. */
const MAX_PARTS = 10_000
const LEFTOVER_AFTER_MS = 24 * 60 * 60 * 1000

interface Source {
  readonly key: string
  readonly bytes: AsyncIterable<Uint8Array>
  /** Determines the minimum part size. */
  readonly maxBytes: number
}

type Part = Uint8Array<ArrayBuffer>

export async function upload(client: S3Client, { key, bytes, maxBytes }: Source): Promise<void> {
  const partBytes = Math.max(PART_BYTES, Math.ceil(maxBytes / MAX_PARTS))
  let multipart: Multipart | undefined
  try {
    for await (const { part, isLast } of partsOf(bytes, partBytes)) {
      if (isLast && multipart === undefined) {
        await client.ask(key, { method: 'PUT', body: part })
        return
      }
      multipart ??= await begin(client, key)
      await multipart.add(part)
      if (isLast) await multipart.complete()
    }
  } catch (error) {
    await multipart?.abort()
    throw error
  }
}

/** The buffer of a part is reused for the next part. */
async function* partsOf(bytes: AsyncIterable<Uint8Array>, partBytes: number): AsyncGenerator<{ part: Part; isLast: boolean }> {
  const buffer = new Uint8Array(partBytes)
  let filled = 0
  for await (const chunk of bytes) {
    for (let from = 0; from < chunk.length;) {
      // A full part is only sent when another byte arrives, because it may be the last part.
      if (filled === partBytes) {
        yield { part: buffer, isLast: false }
        filled = 0
      }
      const piece = chunk.subarray(from, from + partBytes - filled)
      buffer.set(piece, filled)
      filled += piece.length
      from += piece.length
    }
  }
  yield { part: buffer.subarray(0, filled), isLast: true }
}

type Multipart = Awaited<ReturnType<typeof begin>>

async function begin(client: S3Client, key: string) {
  const begun = Buffer.from(await client.ask(key, { method: 'POST', query: { uploads: '' } })).toString()
  const uploadId = /<UploadId>([^<]+)<\/UploadId>/.exec(begun)?.[1]
  if (uploadId === undefined) throw client.unavailable('it began an upload without an id')
  const etags: string[] = []
  return {
    async add(part: Part): Promise<void> {
      const query = { partNumber: String(etags.length + 1), uploadId }
      const response = await client.send(key, { method: 'PUT', query, body: part })
      await client.bodyOf(response)
      etags.push(response.headers.get('etag') ?? '')
    },
    async complete(): Promise<void> {
      const parts = etags.map((etag, at) => `<Part><PartNumber>${at + 1}</PartNumber><ETag>${etag}</ETag></Part>`)
      const body = `<CompleteMultipartUpload>${parts.join('')}</CompleteMultipartUpload>`
      const answer = Buffer.from(await client.ask(key, { method: 'POST', query: { uploadId }, body })).toString()
      // S3 may send a 200 before it knows the result, and end the body with an error.
      const code = /<Error>[\s\S]*<Code>(\w+)<\/Code>/.exec(answer)?.[1]
      if (code !== undefined) throw client.unavailable(`it answered 200 ${code}`)
    },
    /** Never fails; remaining parts are removed later. */
    async abort(): Promise<void> {
      await client.ask(key, { method: 'DELETE', query: { uploadId } }, [404]).catch(() => undefined)
    },
  }
}

/** Aborts uploads that started a day ago or earlier; returns their number. */
export async function removeOldUploads(client: S3Client, prefix: string, now: number): Promise<number> {
  let removed = 0
  for await (const { key, uploadId, begunAt } of listUploads(client, prefix)) {
    if (now - begunAt <= LEFTOVER_AFTER_MS) continue
    await client.ask(key, { method: 'DELETE', query: { uploadId } }, [404])
    removed += 1
  }
  return removed
}
