import { newLogin } from '@runyard/core'
import { expect, test } from 'vitest'
import { useStores } from '../testing/test-store.ts'

const stores = useStores()
const login = (id: string, now: number) => newLogin(id, { address: '127.0.0.1', client: 'test' }, now)

test('no more login requests are open than may be, and those that have expired make room', async () => {
  const { logins } = await stores.open()
  const now = Date.now()
  const create = (id: string, at: number) => logins.create(login(id, at), { most: 2, now: at })
  expect([await create('a', now), await create('b', now), await create('c', now)]).toEqual([true, true, false])
  expect(await create('d', now + 3_600_000)).toBe(true)
  expect(await logins.get('a')).toBeUndefined()
  expect(await logins.get('d')).toMatchObject({ id: 'd', state: 'PENDING' })
})

test('one of many callers moves a request, and Redis forgets it by itself', async () => {
  const [one, two] = [await stores.open(), await stores.open()]
  const before = login('a', Date.now())
  await one.logins.create(before, { most: 2, now: Date.now() })
  const moves = await Promise.all(
    [one, two, one, two].map(({ logins }) => logins.move(before, { ...before, state: 'APPROVED', ownerId: 'o' })),
  )
  expect(moves.filter(Boolean)).toHaveLength(1)
  expect(await two.logins.get('a')).toMatchObject({ state: 'APPROVED', ownerId: 'o' })
  for (const key of ['logins', 'login-expiries']) expect(await stores.raw().pttl(`${stores.prefix()}:{@}:${key}`)).toBeGreaterThan(0)
})
