import { chmod, mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { describe, expect } from 'vitest'
import { directory as root, it } from '@runyard/testing/directory'
import { openDataDir, readRunning, socketPath } from './data-dir.ts'

describe('openDataDir', () => {
  it('creates a key once, readable only by its owner', async () => {
    const path = join(root, 'a', 'b')
    const first = await openDataDir(path)
    expect(first.key).toMatch(/^rpa_[A-Za-z0-9]{32}$/)
    expect((await stat(join(path, 'key'))).mode & 0o777).toBe(0o600)
    await first[Symbol.asyncDispose]()
    await using second = await openDataDir(path)
    expect(second.key).toBe(first.key)
  })

  it('rejects a directory that another stack holds, and accepts it when that stack is gone', async () => {
    const holder = await openDataDir(root)
    await expect(openDataDir(root)).rejects.toThrow(`The data directory ${root} is in use by a running Runyard`)
    await holder[Symbol.asyncDispose]()
    await (await openDataDir(root))[Symbol.asyncDispose]()
  })

  it('accepts a directory whose holder was killed', async () => {
    await writeFile(socketPath(root, 'lock.sock'), '')
    await using dataDir = await openDataDir(root)
    expect(dataDir.path).toBe(root)
  })

  it('can hold a directory whose path is too long for a socket', async () => {
    const path = join(root, 'x'.repeat(120))
    await using holder = await openDataDir(path)
    await expect(openDataDir(holder.path)).rejects.toThrow('in use')
    const place = dirname(socketPath(path, 'lock.sock'))
    expect((await stat(place)).mode & 0o777).toBe(0o700)
    await chmod(place, 0o755)
    expect(() => socketPath(path, 'redis.sock')).toThrow('is not this user’s alone')
    await rm(place, { recursive: true })
  })

  it('reports an unusable directory, such as that of another user', async () => {
    await mkdir(join(root, 'lock.sock'))
    await expect(openDataDir(root)).rejects.toThrow(`The data directory ${root} cannot be used (`)
  })

  it('reports a directory that cannot be created', async () => {
    await writeFile(join(root, 'file'), '')
    await expect(openDataDir(join(root, 'file', 'sub'))).rejects.toThrow(/cannot be created \(ENOTDIR\)/)
  })
})

it('a directory that others may write to is rejected, because they could place a socket or a key there', async () => {
  await chmod(root, 0o777)
  await expect(openDataDir(root)).rejects.toThrow(`The data directory ${root} is not this user’s alone`)
})

describe('readRunning', () => {
  it('finds the stack only while it runs', async () => {
    const note = { pid: 1, url: 'http://h:1', startedAt: 5 }
    const dataDir = await openDataDir(root)
    expect(await readRunning(root)).toBeUndefined()
    await dataDir.writeNote(note)
    expect(await readRunning(root)).toEqual({ ...note, key: dataDir.key })
    await rm(join(root, 'run.json'))
    await expect.poll(() => readRunning(root)).toEqual({ ...note, key: dataDir.key })
    await dataDir[Symbol.asyncDispose]()
    expect(await readRunning(root)).toBeUndefined()
    await expect(readFile(join(root, 'run.json'))).rejects.toThrow('ENOENT')
  })
})
