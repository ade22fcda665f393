// What blocks answer from memory is what the history has in Redis, whatever was added, replaced, dropped or lost meanwhile.
import { buildJobColumns, columnJobAt, type JobColumns, type PastJob } from '@runyard/core'
import { openStore, type ChunkRange, type OpenChunk, type Store } from '@runyard/store'
import { startRedis, type TestRedis } from '@runyard/testing'
import * as fc from 'fast-check'
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { createHistoryBlocks, type HistoryBlocks } from './history-blocks.ts'

const MINUTE = 60_000
const scope = new AsyncDisposableStack()
let redis: TestRedis
let store: Store
/** Never goes back, as times of chunks do not. */
let now = Date.now() - 6 * 24 * 3_600_000
let nextJob = 0

beforeAll(async () => {
  redis = await startRedis()
  scope.defer(() => redis.stop())
  const options = { redisUrl: redis.url, leaseMs: 40_000, retention: { asyncMs: 60_000, syncMs: 60_000 } }
  store = scope.use(await openStore({ ...options, history: { bytes: 3000, days: 7 } }))
})
afterAll(() => scope.disposeAsync())
beforeEach(() => redis.flush())

function job(endedAt: number): PastJob {
  nextJob += 1
  const id = nextJob % 3 === 0 ? `job-${nextJob}` : `${nextJob % 2 === 0 ? 'sync-' : ''}${crypto.randomUUID()}-u1`
  const facts = { endpointId: 'ep-1', status: 'COMPLETED', cause: 'result', retries: 0, workerId: `w${nextJob % 5}` } as const
  return { id, ...facts, submittedAt: endedAt - 20, startedAt: endedAt - 10, endedAt }
}

let calls: ChunkRange[] = []
function openBlocks(mostBytes = 1e6): HistoryBlocks<JobColumns> {
  calls = []
  const chunks: Store['history']['chunks'] = (kind, range) => {
    calls.push(range)
    return store.history.chunks(kind, range)
  }
  return createHistoryBlocks({ history: { chunks }, kind: 'jobs', build: buildJobColumns, mostBytes })
}

async function readIds(blocks: HistoryBlocks<JobColumns>, from: number, to: number): Promise<readonly string[]> {
  const ids: string[] = []
  for await (const block of blocks.read({ from, to })) {
    for (let index = 0; index < block.count; index += 1) ids.push(columnJobAt(block, index).id)
  }
  return ids
}

const storedIds = async (from: number, to: number): Promise<readonly string[]> =>
  (await store.history.jobs({ from, to, count: 10_000 })).flatMap(({ jobs }) => jobs.map(({ id }) => id))

it('reads the same from memory as from Redis, while chunks are added, replaced and dropped, and after all was lost', async () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant('add' as const), afterMs: fc.oneof(fc.nat(MINUTE / 3), fc.nat(12 * MINUTE)), ...byWriter }),
    fc.record({ kind: fc.constant('addTo' as const), afterMs: fc.nat(MINUTE / 3), ...byWriter }),
    fc.record({ kind: fc.constant('read' as const), back: fc.nat(100 * MINUTE), length: fc.constantFrom(10 * MINUTE, 100 * MINUTE) }),
  )
  const blocks = openBlocks(20_000)
  const same = fc.asyncProperty(fc.array(step, { minLength: 40, maxLength: 80 }), async (steps) => {
    const differences: string[] = []
    const open = new Map<number, { readonly since: number; readonly chunk: OpenChunk | undefined }>()
    for (const one of steps) {
      if (one.kind === 'read') {
        differences.push(...(await findDifferences(blocks, now - one.back, now - one.back + one.length)))
        continue
      }
      now += one.afterMs
      const jobs = Array.from({ length: one.jobs }, (_, index) => job(now - index))
      const before = open.get(one.writer)
      const into = one.kind === 'addTo' && before !== undefined && now - before.since < MINUTE ? before : undefined
      open.set(one.writer, { since: into?.since ?? now, chunk: await store.history.addJobs(jobs, {}, into?.chunk) })
    }
    await redis.flush()
    expect(differences).toEqual([])
  })
  await fc.assert(same, { numRuns: 20 })
})

const byWriter = { writer: fc.nat(1), jobs: fc.integer({ min: 1, max: 15 }) }

/** Ids that memory has more than once, that it lacks, and that only it has. */
async function findDifferences(blocks: HistoryBlocks<JobColumns>, from: number, to: number): Promise<readonly string[]> {
  const [found, within, all] = [await readIds(blocks, from, to), await storedIds(from, to), await storedIds(0, Number.MAX_SAFE_INTEGER)]
  const [unique, stored] = [new Set(found), new Set(all)]
  const twice = found.filter((id) => !unique.delete(id))
  const own = new Set(found)
  return [...twice, ...within.filter((id) => !own.has(id)), ...found.filter((id) => !stored.has(id))]
}

it('does not keep a chunk that its writer may still replace', async () => {
  const blocks = openBlocks()
  // The first one ends just before a block does, the other after it.
  now += 20 * MINUTE - (now % (10 * MINUTE))
  await store.history.addJobs([job(now - 15 * MINUTE)], {})
  const into = await store.history.addJobs([job(now - 1)], {})
  await store.history.addJobs([job(now + 1)], {})
  expect(await findDifferences(blocks, now - MINUTE, now + MINUTE)).toEqual([])
  await store.history.addJobs([job(now + 2)], {}, into)
  expect(await findDifferences(blocks, now - MINUTE, now + MINUTE)).toEqual([])
})

/** A chunk in each of the last hours' ten minutes. */
async function fill(minutes: number): Promise<void> {
  now += minutes * MINUTE
  for (let at = now - minutes * MINUTE; at <= now; at += 10 * MINUTE) await store.history.addJobs([job(at)], {})
}

it('asks Redis again only for the last minutes', async () => {
  await fill(100)
  const blocks = openBlocks()
  const first = await readIds(blocks, now - 80 * MINUTE, now)
  calls = []
  expect(await readIds(blocks, now - 80 * MINUTE, now)).toEqual(first)
  expect(calls.map(({ from, count }) => [from > now - 20 * MINUTE, count])).toEqual([
    [false, 1],
    [false, 1],
    [true, 32],
  ])
})

it('keeps no more than its bytes, the latest of a range that is larger', async () => {
  await fill(100)
  const blocks = openBlocks(7000)
  const first = await readIds(blocks, now - 80 * MINUTE, now)
  expect(first.length).toBeGreaterThanOrEqual(8)
  calls = []
  expect(await readIds(blocks, now - 80 * MINUTE, now)).toEqual(first)
  const again = calls.filter(({ count }) => count === 32).map(({ from }) => from)
  expect(again.length).toBeLessThan(first.length)
  expect(Math.min(...again)).toBeLessThan(now - 70 * MINUTE)
})

it('does not keep what could not be read', async () => {
  await fill(50)
  let isAway = true
  const chunks: Store['history']['chunks'] = (kind, range) => {
    if (isAway && range.count > 1) return Promise.reject(new Error('Redis is away'))
    return store.history.chunks(kind, range)
  }
  const blocks = createHistoryBlocks({ history: { chunks }, kind: 'jobs', build: buildJobColumns, mostBytes: 1e6 })
  await expect(readIds(blocks, now - 40 * MINUTE, now - 30 * MINUTE)).rejects.toThrow('Redis is away')
  isAway = false
  expect((await readIds(blocks, now - 40 * MINUTE, now - 30 * MINUTE)).length).toBeGreaterThan(0)
})
