// The POSIX wrapper at the root, in a copy whose CLI is a stand-in. The fetching itself is seen on bare machines, not here.
import { execFile } from 'node:child_process'
import { copyFile, mkdir, mkdtemp, readFile, realpath, rm, symlink, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ROOT } from './locations.ts'

const run = promisify(execFile)
const BUNDLES = ['agent/dist/agent.mjs', 'gateway/dist/main.mjs', 'scaler/dist/main.mjs', 'cli/dist/main.mjs']
const STAND_IN = 'console.log(JSON.stringify({ words: process.argv.slice(2), cwd: process.cwd() }))\n'

let base: string
let root: string
beforeEach(async () => {
  base = await realpath(await mkdtemp(join(tmpdir(), 'runyard wrapper ')))
  root = join(base, 'check out')
  for (const bundle of BUNDLES) await put(join('apps', bundle), STAND_IN)
  await put('apps/cli/src/main.ts', '')
  await put('apps/cli/package.json', '{}')
  await put('pnpm-lock.yaml', 'lock: 1\n')
  await put('.runyard/installed.yaml', 'lock: 1\n')
  await mkdir(join(root, 'node_modules', '.pnpm'), { recursive: true })
  await put('.runyard/built', '')
  await copyFile(join(ROOT, 'runyard'), join(root, 'runyard'))
  // Everything above is older than the build.
  await utimes(join(root, '.runyard', 'built'), inAnHour(), inAnHour())
})
afterEach(async () => {
  await rm(base, { recursive: true })
})

async function put(path: string, text: string): Promise<void> {
  await mkdir(dirname(join(root, path)), { recursive: true })
  await writeFile(join(root, path), text)
}

const inAnHour = (): Date => new Date(Date.now() + 3_600_000)

/** With the Node that runs us, where it is one that the wrapper accepts, and no pnpm, so that nothing can be built. */
async function wrapper(words: readonly string[], options: { command?: string; cwd?: string; path?: string } = {}) {
  const { command = join(root, 'runyard'), cwd = base, path = `${dirname(process.execPath)}:/usr/bin:/bin` } = options
  const env = { PATH: path, HOME: join(base, 'home') }
  return run('sh', [command, ...words], { cwd, env }).then(
    ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
    (error: { code: number; stdout: string; stderr: string }) => ({ code: error.code, stdout: error.stdout, stderr: error.stderr }),
  )
}

describe('./runyard', () => {
  it('hands its words to the CLI untouched, in the caller’s directory, and says nothing itself', async () => {
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

  it('says in one sentence what to install where it can fetch no Node', async () => {
    const bin = join(base, 'bin')
    await mkdir(bin)
    for (const tool of ['sh', 'dirname', 'readlink', 'id', 'uname', 'ls', 'cat', 'mkdir', 'rm']) {
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
    // A pnpm that records what it is asked and fails.
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

async function touch(path: string): Promise<void> {
  const later = new Date(Date.now() + 7_200_000)
  await utimes(join(root, path), later, later)
}
