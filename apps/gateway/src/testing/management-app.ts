// For tests: the management surfaces in a Fastify app over a store of its own on a real Redis. A logged bug fails the test.
import { createLogger } from '@runyard/kit'
import { Config } from '@runyard/schema'
import { openStore, type Store } from '@runyard/store'
import Fastify from 'fastify'
import type { FastifyInstance } from 'fastify'
import { randomUUID } from 'node:crypto'
import { requireGuards } from '../http/access.ts'
import { registerManagement } from '../management/index.ts'
import { openNotices } from '../webhooks/notices.ts'
import { MODEL_TOOLS } from '../management/model-tools.ts'

/** The least that REST v2 makes a queue endpoint of. */
export const QUEUE_BODY = {
  name: 'one',
  type: 'QUEUE',
  image: 'me/worker:1',
  gpu: { pools: ['ADA_24'] },
  scaling: { type: 'QUEUE_DELAY', queueDelay: 4 },
} as const

export interface TestApp extends AsyncDisposable {
  readonly app: FastifyInstance
  readonly store: Store
  /** A new key of that owner. */
  keyOf(ownerId: string): Promise<string>
  /** A user with a key of that owner. */
  userOf(ownerId: string): Promise<TestUser>
  /** An environment of "owner", of an app of its own. */
  addEnvironment(id: string): Promise<void>
}

type RestMethod = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

export interface TestUser {
  rest(method: RestMethod, url: string, payload?: unknown): Promise<{ status: number; json: Record<string, unknown> }>
  /** `data`, or the text of the first error. */
  graphql(query: string, variables?: Record<string, unknown>): Promise<unknown>
}

function createUser(app: FastifyInstance, key: string): TestUser {
  const rest: TestUser['rest'] = async (method, url, payload) => {
    const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' }
    const body = payload === undefined ? {} : { payload: JSON.stringify(payload) }
    const response = await app.inject({ method, url, headers, ...body })
    return { status: response.statusCode, json: response.body === '' ? {} : response.json<Record<string, unknown>>() }
  }
  return {
    rest,
    async graphql(query, variables = {}) {
      const { json } = await rest('POST', '/graphql', { query, variables })
      return (json['errors'] as { message: string }[] | undefined)?.[0]?.message ?? json['data']
    },
  }
}

async function addEnvironment({ resources: { apps, environments } }: Store, id: string): Promise<void> {
  const common = { ownerId: 'owner', createdAt: 1 }
  const app = { ...common, id: `app-${id}`, name: `app-${id}` }
  const request = { ...MODEL_TOOLS, ownerId: 'owner', id: undefined, now: 1 }
  await apps.save({ ...request, edit: () => app })
  await environments.save({ ...request, edit: () => ({ ...common, id, name: 'production', appId: app.id, activeBuildId: null }) })
}

export async function openTestApp(redisUrl: string, register: typeof registerManagement = registerManagement): Promise<TestApp> {
  const store = await openStore({ redisUrl, leaseMs: 40_000, retention: { asyncMs: 60_000, syncMs: 60_000 }, prefix: randomUUID() })
  const app = Fastify()
  requireGuards(app)
  const bugs: unknown[] = []
  const config = Config.parse({})
  const quiet = createLogger({ name: 'gateway', level: 'silent' })
  await register(app, {
    store,
    config,
    notices: openNotices({ store, config, log: quiet, resolve: async () => [] }),
    log: { error: (fields) => void bugs.push(fields.err), warn: () => undefined, info: () => undefined },
  })
  const keyOf = async (ownerId: string) => (await store.keys.create({ name: 'test', ownerId })).plain
  return {
    app,
    store,
    keyOf,
    addEnvironment: (id) => addEnvironment(store, id),
    userOf: async (ownerId) => createUser(app, await keyOf(ownerId)),
    async [Symbol.asyncDispose]() {
      if (bugs.length > 0) throw new AggregateError(bugs, 'bugs were logged')
      await app.close()
      await store[Symbol.asyncDispose]()
    },
  }
}
