// Registry credentials: who finds them, who learns their secrets, and what nobody can do in the same moment.
import type { Registry } from '@runyard/schema'
import { expect, test } from 'vitest'
import { endpoint } from '../testing/endpoint-fixture.ts'
import { useStores } from '../testing/test-store.ts'
import type { Store } from '../testing/value-store.ts'

const stores = useStores()
const SECRETS = { username: 'me', password: 'sesame' }

function registry(id: string, ownerId = 'owner'): Registry {
  return { id, name: `name of ${id}`, ownerId, createdAt: 1, updatedAt: 1 }
}

const save = (store: Store, one: Registry) =>
  store.registries.change(() => ({ kind: 'saved', registry: one, credentials: SECRETS, users: [] }))
const using = (id: string, registryId: string | null) => endpoint(id, { spec: { ...endpoint(id).spec, registryId } })

test('are listed, read and decided on without their secrets, which only a pull gets', async () => {
  const store = await stores.open()
  expect(await save(store, registry('r1'))).toEqual(registry('r1'))
  expect(await store.registries.list()).toEqual([registry('r1')])
  expect(await store.registries.get('owner', 'r1')).toEqual(registry('r1'))
  await store.registries.change(({ registries }) => {
    expect(registries).toEqual([registry('r1')])
    return { kind: 'saved', registry: registry('r1'), credentials: { ...SECRETS, password: 'new' }, users: [] }
  })
  expect(await store.registries.credentials('owner', 'r1')).toEqual({ name: 'name of r1', username: 'me', password: 'new' })
})

test('are nobody else’s, to read or to name', async () => {
  const store = await stores.open()
  await save(store, registry('r1', 'other'))
  expect(await store.registries.get('owner', 'r1')).toBeUndefined()
  expect(await store.registries.credentials('owner', 'r1')).toBeUndefined()
  await save(store, registry('r1', 'owner/x'))
  expect(await store.registries.get('owner', 'x/r1')).toBeUndefined()
  await expect(store.endpoints.upsert({ id: 'ep-1' }, () => using('ep-1', 'r1'))).rejects.toMatchObject({ code: 'unprocessable' })
  expect(await store.endpoints.list()).toEqual([])
})

test('new ones are told to the endpoints that use them', async () => {
  const store = await stores.open()
  await save(store, registry('r1'))
  await store.endpoints.upsert({ id: 'ep-1' }, () => using('ep-1', 'r1'))
  const heard = stores.listen(store)
  await store.registries.change(({ endpoints }) => ({ kind: 'saved', registry: registry('r1'), credentials: SECRETS, users: endpoints }))
  expect(heard).toContainEqual({ kind: 'endpoint-changed', endpointId: 'ep-1' })
})

test('an endpoint never names credentials that were removed in the same moment', async () => {
  const [one, two] = [await stores.open(), await stores.open()]
  const outcomes = new Set<string>()
  for (let round = 0; round < 20; round += 1) {
    const id = `r${round}`
    await save(one, registry(id))
    const remove = two.registries.change(({ endpoints }) => {
      if (endpoints.some(({ spec }) => spec.registryId === id)) throw new Error('in use')
      return { kind: 'removed', registry: registry(id), templates: [] }
    })
    const make = one.endpoints.upsert({ id: `ep-${round}` }, () => using(`ep-${round}`, id))
    const [removed, made] = await Promise.allSettled([remove, make])
    outcomes.add(`${removed.status} ${made.status}`)
    expect((await one.registries.get('owner', id)) === undefined).toBe(removed.status === 'fulfilled')
  }
  expect([...outcomes].filter((outcome) => outcome === 'fulfilled fulfilled' || outcome === 'rejected rejected')).toEqual([])
})

test('an endpoint whose credentials are unknown, as old ones may be, can still be changed', async () => {
  const store = await stores.open()
  await save(store, registry('r1'))
  await store.endpoints.upsert({ id: 'ep-1' }, () => using('ep-1', 'r1'))
  await store.registries.change(() => ({ kind: 'removed', registry: registry('r1'), templates: [] }))
  await store.endpoints.upsert({ id: 'ep-1' }, (current) => ({ ...using('ep-1', 'r1'), version: (current?.version ?? 0) + 1 }))
  expect(await store.endpoints.get('ep-1')).toMatchObject({ version: 2 })
})
