// Large values in a bucket of a real S3 server.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createS3BlobStore, type S3Settings } from '@runyard/blobs'
import { describeBlobConformance, findFreePort } from '@runyard/testing'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { runCommand } from '../harness/child.ts'
import type { CopiedBlob } from '../harness/copy-blob.ts'
import { startS3Server, type S3Server } from '../harness/s3-server.ts'
import { suiteThatNeeds } from '../harness/suite.ts'

const MIB = 2 ** 20
const ONE_DAY = 24 * 60 * 60 * 1000
const COPY_BLOB = join(import.meta.dirname, '..', 'harness', 'copy-blob.ts')

await suiteThatNeeds(['venv:s3-server'], 'S3', () => {
  let server: S3Server
  let folders = 0

  beforeAll(async () => {
    server = await startS3Server(await mkdtemp(join(tmpdir(), 'runyard-s3-')))
  })
  afterAll(async () => {
    await server?.stop()
  })

  const settings = (change: Partial<S3Settings> = {}): S3Settings => ({
    ...server,
    region: 'us-east-1',
    prefix: `test-${folders}/deep`,
    forcePathStyle: true,
    ...change,
  })
  const put = (change: Partial<S3Settings>) => createS3BlobStore(settings(change)).put('a/b', Buffer.from('x'))

  describeBlobConformance('a bucket', async () => {
    folders += 1
    const unused = `http://127.0.0.1:${await findFreePort()}`
    return {
      open: async () => createS3BlobStore(settings()),
      openBroken: async () => createS3BlobStore(settings({ endpoint: unused })),
      [Symbol.asyncDispose]: async () => undefined,
    }
  })

  test('a wrong key and a missing bucket are reported with the server’s own error code', async () => {
    await expect(put({ secretAccessKey: 'wrong' })).rejects.toThrow(/cannot be used right now: it answered 403 SignatureDoesNotMatch\.$/)
    await expect(put({ bucket: 'nowhere' })).rejects.toThrow(/\(bucket nowhere\).*: it answered 404 NoSuchBucket\.$/)
    await expect(createS3BlobStore(settings({ bucket: 'nowhere' })).get('a/b')).rejects.toThrow(/404 NoSuchBucket/)
  })

  test('parts that a crash left are removed after a day, and never become a blob', async () => {
    const blobs = createS3BlobStore(settings({ prefix: 'left' }))
    const removed: number[] = []
    const halfWay = async function* () {
      yield Buffer.alloc(9 * MIB)
      for (const [folder, days] of [
        ['a', 0.5],
        ['other', 2],
        ['a', 2],
      ] as const) {
        removed.push(await blobs.removeLeftovers(folder, Date.now() + days * ONE_DAY))
      }
      yield Buffer.alloc(9 * MIB)
    }
    await expect(blobs.write('a/b', halfWay(), { maxBytes: 20 * MIB })).rejects.toThrow(/it answered 404 NoSuchUpload\.$/)
    expect(removed).toEqual([0, 0, 1])
    expect(await blobs.stat('a/b')).toBeUndefined()
  })

  describe('copying 240 MiB through a process', () => {
    test.each(['a directory', 'a bucket'])('needs less than 160 MiB of memory: %s', async (kind) => {
      const place = kind === 'a bucket' ? JSON.stringify(settings()) : await mkdtemp(join(tmpdir(), 'runyard-large-'))
      const copied = JSON.parse(await runCommand(process.execPath, [COPY_BLOB, '240', place])) as CopiedBlob
      const size = 240 * MIB
      expect(copied).toMatchObject({ sizes: [size, size, size], sameHash: true })
      expect(copied.peakBytes).toBeLessThan(160 * MIB)
      if (kind === 'a directory') await rm(place, { recursive: true })
    })
  })

  test('without a prefix, blob names are the keys', async () => {
    const bare = createS3BlobStore(settings({ prefix: '' }))
    await bare.put('top/a', Buffer.from('x'))
    const names: string[] = []
    for await (const name of bare.list('top')) names.push(name)
    expect(names).toEqual(['top/a'])
    await bare.delete(names)
  })
})
