import { Config } from '@runyard/schema'
import { createMemoryBlobs, startRedis, type TestRedis } from '@runyard/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createLogger } from '@runyard/kit'
import { openStore, type Store } from '@runyard/store'
import { checkBlobs, checkListener, checkStore, importBootstrapKey, isLoopback } from './bootstrap.ts'

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

describe('before the gateway serves anybody', () => {
  it('the public listener binds loopback without keys, and wider only with one', async () => {
    const wide = Config.parse({ listen: { host: '0.0.0.0' } })
    await expect(checkListener(Config.parse({}), store)).resolves.toBeUndefined()
    await expect(checkListener(wide, store)).rejects.toThrow(/without any API key/)
    await importBootstrapKey(store, 'rpa_first')
    await expect(checkListener(wide, store)).resolves.toBeUndefined()
  })

  it('the bootstrap key is imported once', async () => {
    await importBootstrapKey(store, 'rpa_second')
    await importBootstrapKey(store, 'rpa_second')
    expect((await store.keys.list()).filter(({ name }) => name === 'bootstrap')).toHaveLength(2)
    expect(await store.keys.verify('rpa_second')).toMatchObject({ ownerId: 'owner' })
    await importBootstrapKey(store, undefined)
  })

  it('the bootstrap key is imported once, also by gateways that start at the same time', async () => {
    await Promise.all(Array.from({ length: 4 }, () => importBootstrapKey(store, 'rpa_third')))
    const before = (await store.keys.list()).length
    await importBootstrapKey(store, 'rpa_third')
    expect((await store.keys.list()).length).toBe(before)
    expect(await store.keys.verify('rpa_third')).toMatchObject({ name: 'bootstrap' })
  })

  it('tells that the blob store cannot be used, and starts all the same', async () => {
    const told: unknown[] = []
    const blobs = createMemoryBlobs()
    const warnings = Object.assign(Object.create(log) as typeof log, { warn: (line: unknown) => void told.push(line) })
    await checkBlobs(blobs, warnings)
    blobs.fault.away = true
    await checkBlobs(blobs, warnings)
    expect(told).toEqual(['The blob store cannot be used right now: away.'])
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
