// For this package's tests: a real Redis per test file, a key prefix per test, and stores that are closed when the test ends.
import { randomUUID } from 'node:crypto'
import type { Signal } from '@runyard/schema'
import { startRedis, type TestRedis } from '@runyard/testing'
import { Redis } from 'ioredis'
import { afterAll, afterEach, beforeAll } from 'vitest'
import { openStore } from '../open-store.ts'
import type { OpenStoreOptions } from '../store-options.ts'
import { withValues, type JobStore, type Store, type StreamClaim, type ValueOutcome, type ValueSubmission } from './value-store.ts'

export type { JobStore, Store, StreamClaim, ValueOutcome, ValueSubmission } from './value-store.ts'

export interface TestStores {
  readonly redis: () => TestRedis
  /** The prefix that the stores of the running test share. */
  readonly prefix: () => string
  open(options?: Partial<OpenStoreOptions>): Promise<Store>
  /** The signals that a store sends to its subscribers from now on. */
  listen(store: Store): readonly Signal[]
  /** A plain connection, to look behind the store's back or to break things. */
  raw(): Redis
}

export function useStores(): TestStores {
  let redis: TestRedis | undefined
  let scope = new AsyncDisposableStack()
  let prefix = randomUUID()
  const running = (): TestRedis => {
    if (redis === undefined) throw new Error('Redis is not started yet')
    return redis
  }
  beforeAll(async () => {
    redis = await startRedis()
  })
  afterEach(async () => {
    await scope.disposeAsync()
    scope = new AsyncDisposableStack()
    prefix = randomUUID()
  })
  afterAll(async () => {
    await redis?.stop()
  })
  return {
    redis: running,
    prefix: () => prefix,
    open: async (options = {}) =>
      withValues(
        scope.use(
          await openStore({
            redisUrl: running().url,
            prefix,
            leaseMs: 30_000,
            retention: { asyncMs: 60_000, syncMs: 30_000 },
            ...options,
          }),
        ),
      ),
    listen(store) {
      const heard: Signal[] = []
      scope.use(store.subscribe((signal) => heard.push(signal)))
      return heard
    },
    raw: () => scope.adopt(new Redis(running().url), (client) => client.disconnect()),
  }
}

export function submission(id: string, fields: Partial<ValueSubmission> = {}): ValueSubmission {
  return { id, input: { prompt: id }, sync: false, policy: {}, keyId: 'key-1', ...fields }
}

export const completed = (output: unknown): ValueOutcome => ({ status: 'COMPLETED', output })

/** The chunks of one answer of `/stream`, concluded as delivered. */
export async function drainStream(jobs: JobStore, ...what: Parameters<JobStore['claimChunks']>): Promise<StreamClaim | undefined> {
  const [endpointId, jobId] = what
  const read = await jobs.claimChunks(...what)
  if (read?.claim !== undefined) await jobs.concludeClaim(endpointId, jobId, { claim: read.claim, delivered: read.chunks.length })
  return read
}
