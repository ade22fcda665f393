// Template records: written together with the endpoints that follow them, or not at all.
import type { Template } from '@runyard/schema'
import { expect, test } from 'vitest'
import { endpoint, template } from '../testing/endpoint-fixture.ts'
import { useStores } from '../testing/test-store.ts'

const stores = useStores()

const saved = (one: Template) => () => ({ kind: 'saved', template: one, endpoints: [] }) as const

test('is saved, read, listed and removed', async () => {
  const { templates } = await stores.open()
  expect(await templates.change(saved(template('t1')))).toEqual(template('t1'))
  await templates.change(saved(template('t2')))
  expect(await templates.get('t1')).toEqual(template('t1'))
  expect((await templates.list()).map(({ id }) => id).toSorted()).toEqual(['t1', 't2'])
  await templates.change(() => ({ kind: 'removed', template: template('t1'), endpoints: [] }))
  expect(await templates.get('t1')).toBeUndefined()
})

test('takes its endpoints along and tells everybody', async () => {
  const store = await stores.open()
  await store.templates.change(saved(template('t1')))
  await store.endpoints.upsert({ id: 'ep-1' }, () => endpoint('ep-1', { sharedTemplateId: 't1' }))
  const heard = stores.listen(store)
  await store.templates.change(({ endpoints }) => ({
    kind: 'saved',
    template: template('t1', 'new'),
    endpoints: endpoints.map((one) => ({ ...one, version: one.version + 1 })),
  }))
  expect(await store.endpoints.get('ep-1')).toMatchObject({ version: 2 })
  expect(heard).toContainEqual({ kind: 'endpoint-changed', endpointId: 'ep-1' })
})

test('decides again when an endpoint was made, changed or deleted meanwhile', async () => {
  const [one, two] = [await stores.open(), await stores.open()]
  await one.templates.change(saved(template('t1')))
  const meanwhile = [
    () => two.endpoints.upsert({ id: 'ep-1' }, () => endpoint('ep-1')),
    () => two.endpoints.upsert({ id: 'ep-1' }, () => endpoint('ep-1', { version: 5 })),
    () => two.endpoints.delete('ep-1'),
  ]
  for (const write of meanwhile) {
    const seen: number[] = []
    const pending: Promise<unknown>[] = []
    await one.templates.change(({ endpoints }) => {
      seen.push(endpoints.length)
      if (seen.length === 1) pending.push(write())
      return { kind: 'saved', template: template('t1'), endpoints: seen.length === 1 ? [endpoint('ep-1', { version: 99 })] : [] }
    })
    await Promise.all(pending)
    expect((await one.endpoints.get('ep-1'))?.version).not.toBe(99)
  }
})

test('an endpoint never stays behind its template, whichever of them is written first', async () => {
  const [one, two] = [await stores.open(), await stores.open()]
  await one.templates.change(saved(template('t1', 'image 0')))
  const withImage = (id: string, image = 'none') => endpoint(id, { sharedTemplateId: 't1', spec: { ...endpoint(id).spec, image } })
  const make = (id: string) => one.endpoints.upsert({ id }, (_, found) => withImage(id, found?.container.image), { templateId: 't1' })
  const change = (image: string) =>
    two.templates.change(({ endpoints }) => ({
      kind: 'saved',
      template: template('t1', image),
      endpoints: endpoints.map(({ id }) => withImage(id, image)),
    }))
  const numbers = Array.from({ length: 20 }, (_, n) => n)
  await Promise.all(numbers.flatMap((n) => [make(`ep-${n}`), change(`image ${n}`)]))
  const image = (await one.templates.get('t1'))?.container.image
  expect((await one.endpoints.list()).map(({ spec }) => spec.image)).toEqual(numbers.map(() => image))
})
