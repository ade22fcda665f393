import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { dataDirPath, openCacheDir, openPrivateDir } from './paths.ts'

let base: string
beforeEach(() => {
  base = realpathSync(mkdtempSync(join(tmpdir(), 'runyard-paths-')))
})
afterEach(() => {
  rmSync(base, { recursive: true })
})

describe('the cache', () => {
  it('is created for this user only, below XDG_CACHE_HOME or the home directory', () => {
    expect(openCacheDir({ HOME: base })).toBe(join(base, '.cache', 'runyard'))
    expect(openCacheDir({ XDG_CACHE_HOME: join(base, 'c'), HOME: '/nowhere' })).toBe(join(base, 'c', 'runyard'))
    expect(statSync(join(base, 'c', 'runyard')).mode & 0o777).toBe(0o700)
  })

  it('is rejected as a relative path', () => {
    expect(() => openCacheDir({ XDG_CACHE_HOME: 'c' })).toThrow('The cache must have an absolute path, and c/runyard is none')
  })

  it.each([0o720, 0o702, 0o777])('is rejected if others may write to it (mode %o)', (mode) => {
    mkdirSync(join(base, 'runyard'))
    chmodSync(join(base, 'runyard'), mode)
    expect(() => openCacheDir({ XDG_CACHE_HOME: base })).toThrow(/is not this user’s alone, so nothing in it can be trusted/)
  })

  it('is rejected if others may replace it, even behind a symbolic link', () => {
    mkdirSync(join(base, 'shared'))
    chmodSync(join(base, 'shared'), 0o777)
    expect(() => openCacheDir({ XDG_CACHE_HOME: join(base, 'shared') })).toThrow(`since ${join(base, 'shared')} is theirs or writable`)
    symlinkSync(join(base, 'shared'), join(base, 'link'))
    expect(() => openCacheDir({ XDG_CACHE_HOME: join(base, 'link') })).toThrow(/Others can replace the cache/)
    // Like /tmp: only the owner of a file may remove it.
    chmodSync(join(base, 'shared'), 0o1777)
    expect(openCacheDir({ XDG_CACHE_HOME: join(base, 'link') })).toBe(join(base, 'link', 'runyard'))
  })
})

it('a file instead of a directory is reported in one sentence', () => {
  expect(() => openPrivateDir('/dev/null/x', { what: 'cache', mend: 'name another' })).toThrow(
    'The cache /dev/null/x cannot be created (ENOTDIR); name another.',
  )
})

it('a directory that lets nothing be created in it is reported in one sentence', () => {
  expect(() => openPrivateDir('/proc/runyard/deep', { what: 'data directory', mend: 'name another with --data DIR' })).toThrow(
    /^The data directory \/proc\/runyard\/deep cannot be created \(E[A-Z]+\); name another with --data DIR\.$/u,
  )
})

it('a file that is configured as the directory is reported as a file', () => {
  const file = join(base, 'file')
  writeFileSync(file, '')
  expect(() => openPrivateDir(file, { what: 'data directory', mend: 'name another' })).toThrow(
    `The data directory ${file} is a file; name another.`,
  )
})

it('without HOME the data directory is below the home directory in the system’s user database', () => {
  expect(dataDirPath(undefined, {})).toBe(join(userInfo().homedir, '.local', 'state', 'runyard'))
  expect(dataDirPath(undefined, { HOME: base })).toBe(join(base, '.local', 'state', 'runyard'))
})
