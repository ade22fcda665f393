// `it` with a gateway and a directory of its own for each test, and workers that end with it. `gateway` and `scratch` are those of the running test.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'vitest'
import { startFakeGateway, type FakeGateway } from './fake-gateway.ts'
import { startWorker, type TestWorker } from './worker.ts'

type Options = Parameters<typeof startWorker>[1]

export let gateway: FakeGateway
export let scratch: string
let scope = new AsyncDisposableStack()

/** A worker that ends with the test. */
export const start = (options?: Options): TestWorker => scope.use(startWorker(gateway.url, options))

/** Instead of one that has ended, on its port. */
export async function startGateway(port: number): Promise<void> {
  gateway = scope.use(await startFakeGateway(port))
}

export const it = test
  // oxlint-disable-next-line no-empty-pattern -- vitest reads a fixture's needs from its first parameter
  .extend('gateway', { auto: true }, async ({}, { onCleanup }) => {
    scope = new AsyncDisposableStack()
    onCleanup(() => scope.disposeAsync())
    scratch = scope.adopt(mkdtempSync(join(tmpdir(), 'scratch-')), (directory) => rmSync(directory, { recursive: true, force: true }))
    gateway = scope.use(await startFakeGateway())
    return gateway
  })
  .extend('start', () => start)
