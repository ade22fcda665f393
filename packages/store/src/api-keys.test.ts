// API keys and the installation's identity.
import { describe, expect, test, vi } from 'vitest'
import { PATIENT, useStores } from './test-store.ts'

const stores = useStores()

describe('API keys', () => {
  test('a key is told once, verified by anybody, and nowhere stored', async () => {
    const { keys } = await stores.open()
    const raw = stores.raw()
    const { key, plain } = await keys.create({ name: 'laptop', ownerId: 'owner' })
    expect(plain).toMatch(/^rpa_[0-9A-Za-z]{32}$/)
    expect(await keys.verify(plain)).toEqual(key)
    expect(await (await stores.open()).keys.verify(plain)).toEqual(key)
    expect(await keys.verify('rpa_wrong')).toBeUndefined()
    expect(await keys.list()).toEqual([key])
    const stored = await Promise.all((await raw.keys(`${stores.prefix()}:*`)).map((name) => raw.hgetall(name)))
    expect(JSON.stringify(stored)).not.toContain(plain)
  })

  test('a key of one’s own can be imported once', async () => {
    const { keys } = await stores.open()
    expect((await keys.create({ name: 'boot', ownerId: 'owner', plain: 'my-own-key' })).plain).toBe('my-own-key')
    await expect(keys.create({ name: 'again', ownerId: 'owner', plain: 'my-own-key' })).rejects.toMatchObject({ code: 'conflict' })
    expect((await keys.list()).map(({ name }) => name)).toEqual(['boot'])
  })

  test('a revoked key dies in every process, also where it was known', async () => {
    const [one, two] = [await stores.open(), await stores.open()]
    const { key, plain } = await one.keys.create({ name: 'k', ownerId: 'owner' })
    await two.keys.verify(plain)
    expect(await one.keys.revoke(key.id)).toBe(true)
    expect(await one.keys.verify(plain)).toBeUndefined()
    await vi.waitUntil(async () => (await two.keys.verify(plain)) === undefined, PATIENT)
    expect(await one.keys.revoke(key.id)).toBe(false)
    expect(await one.keys.list()).toEqual([])
  })

  test('a key that was unknown works as soon as it is created elsewhere', async () => {
    const [one, two] = [await stores.open(), await stores.open()]
    expect(await two.keys.verify('early')).toBeUndefined()
    await one.keys.create({ name: 'k', ownerId: 'owner', plain: 'early' })
    await vi.waitUntil(async () => (await two.keys.verify('early')) !== undefined, PATIENT)
  })

  test('verifying a known key does not go to Redis', async () => {
    const { keys } = await stores.open()
    const raw = stores.raw()
    const { plain } = await keys.create({ name: 'k', ownerId: 'owner' })
    await keys.verify(plain)
    await raw.del(...(await raw.keys(`${stores.prefix()}:*`)))
    expect(await keys.verify(plain)).toBeDefined()
  })
})

describe('instance', () => {
  test('is made once, whoever comes first', async () => {
    const [one, two] = [await stores.open(), await stores.open()]
    const instances = await Promise.all([one.instance(), two.instance(), one.instance()])
    expect(new Set(instances.map((instance) => JSON.stringify(instance))).size).toBe(1)
  })

  test('a worker’s token is the same on every call and good for that worker alone', async () => {
    const [one, two] = [await stores.open(), await stores.open()]
    const token = await one.workerToken('ep-1', 'w1')
    expect(token).toMatch(/^[A-Za-z0-9_-]{43}$/)
    expect(await two.workerToken('ep-1', 'w1')).toBe(token)
    expect(await one.workerToken('ep-1', 'w2')).not.toBe(token)
    expect(await one.workerToken('ep-2', 'w1')).not.toBe(token)
  })
})
