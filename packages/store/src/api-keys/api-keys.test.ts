// API keys and the installation's identity.
import { describe, expect, test, vi } from 'vitest'
import { useStores } from '../testing/test-store.ts'

const stores = useStores()

describe('API keys', () => {
  test('a key is shown once, verified by any process, and never stored', async () => {
    const { keys } = await stores.open()
    const raw = stores.raw()
    const { key, plain } = await keys.create({ name: 'laptop', ownerId: 'owner' })
    expect(plain).toMatch(/^rpa_[0-9A-Za-z]{32}$/)
    expect(await keys.verify(plain)).toEqual(key)
    expect(await (await stores.open()).keys.verify(plain)).toEqual(key)
    expect(await keys.verify('rpa_wrong')).toBeUndefined()
    expect(await keys.list()).toEqual([key])
    const read = async (name: string) => ((await raw.type(name)) === 'hash' ? raw.hgetall(name) : raw.get(name))
    const stored = await Promise.all((await raw.keys(`${stores.prefix()}:*`)).map(read))
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
    await vi.waitUntil(async () => (await two.keys.verify(plain)) === undefined)
    expect(await one.keys.revoke(key.id)).toBe(false)
    expect(await one.keys.list()).toEqual([])
  })

  test('a key that was unknown works as soon as it is created elsewhere', async () => {
    const [one, two] = [await stores.open(), await stores.open()]
    expect(await two.keys.verify('early')).toBeUndefined()
    await one.keys.create({ name: 'k', ownerId: 'owner', plain: 'early' })
    await vi.waitUntil(async () => (await two.keys.verify('early')) !== undefined)
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

describe('the life of a key', () => {
  test('a key is not valid once it has expired, also where it is known', async () => {
    const { keys } = await stores.open()
    const { key, plain } = await keys.create({ name: 'k', ownerId: 'owner', expiresAt: Date.now() + 60_000 })
    expect(await keys.verify(plain)).toEqual(key)
    vi.useFakeTimers({ now: Date.now() + 61_000, toFake: ['Date'] })
    expect(await keys.verify(plain)).toBeUndefined()
    vi.useRealTimers()
  })

  test('its last use is written when the store closes, and not by each request', async () => {
    const [one, two] = [await stores.open(), await stores.open()]
    const { key, plain } = await one.keys.create({ name: 'k', ownerId: 'owner' })
    expect(await one.keys.list()).toEqual([key])
    const before = Date.now()
    for (let use = 0; use < 5; use++) await two.keys.verify(plain)
    expect(await one.keys.list()).toEqual([key])
    await two[Symbol.asyncDispose]()
    const [listed] = await one.keys.list()
    expect(listed?.lastUsedAt).toBeGreaterThanOrEqual(before)
  })

  test('a rotated key stays in the list under its id; the old one is unknown everywhere', async () => {
    const [one, two] = [await stores.open(), await stores.open()]
    const { key, plain } = await one.keys.create({ name: 'k', ownerId: 'team' })
    await two.keys.verify(plain)
    const rotated = await one.keys.rotate(key.id)
    expect(rotated.key).toMatchObject({ id: key.id, name: 'k', ownerId: 'team' })
    expect(await two.keys.verify(rotated.plain)).toMatchObject({ id: key.id })
    await vi.waitUntil(async () => (await two.keys.verify(plain)) === undefined)
    await expect(one.keys.create({ name: 'again', ownerId: 'team', plain })).rejects.toMatchObject({ code: 'conflict' })
    await expect(one.keys.rotate('none')).rejects.toMatchObject({ code: 'not_found' })
  })

  test('of two rotations at once one is refused', async () => {
    const { keys } = await stores.open()
    const { key } = await keys.create({ name: 'k', ownerId: 'owner' })
    const ends = await Promise.allSettled([keys.rotate(key.id), keys.rotate(key.id)])
    expect(ends.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected'])
  })
})

describe('the key of a key file', () => {
  const of = (slot: string, plain: string) => ({ slot, plain, name: `file of ${slot}`, ownerId: 'owner' })

  test('is imported once, and replaced when the file has another', async () => {
    const [one, two] = [await stores.open(), await stores.open()]
    expect(await Promise.all([one.keys.install(of('a', 'first')), two.keys.install(of('a', 'first'))])).toEqual([true, true])
    expect(await two.keys.verify('first')).toMatchObject({ name: 'file of a' })
    expect(await one.keys.install(of('a', 'second'))).toBe(true)
    await vi.waitUntil(async () => (await two.keys.verify('first')) === undefined)
    expect(await two.keys.verify('second')).toBeDefined()
    expect(await one.keys.list()).toHaveLength(1)
    // The file may have the first one again: it was not revoked.
    expect(await one.keys.install(of('a', 'first'))).toBe(true)
    expect(await one.keys.verify('first')).toBeDefined()
  })

  test('leaves keys of other files and keys without a file alone', async () => {
    const { keys } = await stores.open()
    await keys.create({ name: 'k', ownerId: 'owner', plain: 'own' })
    await keys.install(of('a', 'of a'))
    await keys.install(of('b', 'of b'))
    await keys.install(of('b', 'of b, changed'))
    const known = async (plain: string) => (await keys.verify(plain)) !== undefined
    expect(await Promise.all(['own', 'of a', 'of b', 'of b, changed'].map(known))).toEqual([true, true, false, true])
  })

  test('that two files share goes when the last of them has another', async () => {
    const { keys } = await stores.open()
    await keys.install(of('a', 'shared'))
    await keys.install(of('b', 'shared'))
    await keys.install(of('a', 'a alone'))
    expect(await keys.verify('shared')).toBeDefined()
    await keys.install(of('b', 'b alone'))
    expect(await keys.verify('shared')).toBeUndefined()
  })

  test('takes over what was imported before there were slots', async () => {
    const { keys } = await stores.open()
    await keys.create({ name: 'bootstrap', ownerId: 'owner', plain: 'old' })
    await keys.install(of('a', 'old'))
    await keys.install(of('a', 'new'))
    expect(await keys.verify('old')).toBeUndefined()
    expect(await keys.list()).toHaveLength(1)
  })

  test('stays revoked, whatever the file has', async () => {
    const { keys } = await stores.open()
    await keys.install(of('a', 'leaked'))
    const [key] = await keys.list()
    await keys.revoke(key?.id ?? '')
    expect(await keys.install(of('a', 'leaked'))).toBe(false)
    expect(await keys.verify('leaked')).toBeUndefined()
    expect(await keys.install(of('a', 'fresh'))).toBe(true)
  })
})

describe('instance', () => {
  test('is created once, by the first process', async () => {
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
