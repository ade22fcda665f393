import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Config } from '@runyard/schema'
import { createMemoryBlobs, startRedis, type TestRedis } from '@runyard/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createLogger } from '@runyard/kit'
import { openStore, type Store } from '@runyard/store'
import { checkBlobs, checkListener, checkStore, installBootstrapKey, keepBootstrapKey, readBootstrapKey } from './bootstrap.ts'
import { isLoopback } from './http/base-url.ts'

let redis: TestRedis
let store: Store
const log = createLogger({ name: 'gateway', level: 'silent' })

beforeAll(async () => {
  redis = await startRedis()
  store = await openStore({ redisUrl: redis.url, leaseMs: 1000, retention: { asyncMs: 1000, syncMs: 1000 }, prefix: 'bootstrap' })
})

afterAll(async () => {
  await store[Symbol.asyncDispose]()
  await redis.stop()
})

const install = (plain: string, to: Pick<typeof log, 'warn'> = log): Promise<void> =>
  installBootstrapKey(store, { slot: 'bootstrap', name: 'bootstrap', plain }, to)
const bootstrapKeys = async () => (await store.keys.list()).filter(({ name }) => name === 'bootstrap')

describe('before the gateway serves requests', () => {
  it('the public listener binds loopback without keys, and wider only with one', async () => {
    const wide = Config.parse({ listen: { host: '0.0.0.0' } })
    await expect(checkListener(Config.parse({}), store)).resolves.toBeUndefined()
    await expect(checkListener(wide, store)).rejects.toThrow(/without any API key/)
    await install('rpa_first')
    await expect(checkListener(wide, store)).resolves.toBeUndefined()
  })

  it('the bootstrap key is imported once, also by gateways that start at the same time', async () => {
    await Promise.all(Array.from({ length: 4 }, () => install('rpa_second')))
    expect(await bootstrapKeys()).toHaveLength(1)
    expect(await store.keys.verify('rpa_second')).toMatchObject({ ownerId: 'owner' })
    await installBootstrapKey(store, undefined, log)
  })

  it('another bootstrap key replaces the former, at once and on all gateways', async () => {
    await using other = await openStore({
      redisUrl: redis.url,
      leaseMs: 1000,
      retention: { asyncMs: 1000, syncMs: 1000 },
      prefix: 'bootstrap',
    })
    await install('rpa_old')
    expect(await other.keys.verify('rpa_old')).toBeDefined()
    await install('rpa_new')
    await expect.poll(() => other.keys.verify('rpa_old')).toBeUndefined()
    expect(await other.keys.verify('rpa_new')).toBeDefined()
    expect(await bootstrapKeys()).toHaveLength(1)
  })

  it('a revoked bootstrap key is not brought back, and the log says what to do', async () => {
    await install('rpa_leaked')
    for (const { id } of await bootstrapKeys()) await store.keys.revoke(id)
    const logged: unknown[] = []
    await install('rpa_leaked', { warn: (_facts: unknown, line?: string) => void logged.push(line) })
    expect(logged).toEqual(['the bootstrap key was revoked and is not restored: delete the key file, and the next start makes another key'])
    expect(await store.keys.verify('rpa_leaked')).toBeUndefined()
  })

  it('the bootstrap key is there again when Redis was emptied, but never in place of a newer one', async () => {
    await using scope = new AsyncDisposableStack()
    const key = { slot: 'kept', name: 'kept', plain: 'rpa_kept' }
    await keepBootstrapKey(store, { key, log, scope })
    await store.keys.install({ ...key, plain: 'rpa_newer', ownerId: 'owner' })
    store.publish({ kind: 'resync' })
    await expect.poll(() => store.keys.verify('rpa_newer')).toBeDefined()
    expect(await store.keys.verify('rpa_kept')).toBeUndefined()
    await redis.flush()
    store.publish({ kind: 'resync' })
    await expect.poll(() => store.keys.verify('rpa_kept')).toBeDefined()
  })

  it('the bootstrap key is not left in the environment', async () => {
    const env: NodeJS.ProcessEnv = { RUNYARD_BOOTSTRAP_KEY: 'rpa_x', PATH: '/bin' }
    expect(await readBootstrapKey(env)).toEqual({ slot: 'bootstrap', name: 'bootstrap', plain: 'rpa_x' })
    expect(env).toEqual({ PATH: '/bin' })
    expect(await readBootstrapKey(env)).toBeUndefined()
  })

  it('a key file names its own slot, so that stacks with one Redis do not take each other’s keys', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'runyard-key-'))
    const file = join(directory, 'key')
    await writeFile(file, 'rpa_file\n')
    const key = await readBootstrapKey({ RUNYARD_BOOTSTRAP_KEY_FILE: file })
    expect(key).toMatchObject({ name: file, plain: 'rpa_file' })
    expect(key?.slot).toMatch(new RegExp(`.:${file}$`))
    await rm(directory, { recursive: true })
    await expect(readBootstrapKey({ RUNYARD_BOOTSTRAP_KEY_FILE: file })).rejects.toThrow(`The key file ${file} cannot be read (ENOENT).`)
  })

  it('reports that the blob store cannot be used, and starts all the same', async () => {
    const logged: unknown[] = []
    const blobs = createMemoryBlobs()
    const warnings = Object.assign(Object.create(log) as typeof log, { warn: (line: unknown) => void logged.push(line) })
    await checkBlobs(blobs, warnings)
    blobs.fault.away = true
    await checkBlobs(blobs, warnings)
    expect(logged).toEqual(['The blob store cannot be used right now: away.'])
  })

  it('refuses a Redis that may evict jobs', async () => {
    await using evicting = await startRedis({ args: ['--maxmemory-policy', 'allkeys-lru'] })
    await using other = await openStore({ redisUrl: evicting.url, leaseMs: 1000, retention: { asyncMs: 1000, syncMs: 1000 } })
    await expect(checkStore(other, log)).rejects.toThrow(/maxmemory-policy/)
    await expect(checkStore(store, log)).resolves.toBeUndefined()
  })

  it.each([
    ['127.0.0.1', true],
    ['127.1.2.3', true],
    ['::1', true],
    ['localhost', true],
    ['0.0.0.0', false],
    ['127.0.0.1.evil.example', false],
    ['192.168.1.4', false],
  ])('%s is loopback: %s', (host, expected) => {
    expect(isLoopback(host)).toBe(expected)
  })
})
