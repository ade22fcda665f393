// Sessions of browsers and their one-time codes (ADR 89).
import { describe, expect, test, vi } from 'vitest'
import { useStores } from '../testing/test-store.ts'

const stores = useStores()
const TOKEN = /^[\w-]{43}$/u

async function signedIn() {
  const store = await stores.open()
  const { key, plain } = await store.keys.create({ name: 'ops', ownerId: 'owner', scopes: ['view'] })
  return { ...store, key, plain, session: (await store.sessions.beginByKey(plain)) ?? '' }
}

describe('a session', () => {
  test('stands for its key in every process, and Redis has nothing to sign in with', async () => {
    const { sessions, key, session, plain } = await signedIn()
    expect(session).toMatch(TOKEN)
    expect(await sessions.verify(session)).toEqual(key)
    expect(await (await stores.open()).sessions.verify(session)).toEqual(key)
    const { code } = await sessions.createCode(key.id)
    const raw = stores.raw()
    const names = await raw.keys(`${stores.prefix()}:*session*`)
    expect(names).toHaveLength(2)
    const stored = JSON.stringify([names, await raw.mget(names)])
    for (const secret of [session, plain, code, code.replaceAll('-', '')]) expect(stored).not.toContain(secret)
  })

  test('counts as a use of its key', async () => {
    const { sessions, key, session, ...store } = await signedIn()
    await sessions.verify(session)
    await store[Symbol.asyncDispose]()
    const [listed] = await (await stores.open()).keys.list()
    expect(listed).toMatchObject({ id: key.id, lastUsedAt: expect.any(Number) })
  })

  test('lasts for twelve hours from its last use', async () => {
    const { sessions, session } = await signedIn()
    const raw = stores.raw()
    const [name = ''] = await raw.keys(`${stores.prefix()}:*:session:*`)
    expect(await raw.pttl(name)).toBeGreaterThan(11.9 * 3_600_000)
    await raw.pexpire(name, 60_000)
    await (await stores.open()).sessions.verify(session)
    expect(await raw.pttl(name)).toBeGreaterThan(11.9 * 3_600_000)
    await raw.del(name)
    expect(await (await stores.open()).sessions.verify(session)).toBeUndefined()
    // Known here for some minutes more.
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 3_600_000 })
    expect(await sessions.verify(session)).toBeUndefined()
    vi.useRealTimers()
  })

  test.each(['revoked', 'rotated', 'expired', 'ended'] as const)('dies everywhere when it or its key is %s', async (how) => {
    const { sessions, keys, key, session } = await signedIn()
    const other = await stores.open()
    expect(await other.sessions.verify(session)).toEqual(key)
    if (how === 'revoked') await keys.revoke(key.id)
    if (how === 'rotated') await keys.rotate(key.id)
    if (how === 'ended') await sessions.end(session)
    if (how === 'expired') {
      const records = `${stores.prefix()}:{@}:api-keys`
      const record = JSON.parse((await stores.raw().hget(records, key.id)) ?? '') as object
      await stores.raw().hset(records, key.id, JSON.stringify({ ...record, expiresAt: Date.now() - 1 }))
      other.publish({ kind: 'keys-changed' })
    }
    await vi.waitUntil(async () => (await other.sessions.verify(session)) === undefined)
    await vi.waitUntil(async () => (await sessions.verify(session)) === undefined)
  })

  test('is begun by a code once, however many try at the same time', async () => {
    const { sessions, key } = await signedIn()
    const { code, expiresAt } = await sessions.createCode(key.id)
    expect(code).toMatch(/^[0-9A-HJKMNP-TV-Z]{4}(?:-[0-9A-HJKMNP-TV-Z]{4}){2}$/u)
    expect(expiresAt - Date.now()).toBeGreaterThan(590_000)
    const begun = await Promise.all(Array.from({ length: 8 }, () => sessions.beginByCode(code.toLowerCase())))
    const [session, ...more] = begun.filter((one) => one !== undefined)
    expect(more).toEqual([])
    expect(await sessions.verify(session ?? '')).toEqual(key)
  })

  test('is begun by nothing else', async () => {
    const { sessions, keys, key, plain } = await signedIn()
    const { code } = await sessions.createCode(key.id)
    await keys.rotate(key.id)
    expect(await sessions.beginByCode(code)).toBeUndefined()
    expect(await sessions.beginByKey(plain)).toBeUndefined()
    for (const wrong of ['', 'rpa_wrong', 'rpt_task_x']) expect(await sessions.beginByKey(wrong)).toBeUndefined()
    expect(await sessions.beginByCode('0000-0000-0000')).toBeUndefined()
    expect(await sessions.verify('')).toBeUndefined()
    await expect(sessions.createCode('none')).rejects.toMatchObject({ code: 'not_found' })
  })
})
