// The conformance suite of the blob store port: what the store may rely on, wherever large values are stored.
import { createHash, randomBytes } from 'node:crypto'
import { RunyardError, type BlobStore, type WriteLimits } from '@runyard/schema'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

export interface BlobFixture extends AsyncDisposable {
  /** Opens the same storage again, as another gateway would. */
  open(): Promise<BlobStore>
  /** A store whose storage cannot be reached. */
  openBroken(): Promise<BlobStore>
}

const MIB = 2 ** 20
/** More than one page of an S3 listing (1000). */
const MANY = 1005
const ONE_MINUTE = 60_000
const ONE_DAY = 24 * 60 * ONE_MINUTE
const BAD_NAMES = ['', '/a', 'a/', 'a//b', '../a', 'a/../b', 'a/.b', '.a', 'a\0b', 'ä', 'a b', 'a\\b', '-a', 'a'.repeat(600)]

/** Runs the suite. `factory` is called once per test and returns an empty store. */
export function describeBlobConformance(name: string, factory: () => Promise<BlobFixture>): void {
  describe(`${name} keeps the contract of a blob store`, { timeout: ONE_MINUTE }, () => {
    let fixture: BlobFixture
    let blobs: BlobStore

    beforeEach(async () => {
      fixture = await factory()
      blobs = await fixture.open()
    })

    afterEach(async () => {
      await fixture[Symbol.asyncDispose]()
    })

    const namesIn = (folder: string): Promise<string[]> => listOf(blobs, folder)

    it.each([
      ['every byte', Uint8Array.from({ length: 256 }, (_, at) => at)],
      ['text beyond ASCII', Buffer.from('{"π":"𝄞 — “ü” \\u0000"}')],
      ['nothing at all', new Uint8Array()],
      ['20 MiB', randomBytes(20 * MIB)],
    ])('returns what was put, byte for byte: %s', async (_title, bytes) => {
      await blobs.put('i/ep/ab/job/input-1', bytes)
      const read = await (await fixture.open()).get('i/ep/ab/job/input-1')
      expect(read !== undefined && Buffer.compare(read, bytes) === 0).toBe(true)
    })

    it('returns nothing for a name that was never put, or for a folder', async () => {
      await blobs.put('a/b', Buffer.from('x'))
      expect(await Promise.all(['a/c', 'z/y', 'a'].map((other) => blobs.get(other)))).toEqual([undefined, undefined, undefined])
      expect(await namesIn('z')).toEqual([])
    })

    it('replaces a blob atomically: a reader never sees a part or a mixture', async () => {
      const [light, heavy] = [Buffer.alloc(MIB, 'a'), Buffer.alloc(3 * MIB, 'b')]
      await blobs.put('a/b', light)
      const writes = (async () => {
        for (let n = 0; n < 5; n += 1) await blobs.put('a/b', n % 2 === 0 ? heavy : light)
      })()
      for (let n = 0; n < 10; n += 1) {
        const read = Buffer.from((await blobs.get('a/b')) ?? [])
        expect(read.equals(light) || read.equals(heavy)).toBe(true)
      }
      await writes
    })

    it('deletes only the named blobs, and accepts repeated deletes', async () => {
      for (const blob of ['a/b/1', 'a/b/2', 'a/c/1']) await blobs.put(blob, Buffer.from(blob))
      await blobs.delete(['a/b/1', 'a/b/9', 'q/r'])
      await blobs.delete(['a/b/1'])
      await blobs.delete([])
      expect((await namesIn('a')).toSorted()).toEqual(['a/b/2', 'a/c/1'])
      expect(Buffer.from((await blobs.get('a/b/2')) ?? []).toString()).toBe('a/b/2')
    })

    it('lists the blobs below a folder at any depth, and not names that only share its prefix', async () => {
      for (const blob of ['a/b/1', 'a/b/c/2', 'a/bc/3', 'a/b-4']) await blobs.put(blob, Buffer.from('x'))
      expect((await namesIn('a/b')).toSorted()).toEqual(['a/b/1', 'a/b/c/2'])
    })

    it('lists more blobs than fit on one page', async () => {
      const names = Array.from({ length: MANY }, (_, at) => `a/${at % 10}/${at}`)
      await inParallel(names, (blob) => blobs.put(blob, Buffer.from('x')))
      expect(new Set(await namesIn('a'))).toEqual(new Set(names))
      await blobs.delete(names)
      expect(await namesIn('a')).toEqual([])
    })

    it('supports concurrent puts and deletes in one folder', async () => {
      const other = await fixture.open()
      await Promise.all(
        Array.from({ length: 24 }, async (_, at) => {
          const blob = `a/b/c/${at}`
          const store = at % 2 === 0 ? blobs : other
          await store.put(blob, Buffer.from(blob))
          expect(Buffer.from((await other.get(blob)) ?? []).toString()).toBe(blob)
          await store.delete([blob])
        }),
      )
      expect(await namesIn('a')).toEqual([])
    })

    it.each([
      ['nothing', 0],
      ['one byte', 1],
      ['exactly one part of 8 MiB', 8 * MIB],
      ['several parts and a rest', 20 * MIB + 3],
    ])('writes a stream and reports its size and hash: %s', async (_title, size) => {
      const bytes = randomBytes(size)
      const digest = await blobs.write('a/b', inChunks(bytes), { maxBytes: 100 * MIB, size, sha256: sha256(bytes) })
      expect(digest).toEqual({ size, sha256: sha256(bytes) })
      const read = await (await fixture.open()).get('a/b')
      expect(read !== undefined && Buffer.compare(read, bytes) === 0).toBe(true)
      expect(await readAll(blobs, 'a/b')).toEqual({ size, sha256: sha256(bytes) })
      expect(await namesIn('a')).toEqual(['a/b'])
    })

    it('writes a stream of unknown length, even in one large chunk', async () => {
      const bytes = randomBytes(17 * MIB)
      await blobs.write('a/b', one(bytes), { maxBytes: 17 * MIB })
      expect(await readAll(blobs, 'a/b')).toEqual({ size: bytes.length, sha256: sha256(bytes) })
    })

    const gone = { message: 'the client went away' }
    const tenMib = randomBytes(10 * MIB)
    const unkept: readonly [string, AsyncIterable<Uint8Array>, WriteLimits, object][] = [
      ['it is larger than allowed', inChunks(tenMib), { maxBytes: 9 * MIB }, { code: 'payload_too_large' }],
      ['it is announced as larger than allowed', inChunks(tenMib), { maxBytes: 9, size: 10 }, { code: 'payload_too_large' }],
      ['it is shorter than announced', inChunks(tenMib), { maxBytes: 20 * MIB, size: 11 * MIB }, { code: 'bad_request' }],
      ['its hash is another', inChunks(tenMib), { maxBytes: 20 * MIB, sha256: sha256(Buffer.of()) }, { code: 'bad_request' }],
      ['its source fails half-way', failing(tenMib, gone), { maxBytes: 20 * MIB }, gone],
      ['its source fails at once', failing(Buffer.of(), gone), { maxBytes: 20 * MIB }, gone],
    ]
    it.each(unkept)('keeps the former blob, and nothing of the stream, if %s', async (_title, source, limits, error) => {
      await blobs.put('a/b', Buffer.from('former'))
      const written = blobs.write('a/b', source, limits)
      await expect(written).rejects.toMatchObject(error)
      expect(Buffer.from((await blobs.get('a/b')) ?? []).toString()).toBe('former')
      expect(await blobs.removeLeftovers('a', Date.now() + 2 * ONE_DAY)).toBe(0)
    })

    it('shows nothing of a stream until it is complete', async () => {
      const seen: unknown[] = []
      const watched = async function* () {
        for await (const chunk of inChunks(randomBytes(18 * MIB))) {
          seen.push(await blobs.stat('a/b'), ...(await namesIn('a')))
          yield chunk
        }
      }
      await blobs.write('a/b', watched(), { maxBytes: 20 * MIB })
      expect(new Set(seen)).toEqual(new Set([undefined]))
      expect(await namesIn('a')).toEqual(['a/b'])
    })

    it('does not remove leftovers of writes that may still continue', async () => {
      const removed: number[] = []
      const watched = async function* () {
        for await (const chunk of inChunks(randomBytes(18 * MIB))) {
          removed.push(await blobs.removeLeftovers('a', Date.now()))
          yield chunk
        }
      }
      await blobs.write('a/b', watched(), { maxBytes: 20 * MIB })
      expect(new Set(removed)).toEqual(new Set([0]))
      expect(await blobs.stat('a/b')).toMatchObject({ size: 18 * MIB })
    })

    it('reads ranges of a blob, and reports its total size', async () => {
      const bytes = randomBytes(3 * MIB)
      await blobs.put('a/b', bytes)
      const ranges = [
        [{ from: 0, to: 1 }, 0, 1],
        [{ from: MIB, to: 2 * MIB + 7 }, MIB, 2 * MIB + 7],
        [{ from: 3 * MIB - 1 }, 3 * MIB - 1, 3 * MIB],
        [{ from: 5, to: 9 * MIB }, 5, 3 * MIB],
      ] as const
      for (const [range, from, to] of ranges) {
        await using reader = await blobs.read('a/b', range)
        expect(reader).toMatchObject({ size: 3 * MIB, range: { from, to } })
        expect(Buffer.concat(await chunksOf(reader?.bytes)).equals(bytes.subarray(from, to))).toBe(true)
      }
      const outside = { code: 'bad_request' }
      for (const range of [{ from: 3 * MIB }, { from: 4 * MIB, to: 5 * MIB }, { from: 7, to: 7 }]) {
        await expect(blobs.read('a/b', range)).rejects.toMatchObject(outside)
      }
    })

    it('lets a reader stop early', async () => {
      await blobs.put('a/b', randomBytes(20 * MIB))
      {
        await using reader = await blobs.read('a/b')
        for await (const chunk of reader?.bytes ?? []) {
          expect(chunk.length).toBeGreaterThan(0)
          break
        }
      }
      await using unread = await blobs.read('a/b')
      expect(unread?.size).toBe(20 * MIB)
      await blobs.delete(['a/b'])
    })

    it('reports the size of a blob and when it was written', async () => {
      const before = Date.now()
      await blobs.put('a/b', Buffer.from('four'))
      await blobs.put('a/bc', Buffer.from('x'))
      const found = await blobs.stat('a/b')
      expect(found?.size).toBe(4)
      // Servers report whole seconds.
      expect(Math.abs((found?.writtenAt ?? 0) - before)).toBeLessThan(ONE_MINUTE)
      const others = ['a', 'a/c', 'z'].map((other) => blobs.stat(other))
      expect(await Promise.all(others)).toEqual([undefined, undefined, undefined])
      expect(await Promise.all(['a', 'a/c'].map((other) => blobs.read(other)))).toEqual([undefined, undefined])
    })

    it('rejects an invalid name before it becomes part of a path or a URL', async () => {
      for (const blob of BAD_NAMES) {
        const refused = { code: 'bad_request' }
        await expect(blobs.put(blob, Buffer.from('x'))).rejects.toMatchObject(refused)
        await expect(blobs.get(blob)).rejects.toMatchObject(refused)
        await expect(blobs.delete([blob])).rejects.toMatchObject(refused)
        await expect(namesIn(blob)).rejects.toMatchObject(refused)
        await expect(blobs.write(blob, one(Buffer.from('x')), { maxBytes: 1 })).rejects.toMatchObject(refused)
        await expect(blobs.read(blob)).rejects.toMatchObject(refused)
        await expect(blobs.stat(blob)).rejects.toMatchObject(refused)
        await expect(blobs.removeLeftovers(blob, Date.now())).rejects.toMatchObject(refused)
      }
    })

    it('reports in one sentence that it is unavailable, and when to retry', async () => {
      const broken = await fixture.openBroken()
      const calls = [
        () => broken.put('a/b', Buffer.from('x')),
        () => broken.get('a/b'),
        () => broken.delete(['a/b']),
        () => listOf(broken, 'a'),
        () => broken.write('a/b', one(Buffer.from('x')), { maxBytes: 1 }),
        () => broken.read('a/b'),
        () => broken.stat('a/b'),
        () => broken.removeLeftovers('a', Date.now()),
      ]
      for (const call of calls) {
        const error: unknown = await call().catch((thrown: unknown) => thrown)
        expect(error).toBeInstanceOf(RunyardError)
        expect(error).toMatchObject({ code: 'store_unavailable', retryAfterS: expect.any(Number) })
        expect((error as Error).message).toMatch(/^The blob [^\n]+ cannot be used right now: [^\n]+\.$/)
      }
    })
  })
}

async function listOf(blobs: BlobStore, folder: string): Promise<string[]> {
  const names: string[] = []
  for await (const name of blobs.list(folder)) names.push(name)
  return names
}

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

async function* one(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}

/** Chunks whose sizes match no part size. */
async function* inChunks(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 700_001) yield bytes.subarray(at, at + 700_001)
}

async function* failing(bytes: Uint8Array, { message }: { message: string }): AsyncGenerator<Uint8Array> {
  yield* inChunks(bytes)
  throw new Error(message)
}

async function chunksOf(bytes: AsyncIterable<Uint8Array> | undefined): Promise<Uint8Array[]> {
  const chunks: Uint8Array[] = []
  for await (const chunk of bytes ?? []) chunks.push(chunk)
  return chunks
}

async function readAll(blobs: BlobStore, name: string): Promise<{ size: number | undefined; sha256: string }> {
  await using reader = await blobs.read(name)
  return { size: reader?.size, sha256: sha256(Buffer.concat(await chunksOf(reader?.bytes))) }
}

async function inParallel<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const waiting = [...items]
  await Promise.all(
    Array.from({ length: 32 }, async () => {
      for (let item = waiting.pop(); item !== undefined; item = waiting.pop()) await work(item)
    }),
  )
}
