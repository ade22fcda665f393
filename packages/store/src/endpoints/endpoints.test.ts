// Endpoint records: identity by name, compare-and-set, deletion.
import { RunyardError } from '@runyard/schema'
import { workerRecord } from '@runyard/testing/records'
import { describe, expect, test } from 'vitest'
import { endpoint } from '../testing/endpoint-fixture.ts'
import { saveEnvironment } from '../testing/resource-fixture.ts'
import { completed, submission, useStores } from '../testing/test-store.ts'

const stores = useStores()

const byName = (name: string) => ({ ownerId: 'owner', name, flashEnvironmentId: null })

describe('upsert', () => {
  test('creates what is not there and hands over what is', async () => {
    const { endpoints } = await stores.open()
    const created = await endpoints.upsert(byName('name of ep-1'), (current) => current ?? endpoint('ep-1'))
    expect(created).toEqual(endpoint('ep-1'))
    const updated = await endpoints.upsert(byName('name of ep-1'), (current) => ({ ...(current ?? endpoint('wrong')), version: 2 }))
    expect(updated).toEqual(endpoint('ep-1', { version: 2 }))
    expect(await endpoints.get('ep-1')).toEqual(updated)
    expect(await endpoints.list()).toEqual([updated])
    expect(await endpoints.findByTemplate('template-of-ep-1')).toEqual(updated)
    expect(await endpoints.findByTemplate('other')).toBeUndefined()
    expect(await endpoints.get('ep-2')).toBeUndefined()
  })

  test('the same name means one endpoint per owner and flash environment', async () => {
    const store = await stores.open()
    const { endpoints } = store
    await saveEnvironment(store, 'env')
    const variants = [
      endpoint('ep-1', { name: 'n' }),
      endpoint('ep-2', { name: 'n', ownerId: 'other' }),
      endpoint('ep-3', { name: 'n', flashEnvironmentId: 'env' }),
    ]
    for (const one of variants) await endpoints.upsert(one, (current) => current ?? one)
    expect((await endpoints.list()).map(({ id }) => id).toSorted()).toEqual(['ep-1', 'ep-2', 'ep-3'])
  })

  test('clients that create the same name at once get the same endpoint', async () => {
    const [one, two] = [await stores.open(), await stores.open()]
    const results = await Promise.all(
      Array.from({ length: 10 }, (_, n) =>
        (n % 2 === 0 ? one : two).endpoints.upsert(byName('n'), (current) => current ?? endpoint(`ep-${n}`, { name: 'n' })),
      ),
    )
    expect(new Set(results.map(({ id }) => id)).size).toBe(1)
    expect(await one.endpoints.list()).toHaveLength(1)
  })

  test('no change made at the same time is lost', async () => {
    const [one, two] = [await stores.open(), await stores.open()]
    await one.endpoints.upsert({ id: 'ep-1' }, () => endpoint('ep-1', { version: 1 }))
    await Promise.all(
      Array.from({ length: 20 }, (_, n) =>
        (n % 2 === 0 ? one : two).endpoints.upsert({ id: 'ep-1' }, (current) => endpoint('ep-1', { version: (current?.version ?? 1) + 1 })),
      ),
    )
    expect((await one.endpoints.get('ep-1'))?.version).toBe(21)
  })

  test('a rename frees the old name and cannot take one that is in use', async () => {
    const { endpoints } = await stores.open()
    for (const id of ['ep-1', 'ep-2']) await endpoints.upsert({ id }, () => endpoint(id))
    await expect(endpoints.upsert({ id: 'ep-1' }, () => endpoint('ep-1', { name: 'name of ep-2' }))).rejects.toMatchObject({
      code: 'conflict',
    })
    await endpoints.upsert({ id: 'ep-1' }, () => endpoint('ep-1', { name: 'new' }))
    const fresh = await endpoints.upsert(byName('name of ep-1'), (current) => current ?? endpoint('ep-3', { name: 'name of ep-1' }))
    expect(fresh.id).toBe('ep-3')
  })

  test('what the change throws reaches the caller, and nothing is stored', async () => {
    const { endpoints } = await stores.open()
    const refuse = () => {
      throw new RunyardError('unprocessable', 'no')
    }
    await expect(endpoints.upsert({ id: 'ep-1' }, refuse)).rejects.toMatchObject({ code: 'unprocessable' })
    expect(await endpoints.list()).toEqual([])
  })
})

