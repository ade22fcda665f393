// For tests: the management surfaces in a Fastify app over a store of its own on a real Redis. A logged bug fails the test.
import { Config } from '@runyard/schema'
import type { Store } from '@runyard/store'
import { openStore } from '@runyard/store'
import Fastify from 'fastify'
import type { FastifyInstance } from 'fastify'
import { randomUUID } from 'node:crypto'
import { registerManagement } from './index.ts'

export interface TestApp extends AsyncDisposable {
  readonly app: FastifyInstance
  readonly store: Store
  /** A new key of that owner. */
  keyOf(ownerId: string): Promise<string>
}

export async function openTestApp(redisUrl: string, register: typeof registerManagement = registerManagement): Promise<TestApp> {
  const store = await openStore({ redisUrl, leaseMs: 40_000, retention: { asyncMs: 60_000, syncMs: 60_000 }, prefix: randomUUID() })
  const app = Fastify()
  const bugs: unknown[] = []
  await register(app, { store, config: Config.parse({}), log: { error: (fields) => void bugs.push(fields.err) } })
  return {
    app,
    store,
    keyOf: async (ownerId) => (await store.keys.create({ name: 'test', ownerId })).plain,
    async [Symbol.asyncDispose]() {
      if (bugs.length > 0) throw new AggregateError(bugs, 'bugs were logged')
      await app.close()
      await store[Symbol.asyncDispose]()
    },
  }
}
