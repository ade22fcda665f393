import { createLogger } from '@runyard/kit'
import { expect } from 'vitest'
import { noteRelease, rollBack } from './act-on-releases.ts'
import { endpointOf, fixture, test } from './testing/scaler-test.ts'

const log = createLogger({ name: 'test', level: 'silent' })

const save = (image: string, specHash: string, version: number) =>
  fixture.store.endpoints.upsert({ id: 'ep-one' }, (current) => ({
    ...(current ?? endpointOf('ep-one')),
    spec: { ...(current ?? endpointOf('ep-one')).spec, image },
    specHash,
    version,
    updatedAt: Date.now(),
  }))
const deps = () => ({ store: fixture.store, log })
const failed = { kind: 'roll-back', endpointId: 'ep-one', specHash: 'bad', message: 'it exited with 1' } as const

test('a release that failed gives way to the last good one, with an event, once', async () => {
  await save('good:1', 'good', 1)
  await noteRelease(deps(), { kind: 'note-release', endpointId: 'ep-one', specHash: 'good', buildId: 'b1' })
  await save('bad:2', 'bad', 2)
  await rollBack(deps(), failed)
  await rollBack(deps(), failed)
  const after = await fixture.store.endpoints.get('ep-one')
  expect(after).toMatchObject({ specHash: 'good', buildId: 'b1', version: 3, spec: { image: 'good:1' }, savedBy: 'roll-back' })
  const events = await fixture.store.events.list('ep-one', 10)
  expect(events).toMatchObject([{ kind: 'endpoint_rolled_back', message: expect.stringContaining('it exited with 1') }])
})

test('a release that was saved meanwhile is not rolled back, and without a good one nothing is', async () => {
  await save('bad:2', 'bad', 1)
  await rollBack(deps(), failed)
  expect(await fixture.store.endpoints.get('ep-one')).toMatchObject({ specHash: 'bad' })
  await save('newer:3', 'newer', 2)
  await rollBack(deps(), failed)
  expect(await fixture.store.endpoints.get('ep-one')).toMatchObject({ specHash: 'newer' })
  expect(await fixture.store.events.list('ep-one', 10)).toEqual([])
})