describe('deletion', () => {
  test('cancels the endpoint’s jobs, notifies all processes, and is remembered until it is forgotten', async () => {
    const store = await stores.open()
    const { endpoints, jobs } = store
    await endpoints.upsert({ id: 'ep-1' }, () => endpoint('ep-1'))
    for (const id of ['running', 'waiting']) await jobs.submit('ep-1', submission(id))
    await jobs.submit('ep-1', submission('low', { policy: { lowPriority: true } }))
    await jobs.take('ep-1', 'w1')
    const heard = stores.listen(store)
    expect(await endpoints.delete('ep-1')).toBe(true)
    for (const jobId of ['running', 'waiting', 'low']) {
      expect(await jobs.get('ep-1', jobId)).toMatchObject({ status: 'CANCELLED', error: 'the endpoint was deleted' })
      expect(heard).toContainEqual({ kind: 'job-settled', endpointId: 'ep-1', jobId })
    }
    expect(heard).toContainEqual({ kind: 'job-stop', endpointId: 'ep-1', jobId: 'running', workerId: 'w1' })
    expect(heard).toContainEqual({ kind: 'endpoint-changed', endpointId: 'ep-1' })
    expect(await endpoints.get('ep-1')).toBeUndefined()
    expect(await endpoints.findByTemplate('template-of-ep-1')).toBeUndefined()
    expect(await endpoints.listDeleted()).toEqual(['ep-1'])
    expect(await endpoints.delete('ep-1')).toBe(false)
  })

  test('forgetting removes every key but the results, which expire by themselves, and the mark that it was forgotten', async () => {
    const { endpoints, jobs, workers, events, status } = await stores.open({ retention: { asyncMs: 30, syncMs: 30 } })
    const raw = stores.raw()
    await endpoints.upsert({ id: 'ep-1' }, () => endpoint('ep-1'))
    await workers.create(workerRecord('w1'))
    await events.append({ at: 1, endpointId: 'ep-1', kind: 'job_queued' })
    await status.put('ep-1', { at: 1, throttled: 0, reason: undefined, message: undefined, unhealthy: 0 })
    for (const id of ['a', 'b', 'c']) await jobs.submit('ep-1', submission(id))
    await jobs.take('ep-1', 'w1')
    await jobs.settle({ endpointId: 'ep-1', jobId: 'a', workerId: 'w1', outcome: completed(1) })
    await endpoints.delete('ep-1')
    await jobs.submit('ep-1', submission('too late'))
    await endpoints.forget('ep-1')
    expect((await jobs.get('ep-1', 'too late'))?.status ?? 'CANCELLED').toBe('CANCELLED')
    expect(await endpoints.listDeleted()).toEqual([])
    const mark = `${stores.prefix()}:{ep-1}:r:forgotten`
    await expect.poll(() => raw.keys(`${stores.prefix()}:{ep-1}*`)).toEqual([mark])
    expect(await raw.ttl(mark)).toBeGreaterThan(3500)
  })

  test('a deletion in the middle of changes by others goes through', async () => {
    const [one, two] = [await stores.open(), await stores.open()]
    await one.endpoints.upsert({ id: 'ep-1' }, () => endpoint('ep-1'))
    const change = (version: number) =>
      one.endpoints.upsert(byName('name of ep-1'), (current) => ({ ...(current ?? endpoint('ep-2', { name: 'name of ep-1' })), version }))
    const [isDeleted] = await Promise.all([two.endpoints.delete('ep-1'), ...Array.from({ length: 10 }, (_, n) => change(n + 1))])
    expect(isDeleted).toBe(true)
    expect(await one.endpoints.get('ep-1')).toBeUndefined()
    expect(await one.endpoints.listDeleted()).toEqual(['ep-1'])
  })

  test('a deleted name is free again', async () => {
    const { endpoints } = await stores.open()
    await endpoints.upsert({ id: 'ep-1' }, () => endpoint('ep-1', { name: 'n' }))
    await endpoints.delete('ep-1')
    expect((await endpoints.upsert(byName('n'), (current) => current ?? endpoint('ep-2', { name: 'n' }))).id).toBe('ep-2')
  })
})
