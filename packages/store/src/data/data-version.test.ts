import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { DATA_VERSION, ensureDataVersion } from './data-version.ts'
import { createKeys } from '../keys.ts'
import type { Migration } from './migrations.ts'
import { useStores } from '../testing/test-store.ts'

const stores = useStores()

const keys = () => createKeys(stores.prefix())

/** Migrations that write down when they ran. */
function recording(count: number, run: (number: number) => Promise<void> = async () => undefined) {
  const ran: number[] = []
  const migrations = Array.from({ length: count }, (_, index): Migration => ({
    what: `${index + 1}`,
    async run() {
      ran.push(index + 1)
      await run(index + 1)
    },
  }))
  return { ran, migrations }
}

describe('the version of the data', () => {
  it('is written when a store is opened', async () => {
    await stores.open()
    expect(await stores.raw().get(keys().dataVersion)).toBe(String(DATA_VERSION))
  })

  it('that is newer than this code refuses the store in one sentence', async () => {
    await stores.raw().set(keys().dataVersion, DATA_VERSION + 1)
    await expect(stores.open()).rejects.toMatchObject({
      code: 'conflict',
      message: `The data in Redis has version ${DATA_VERSION + 1}, and this Runyard knows versions up to ${DATA_VERSION}: start the newer Runyard that wrote it, or use another data directory.`,
    })
  })

  it.for(['abc', '1.5', '', '-1', '1e3'])('that is no whole number, as "%s", is refused', async (text) => {
    await stores.raw().set(keys().dataVersion, text)
    await expect(stores.open()).rejects.toMatchObject({ code: 'conflict', message: expect.stringContaining('no whole number') })
    expect(await stores.raw().get(keys().dataVersion)).toBe(text)
  })

  it('is looked at again when an installation is claimed, as in a Redis that was emptied or restored', async () => {
    const store = await stores.open()
    await stores.raw().del(keys().dataVersion)
    await store.claimInstance(undefined)
    expect(await stores.raw().get(keys().dataVersion)).toBe(String(DATA_VERSION))
    await stores.raw().set(keys().dataVersion, DATA_VERSION + 1)
    await expect(store.claimInstance(undefined)).rejects.toMatchObject({ code: 'conflict' })
  })
})

describe('migrations', () => {
  it('run once and in order, whichever of several processes comes first', async () => {
    const { ran, migrations } = recording(3, () => sleep(20))
    await Promise.all(Array.from({ length: 5 }, () => ensureDataVersion({ client: stores.raw(), keys: keys(), migrations })))
    expect(ran).toEqual([1, 2, 3])
    expect(await stores.raw().exists(keys().dataLock)).toBe(0)
  })

  it('begin at the version that the data has', async () => {
    const { ran, migrations } = recording(3)
    await stores.raw().set(keys().dataVersion, 2)
    await ensureDataVersion({ client: stores.raw(), keys: keys(), migrations })
    expect(ran).toEqual([3])
  })

  it('that fail leave the version and no lock, and the next start tries again', async () => {
    const failing = recording(2, async (number) => {
      if (number === 2) throw new Error('no')
    })
    await expect(ensureDataVersion({ client: stores.raw(), keys: keys(), migrations: failing.migrations })).rejects.toThrow('no')
    expect(await stores.raw().mget(keys().dataVersion, keys().dataLock)).toEqual(['1', null])
    const { ran, migrations } = recording(2)
    await ensureDataVersion({ client: stores.raw(), keys: keys(), migrations })
    expect(ran).toEqual([2])
  })

  it('whose process was killed are begun again once its lock has run out', async () => {
    await stores.raw().set(keys().dataLock, 'of a dead process', 'PX', 300)
    const { ran, migrations } = recording(1)
    await ensureDataVersion({ client: stores.raw(), keys: keys(), migrations })
    expect(ran).toEqual([1])
  })

  it('of a process that was held up and lost its lock do not write their number', async () => {
    const { migrations } = recording(1, async () => {
      await stores.raw().set(keys().dataLock, 'of another process', 'PX', 200)
      await stores.raw().set(keys().dataVersion, 1)
    })
    await ensureDataVersion({ client: stores.raw(), keys: keys(), migrations })
    expect(await stores.raw().get(keys().dataLock)).not.toBeNull()
  })
})

describe('a record that cannot be read', () => {
  it('is named with the field, and without any of its values', async () => {
    await stores
      .raw()
      .hset(
        keys().resource('registries'),
        'r',
        JSON.stringify({ id: 'hub', name: 'hub', ownerId: 'o', createdAt: 1, updatedAt: 'x', username: 'u' }),
      )
    await expect(stores.open()).rejects.toMatchObject({
      code: 'conflict',
      message: 'The record of registry hub in Redis cannot be read (updatedAt: Invalid input: expected number, received string).',
    })
    expect(await stores.raw().exists(keys().dataVersion)).toBe(0)
  })

  it('is refused when it is read, also where the data has its version', async () => {
    const store = await stores.open()
    await stores.raw().hset(keys().endpoints.records, 'ep1', '{"id":"ep1"')
    await expect(store.endpoints.get('ep1')).rejects.toMatchObject({ code: 'conflict' })
  })
})
