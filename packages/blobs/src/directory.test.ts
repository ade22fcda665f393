import { mkdir, mkdtemp, readdir, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describeBlobConformance } from '@runyard/testing'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openDirectoryBlobStore } from './directory.ts'

let directory: string
const open = () => openDirectoryBlobStore(join(directory, 'blobs'))

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'runyard-blobs-'))
})

afterEach(async () => {
  await rm(directory, { recursive: true, force: true })
})

test('a place where no directory can be made is refused', async () => {
  await expect(openDirectoryBlobStore('/proc/runyard/blobs')).rejects.toMatchObject({ code: 'store_unavailable' })
})

describeBlobConformance('a directory', async () => ({
  open,
  async openBroken() {
    const place = join(directory, 'broken')
    const blobs = await openDirectoryBlobStore(place)
    await rm(place, { recursive: true })
    await writeFile(place, 'no directory any more')
    return blobs
  },
  [Symbol.asyncDispose]: async () => undefined,
}))

describe('on disk', () => {
  test('a deleted blob leaves no folder behind, and only the owner can read the others', async () => {
    const blobs = await open()
    await blobs.put('i/ep/ab/job/input-1', Buffer.from('secret'))
    const file = await stat(join(directory, 'blobs/i/ep/ab/job/input-1'))
    const folder = await stat(join(directory, 'blobs/i'))
    expect([file.mode & 0o077, folder.mode & 0o077]).toEqual([0, 0])
    await blobs.delete(['i/ep/ab/job/input-1'])
    expect(await readdir(join(directory, 'blobs'), { recursive: true })).toEqual(['.incoming'])
  })

  test('a file that a crash left incomplete is not a blob, and is removed after a day', async () => {
    const blobs = await open()
    const incoming = join(directory, 'blobs', '.incoming')
    await writeFile(join(incoming, 'young'), 'half')
    await writeFile(join(incoming, 'old'), 'half')
    await utimes(join(incoming, 'old'), new Date(0), new Date(0))
    await blobs.put('a/b', Buffer.from('x'))
    expect(await blobs.removeLeftovers('a', Date.now())).toBe(1)
    expect(await readdir(incoming)).toEqual(['young'])
    const names: string[] = []
    for await (const name of blobs.list('a')) names.push(name)
    expect(names).toEqual(['a/b'])
  })

  test('opening fails if the directory cannot be created', async () => {
    await mkdir(directory, { recursive: true })
    await writeFile(join(directory, 'blobs'), 'a file')
    await expect(open()).rejects.toThrow(/^The blob directory \S+ cannot be used right now: ENOTDIR\.$|EEXIST/)
  })
})
