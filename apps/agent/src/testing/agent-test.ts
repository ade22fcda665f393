// `it` with a gateway of its own and workers that end with the test.
import { test } from 'vitest'
import { startFakeGateway, type FakeGateway } from './fake-gateway.ts'
import { startWorker, type TestWorker } from './worker.ts'

type Options = Parameters<typeof startWorker>[1]

export const it = test.extend<{ readonly gateway: FakeGateway; readonly start: (options?: Options) => TestWorker }>({
  // oxlint-disable-next-line no-empty-pattern -- vitest reads a fixture's needs from its first parameter
  gateway: async ({}, use) => {
    await using gateway = await startFakeGateway()
    await use(gateway)
  },
  start: async ({ gateway }, use) => {
    await using workers = new AsyncDisposableStack()
    await use((options) => workers.use(startWorker(gateway.url, options)))
  },
})
