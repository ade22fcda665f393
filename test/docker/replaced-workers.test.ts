// A worker of an old SDK that will be replaced makes room at once: the next job does not wait until its held poll ends (worker-api §11.3).
// There is one GPU and at most one worker, so the successor starts only when the old worker is gone.
import type { Store } from '@runyard/store'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { ensureHandlerImage } from '../harness/handler-image.ts'
import { holdPoll } from '../harness/held-poll.ts'
import { suiteThatNeeds } from '../harness/suite.ts'
import { startStack, type Stack } from '../harness/stack.ts'
import { openTestStore } from '../harness/store.ts'
import { waitFor } from '../harness/wait.ts'

const PATIENCE = { timeoutMs: 120_000, intervalMs: 50 }
vi.setConfig({ testTimeout: 300_000 })

await suiteThatNeeds(['redis', 'docker', 'worker-image'], 'a worker of SDK 1.7.7 that is to be replaced', () => {
  let stack: Stack
  let store: Store
  let image: string

  beforeAll(async () => {
    image = await ensureHandlerImage('1.7.7')
    stack = await startStack({ host: 'docker' })
    store = await openTestStore(stack.redis.url)
  }, 600_000)
  afterAll(async () => {
    await store?.[Symbol.asyncDispose]()
    await stack?.stop()
  })

  const newEndpoint = (name: string): Promise<string> => stack.api.saveEndpoint({ name, image, workersMax: 1, idleTimeout: 600 })

  test.each([
    ['its job asked for a fresh worker', { refresh: true }],
    ['its job was cancelled', { sleep: 600 }],
  ])('makes room for its successor before a poll runs out, and that one takes the next job: %s', async (_why, input) => {
    const name = `replaced-${Object.keys(input)[0]}`
    const endpointId = await newEndpoint(name)
    const warm = await stack.api.settled(endpointId, await stack.api.run(endpointId, {}))
    // Started before the worker's own next polls, so it ends before them.
    using poll = await holdPoll({ stack, store }, `${name}-witness`)
    const first = await stack.api.run(endpointId, input)
    if ('sleep' in input) {
      await waitFor('it to run', async () => (await stack.api.status(endpointId, first)).status === 'IN_PROGRESS', PATIENCE)
      await stack.api.post(`/v2/${endpointId}/cancel/${first}`, {})
    } else await stack.api.settled(endpointId, first)
    const next = await stack.api.run(endpointId, { hello: 1 })
    const successor = async (): Promise<string | undefined> =>
      (await store.workers.list(endpointId)).find(({ id }) => id !== warm['workerId'])?.id
    const workerId = await waitFor('a successor to be placed', successor, PATIENCE)
    expect(poll.isHeld()).toBe(true)
    expect(await stack.api.settled(endpointId, next)).toMatchObject({ status: 'COMPLETED', workerId })
  })
})
