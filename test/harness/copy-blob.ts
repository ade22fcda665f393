// A separate process that writes a large blob and reads it again, so that its peak memory shows the cost. argv: the number of MiB, and a
// directory or the settings of a bucket as JSON. Prints a `CopiedBlob`.
import { createHash } from 'node:crypto'
import { createS3BlobStore, openDirectoryBlobStore, type S3Settings } from '@runyard/blobs'

export interface CopiedBlob {
  readonly sizes: readonly [written: number, stat: number | undefined, read: number]
  readonly sameHash: boolean
  /** How much the copy increased the process's peak memory. */
  readonly peakBytes: number
}

const MIB = 2 ** 20
const NAME = 'artifacts/large'
const [count, place = ''] = process.argv.slice(2)
const blobs = place.startsWith('{') ? createS3BlobStore(JSON.parse(place) as S3Settings) : await openDirectoryBlobStore(place)

/** Each MiB has other content and a new buffer, as from a socket. */
async function* made(): AsyncGenerator<Uint8Array> {
  for (let n = 0; n < Number(count); n += 1) yield Buffer.alloc(MIB, `${n} `)
}

const peak = (): number => process.resourceUsage().maxRSS * 1024
await blobs.put('artifacts/small', Buffer.alloc(MIB))
const before = peak()
const written = await blobs.write(NAME, made(), { maxBytes: 2 ** 31, size: Number(count) * MIB })
const hash = createHash('sha256')
let read = 0
{
  await using reader = await blobs.read(NAME)
  for await (const chunk of reader?.bytes ?? []) {
    hash.update(chunk)
    read += chunk.length
  }
}
const copied: CopiedBlob = {
  sizes: [written.size, (await blobs.stat(NAME))?.size, read],
  sameHash: hash.digest('hex') === written.sha256,
  peakBytes: peak() - before,
}
await blobs.delete([NAME, 'artifacts/small'])
process.stdout.write(JSON.stringify(copied))
