// The poll of a worker that will leave gets a response at once, so that its replacement need not wait for a long poll (worker-api §11.3). The
// worker SDK 1.7.7 polls again while its job's result is under way, and ends only when that poll gets a response.
import type { Store } from '@runyard/store'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { holdPoll } from '../harness/held-poll.ts'
import { startOwnStack, startSdkWorker } from '../harness/sdk-worker.ts'
import { suiteThatNeeds } from '../harness/suite.ts'
import type { Stack } from '../harness/stack.ts'
import { waitFor } from '../harness/wait.ts'

const PATIENCE = { timeoutMs: 120_000, intervalMs: 50 }
vi.setConfig({ testTimeout: 300_000 })

await suiteThatNeeds(['redis', 'venv:runpod-1.7.7'], 'a worker of SDK 1.7.7 that is to be replaced', () => {
  let stack: Stack
  let store: Store
  const scope = new AsyncDisposableStack()

  beforeAll(async () => {
    ;({ stack, store } = scope.use(await startOwnStack()))
  })
  afterAll(() => scope.disposeAsync())

  test.each(['refresh', 'drain'])('ends without waiting for its poll to time out: %s', async (how) => {
    const endpointId = await stack.api.saveEndpoint({ name: `replaced-${how}`, workersMax: 1, idleTimeout: 600 })
    await using worker = await startSdkWorker({ stack, store, endpointId, venv: 'runpod-1.7.7', kind: 'sync' })
    await stack.api.settled(endpointId, await stack.api.run(endpointId, {}))
    // Started before the worker's own next polls, so it ends before them.
    using poll = await holdPoll({ stack, store }, `replaced-${how}-witness`)
    const id = await stack.api.run(endpointId, how === 'refresh' ? { refresh: true } : { hello: 1 })
    await waitFor('it to end', async () => (await stack.api.status(endpointId, id)).status === 'COMPLETED', PATIENCE)
    // The next step of the scaler.
    await worker.patch({ drainingSince: Date.now(), retireReason: how === 'refresh' ? 'refresh_requested' : 'idle_timeout' })
    await new Promise((resolve) => setTimeout(resolve, 100))
    worker.child.signal('SIGTERM')
    expect(await worker.child.exited).toBe(0)
    expect(poll.isHeld()).toBe(true)
  })
})
