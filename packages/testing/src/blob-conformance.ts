// The conformance suite of the blob store's port: what the store may rely on, wherever large values live.
import { randomBytes } from 'node:crypto'
import { RunyardError, type BlobStore } from '@runyard/schema'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

export interface BlobFixture extends AsyncDisposable {
  /** Opens the same place again, as another gateway would. */
  open(): Promise<BlobStore>
  /** One whose place cannot be reached. */
  openBroken(): Promise<BlobStore>
}

const MIB = 2 ** 20
/** More than one page of S3's listing, which is 1000. */
const MANY = 1005
const ONE_MINUTE = 60_000
const BAD_NAMES = ['', '/a', 'a/', 'a//b', '../a', 'a/../b', 'a/.b', '.a', 'a\0b', 'ä', 'a b', 'a\\b', '-a', 'a'.repeat(600)]

/** Runs the suite. `factory` is called once per test, with nothing in the place. */
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

    it('knows nothing of a name that was never put, nor of a folder', async () => {
      await blobs.put('a/b', Buffer.from('x'))
      expect(await Promise.all(['a/c', 'z/y', 'a'].map((other) => blobs.get(other)))).toEqual([undefined, undefined, undefined])
      expect(await namesIn('z')).toEqual([])
    })

    it('replaces a blob whole: a reader never sees a part of one or a mixture', async () => {
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

    it('deletes what it is told and nothing else, as often as it is told', async () => {
      for (const blob of ['a/b/1', 'a/b/2', 'a/c/1']) await blobs.put(blob, Buffer.from(blob))
      await blobs.delete(['a/b/1', 'a/b/9', 'q/r'])
      await blobs.delete(['a/b/1'])
      await blobs.delete([])
      expect((await namesIn('a')).toSorted()).toEqual(['a/b/2', 'a/c/1'])
      expect(Buffer.from((await blobs.get('a/b/2')) ?? []).toString()).toBe('a/b/2')
    })

    it('lists what is below a folder, at any depth, and not what only begins like it', async () => {
      for (const blob of ['a/b/1', 'a/b/c/2', 'a/bc/3', 'a/b-4']) await blobs.put(blob, Buffer.from('x'))
      expect((await namesIn('a/b')).toSorted()).toEqual(['a/b/1', 'a/b/c/2'])
    })

    it('lists more blobs than one page holds', async () => {
      const names = Array.from({ length: MANY }, (_, at) => `a/${at % 10}/${at}`)
      await inParallel(names, (blob) => blobs.put(blob, Buffer.from('x')))
      expect(new Set(await namesIn('a'))).toEqual(new Set(names))
      await blobs.delete(names)
      expect(await namesIn('a')).toEqual([])
    })

    it('lets many put and delete in one folder at the same time', async () => {
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

    it('refuses what is no name before it gets near a path or a URL', async () => {
      for (const blob of BAD_NAMES) {
        const refused = { code: 'bad_request' }
        await expect(blobs.put(blob, Buffer.from('x'))).rejects.toMatchObject(refused)
        await expect(blobs.get(blob)).rejects.toMatchObject(refused)
        await expect(blobs.delete([blob])).rejects.toMatchObject(refused)
        await expect(namesIn(blob)).rejects.toMatchObject(refused)
      }
    })

    it('says in one sentence that it is away, and when to come again', async () => {
      const broken = await fixture.openBroken()
      const calls = [
        () => broken.put('a/b', Buffer.from('x')),
        () => broken.get('a/b'),
        () => broken.delete(['a/b']),
        () => listOf(broken, 'a'),
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

async function inParallel<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const waiting = [...items]
  await Promise.all(
    Array.from({ length: 32 }, async () => {
      for (let item = waiting.pop(); item !== undefined; item = waiting.pop()) await work(item)
    }),
  )
}
