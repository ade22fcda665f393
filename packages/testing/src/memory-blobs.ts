// A blob store in memory, for tests of its users: it can be made unavailable, and stopped in the middle of a put.
import { createHash } from 'node:crypto'
import { BlobName, RunyardError, type BlobStore, type Bytes, type WriteLimits } from '@runyard/schema'

export interface MemoryBlobs extends BlobStore {
  readonly blobs: Map<string, Bytes>
  readonly fault: {
    away: boolean
    /** Runs right after a blob was put, before the writer gets the response. */
    afterPut?: ((name: string) => Promise<void>) | undefined
    beforeList?: (() => Promise<void>) | undefined
  }
}

export function createMemoryBlobs(shared = new Map<string, Bytes>()): MemoryBlobs {
  const fault: MemoryBlobs['fault'] = { away: false }
  const written = new Map<string, number>()
  const check = (name: string): string => {
    if (!BlobName.safeParse(name).success) throw new RunyardError('bad_request', 'no name')
    if (fault.away) throw new RunyardError('store_unavailable', 'The blob store cannot be used right now: away.', { retryAfterS: 5 })
    return name
  }
  const put = async (name: string, bytes: Uint8Array): Promise<void> => {
    shared.set(check(name), Uint8Array.from(bytes))
    written.set(name, Date.now())
    await fault.afterPut?.(name)
  }
  return {
    blobs: shared,
    fault,
    put,
    get: async (name) => shared.get(check(name)),
    async write(name, source, limits) {
      check(name)
      const bytes = await collect(source, limits)
      const digest = { size: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') }
      if (limits.sha256 !== undefined && limits.sha256.toLowerCase() !== digest.sha256)
        throw new RunyardError('bad_request', 'another hash')
      await put(name, bytes)
      return digest
    },
    async read(name, wanted) {
      const whole = shared.get(check(name))
      if (whole === undefined) return undefined
      const { length: size } = whole
      const { from, to = size } = wanted ?? { from: 0 }
      if (wanted !== undefined && (from >= size || to <= from)) throw new RunyardError('bad_request', 'outside of the blob')
      const range = { from, to: Math.min(to, size) }
      const bytes = (async function* one() {
        yield whole.slice(from, range.to)
      })()
      return { size, range, bytes, [Symbol.asyncDispose]: async () => undefined }
    },
    async stat(name) {
      const found = shared.get(check(name))
      return found && { size: found.length, writtenAt: written.get(name) ?? Date.now() }
    },
    async delete(names) {
      for (const name of names) shared.delete(check(name))
    },
    async *list(folder) {
      check(folder)
      await fault.beforeList?.()
      for (const name of shared.keys()) if (name.startsWith(`${folder}/`)) yield name
    },
    async removeLeftovers(folder) {
      check(folder)
      return 0
    },
  }
}

async function collect(source: AsyncIterable<Uint8Array>, { maxBytes, size = 0 }: WriteLimits): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  for await (const chunk of source) chunks.push(chunk)
  const bytes = Buffer.concat(chunks)
  if (Math.max(bytes.length, size) > maxBytes) throw new RunyardError('payload_too_large', 'too large')
  if (size > 0 && bytes.length !== size) throw new RunyardError('bad_request', 'another size')
  return bytes
}
