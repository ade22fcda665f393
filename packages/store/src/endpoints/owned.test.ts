// Reads for one owner return only that owner's records, whatever names others use; and unchanged records are not read again.
import { RunyardError, type StoredRegistry, type Template } from '@runyard/schema'
import { describe, expect, test } from 'vitest'
import { endpoint, template } from '../testing/endpoint-fixture.ts'
import { SAVE, saveRegistry, saveTemplate } from '../testing/resource-fixture.ts'
import { useStores } from '../testing/test-store.ts'
import type { Store } from '../testing/value-store.ts'

const stores = useStores()

/** Each would be taken for another by a search that looks at text only. */
const OWNERS = ['a', 'a"', 'a","x', '"a', 'aa', 'a\\', '%', '[', '', 'ä\u2028', '*'] as const

async function fill(store: Store): Promise<void> {
  for (const [index, ownerId] of OWNERS.entries()) {
    const others = OWNERS.map((other) => `"ownerId":${JSON.stringify(other)}`).join()
    const env = { ownerId: 'a', OTHERS: others }
    const one = endpoint(`ep-${index}`, { ownerId, name: 'n' })
    await store.endpoints.upsert({ id: one.id }, () => ({ ...one, spec: { ...one.spec, env } }))
    const saved: Template = { ...template(`t-${index}`), ownerId, container: { ...template('t').container, env } }
    await saveTemplate(store, saved)
    const registry: StoredRegistry = { id: `r-${index}`, name: 'n', ownerId, createdAt: 1, updatedAt: 1, username: 'u', password: others }
    await saveRegistry(store, registry)
  }
}

const ownersOf = (records: readonly { readonly ownerId: string }[]) => records.map(({ ownerId }) => ownerId)

describe('the records of one owner', () => {
  test('are found without those of others, in lists and in snapshots', async () => {
    const store = await stores.open()
    await fill(store)
    for (const ownerId of OWNERS) {
      const { endpoints, resources } = store
      const lists = await Promise.all([endpoints.list(ownerId), resources.templates.list(ownerId), resources.registries.list(ownerId)])
      expect(lists.map(ownersOf)).toEqual([[ownerId], [ownerId], [ownerId]])
      // A name of another owner's is free.
      const edit = () => template(`new-${ownerId}`)
      const made = resources.templates.save({ ...SAVE, ownerId, id: undefined, edit: () => ({ ...edit(), ownerId, name: 'new' }) })
      await expect(made).resolves.toMatchObject({ ownerId })
    }
    expect(await store.endpoints.list('no-such')).toEqual([])
    expect((await store.endpoints.list()).length + (await store.resources.templates.list()).length).toBe(3 * OWNERS.length)
  })

  test('are as they were when an endpoint is written that was decided on beside them, however many write at once', async () => {
    const [one, two] = [await stores.open(), await stores.open()]
    const unlessThree = (n: number) => (_current: unknown, _template: unknown, beside: readonly unknown[]) => {
      if (beside.length >= 3) throw new RunyardError('bad_request', 'three are enough')
      return endpoint(`ep-${n}`)
    }
    const makes = Array.from({ length: 12 }, (_, n) =>
      (n % 2 === 0 ? one : two).endpoints.upsert({ id: `ep-${n}` }, unlessThree(n), { beside: 'owner' }),
    )
    await Promise.allSettled(makes)
    expect(await one.endpoints.list('owner')).toHaveLength(3)
  })
})

test('an owner has no more endpoints than may be, also when many are made at once; others do not count', async () => {
  const [one, two] = [await stores.open(), await stores.open()]
  for (const id of ['x', 'y', 'z']) await one.endpoints.upsert({ id }, () => endpoint(id, { ownerId: `owner"${id}` }))
  const make = (n: number) =>
    (n % 2 === 0 ? one : two).endpoints.upsert({ ownerId: 'owner', name: `n${n}`, flashEnvironmentId: null }, () => endpoint(`ep-${n}`), {
      mostPerOwner: 3,
    })
  const results = await Promise.allSettled(Array.from({ length: 8 }, (_, n) => make(n)))
  expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(3)
  expect(results.find(({ status }) => status === 'rejected')).toMatchObject({ reason: { code: 'unprocessable' } })
  const [first] = await one.endpoints.list('owner')
  await one.endpoints.upsert({ id: first?.id ?? '' }, () => ({ ...(first ?? endpoint('none')), version: 2 }), { mostPerOwner: 3 })
})

describe('the list of all endpoints', () => {
  test('is not read again while nothing has changed, and is when another process changed something', async () => {
    const [one, two] = [await stores.open(), await stores.open()]
    await one.endpoints.upsert({ id: 'ep-1' }, () => endpoint('ep-1'))
    const before = await one.endpoints.list()
    expect(await one.endpoints.list()).toBe(before)
    expect((await one.endpoints.list(before[0]?.ownerId))[0]).toBe(before[0])
    expect(await one.endpoints.list('stranger')).toEqual([])
    await two.endpoints.upsert({ id: 'ep-1' }, () => endpoint('ep-1', { version: 2 }))
    expect(await one.endpoints.list()).toMatchObject([{ version: 2 }])
    await two.endpoints.delete('ep-1')
    expect(await one.endpoints.list()).toEqual([])
  })

  test('is read again once Redis was away: it may be another one with the same count of changes', async () => {
    const store = await stores.open()
    const raw = stores.raw()
    await store.endpoints.upsert({ id: 'ep-1' }, () => endpoint('ep-1'))
    expect(await store.endpoints.list()).toHaveLength(1)
    await raw.del(`${stores.prefix()}:{@}:endpoints`)
    expect(await store.endpoints.list()).toHaveLength(1)
    await raw.call('CLIENT', 'KILL', 'TYPE', 'pubsub')
    await expect.poll(() => store.endpoints.list(), { timeout: 30_000 }).toEqual([])
  })
})
