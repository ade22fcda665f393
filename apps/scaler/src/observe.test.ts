import { DEFAULT_PLAN_POLICY } from '@runyard/core'
import { workerRecord } from '@runyard/testing/records'
import { expect, test } from 'vitest'
import { createContinuity } from './continuity.ts'
import { createEndpointReads } from './endpoint-reads.ts'
import { createMemory } from './memory.ts'
import { createStrangers } from './strangers.ts'
import { observe } from './observe.ts'
import { endpointOf, openScalerFixture } from './testing/scaler-fixture.ts'

test('failed starts are over once a younger worker got ready, also after its own end', async () => {
  await using fixture = await openScalerFixture()
  const { store } = fixture
  const memory = createMemory()
  const parts = {
    store,
    memory,
    images: { isKnown: () => false },
    models: { isKnown: () => false },
    config: { defaultImage: 'i', imageAliases: {}, runtimes: {} },
    strangers: createStrangers(),
    keyLimits: { read: async () => new Map() },
    cards: { judge: async () => [], [Symbol.dispose]: () => undefined },
    xids: { note: (hosts: readonly []) => hosts },
    hosts: { list: () => [], twinsOf: () => [], [Symbol.asyncDispose]: async () => undefined },
    policy: DEFAULT_PLAN_POLICY,
    redis: createContinuity(60_000),
  }
  const calm = { inFlight: () => new Map(), planeUpSince: () => 0, isShuttingDown: () => false }
  const failures = async () => (await observe({ ...parts, ...calm, reads: createEndpointReads() }, Date.now())).endpoints[0]?.failures
  const at = Date.now() + 1000
  const { specHash } = await store.endpoints.upsert({ id: 'ep-one' }, () => endpointOf('ep-one'))
  memory.addFailure('ep-one', { specHash, at, workerCreatedAt: at - 500, reason: 'exited', message: 'it crashed' })
  await store.workers.create(workerRecord('w1', { endpointId: 'ep-one', specHash, createdAt: at + 1000 }))
  expect(await failures()).toMatchObject({ count: 1, message: 'it crashed' })
  await store.workers.patch({ endpointId: 'ep-one', workerId: 'w1', fields: { readyAt: at + 2000 } })
  expect(await failures()).toBeUndefined()
  await store.workers.remove('ep-one', 'w1', undefined)
  expect(await failures()).toBeUndefined()
})
