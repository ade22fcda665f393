import { once } from 'node:events'
import { createGzip, gzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { artifactOf, type ArchiveEntry } from '../testing/artifact.ts'
import { lookIntoArchive, type Finding } from './look-into-archive.ts'

const SDK2 = JSON.stringify({ version: 1, app: 'shop', pythonVersion: '3.12', resources: [] })
const LIMITS = { unpackedBytes: 1_000_000, files: 100 }

async function lookAt(bytes: Uint8Array, limits = LIMITS, chunkBytes = 1000): Promise<Finding> {
  const look = lookIntoArchive(limits)
  for (let at = 0; at < bytes.length; at += chunkBytes) await look.write(bytes.subarray(at, at + chunkBytes))
  return look.end()
}

describe('an artifact is accepted', () => {
  test('from Flash and from the SDK 2.0', async () => {
    const files = [{ name: './', type: 'directory' as const }, { name: './app/main.py', text: 'x = 1' }, { name: `./${'d/'.repeat(80)}f` }]
    expect(await lookAt(await artifactOf(files))).toEqual({ kind: 'archive', of: 'flash' })
    expect(await lookAt(await artifactOf([{ name: 'runpod_manifest.json', text: SDK2 }], ''))).toEqual({ kind: 'archive', of: 'sdk2' })
  })
})

describe('an artifact is refused', () => {
  test.each([
    ['a symbolic link', { name: 'a', type: 'symlink', linkname: '/etc/passwd' }, 'holds "a", which is a symlink'],
    ['a hard link', { name: 'a', type: 'link', linkname: 'b' }, 'holds "a", which is a link'],
    ['a device', { name: 'a', type: 'character-device' }, 'holds "a", which is a character-device'],
    ['a pipe', { name: 'a', type: 'fifo' }, 'holds "a", which is a fifo'],
    ['a name that climbs', { name: 'a/../../b' }, 'holds "a/../../b", which leads out of its directory'],
    ['an absolute name', { name: '/a' }, 'holds "/a", which leads out of its directory'],
    ['a sparse file', { name: 'a', pax: { 'GNU.sparse.major': '1' } }, 'holds the sparse file "a"'],
  ])('with %s', async (_what, entry, sentence) => {
    const finding = await lookAt(await artifactOf([entry as ArchiveEntry]))
    expect(finding).toEqual({ kind: 'problem', problem: expect.stringContaining(`The artifact ${sentence}`) })
  })

  test.each([
    ['what is no gzip file', async () => Buffer.from('hello, world'), 'is no gzip file'],
    [
      'a gzip file that breaks off',
      async () => (await artifactOf([{ name: 'a', text: 'x'.repeat(5000) }])).subarray(0, 80),
      'is no gzip file',
    ],
    ['what is no archive', async () => gzipSync(Buffer.alloc(2000, 'x')), 'is no tar archive'],
    ['an archive that breaks off', async () => gzipSync(Buffer.alloc(100)), 'is no tar archive'],
    ['an archive without a manifest', () => artifactOf([{ name: 'a' }], ''), 'has no flash_manifest.json or runpod_manifest.json'],
    ['a manifest that is no JSON', () => artifactOf([], '{'), "artifact's ./flash_manifest.json is no JSON"],
    ['a manifest that is a list', () => artifactOf([], '[]'), 'must be a JSON object'],
    ['a manifest of another kind', () => artifactOf([], SDK2), 'is no manifest of its kind'],
    ['a manifest of nothing', () => artifactOf([], '{}'), 'is no manifest of a build'],
    ['too many files', () => artifactOf(Array.from({ length: 200 }, (_, n) => ({ name: `f${n}` }))), 'more than 100 files (apps.files)'],
  ])('where it is %s', async (_what, make, sentence) => {
    expect(await lookAt(await make())).toEqual({ kind: 'problem', problem: expect.stringContaining(sentence) })
  })

  test('if it unpacks to more than the limit, before all of it is unpacked', async () => {
    const gzip = createGzip()
    const chunks: Buffer[] = []
    gzip.on('data', (chunk: Buffer) => chunks.push(chunk))
    for (let n = 0; n < 64; n += 1) if (!gzip.write(Buffer.alloc(1024 * 1024))) await once(gzip, 'drain')
    gzip.end()
    await once(gzip, 'end')
    expect(await lookAt(Buffer.concat(chunks))).toEqual({
      kind: 'problem',
      problem: expect.stringContaining('unpacks to more than 1000000 bytes'),
    })
  })
})
