// A blob is never lost before its job and never outlives it, in whatever order things happen and wherever a process dies.
import { createMemoryBlobs, type MemoryBlobs } from '@runyard/testing'
import * as fc from 'fast-check'
import type { Redis } from 'ioredis'
import { describe, expect, test, vi } from 'vitest'
import { GRACE_MS } from './payloads.ts'
import { ADOPTED_GRACE_MS } from './sweep-blobs.ts'
import { completed, drainStream, submission, useStores } from '../testing/test-store.ts'
import type { OpenStoreOptions } from '../store-options.ts'
import type { Store } from '../testing/value-store.ts'

const stores = useStores()
const EP = 'ep-1'
const LARGE = 'x'.repeat(500)
/** When nothing that was announced or looked at until now is young any more; later with each call. */
const later = (): number => {
  calls += 1
  return Date.now() + GRACE_MS + calls * 60_000
}
let calls = 0

async function open(memory = createMemoryBlobs(), options: Partial<OpenStoreOptions> = {}) {
  const store = await stores.open({ blobs: { store: memory, thresholdBytes: 100 }, ...options })
  return { ...store, memory }
}

async function runningLarge(jobs: Store['jobs'], id = 'a'): Promise<void> {
  await jobs.submit(EP, submission(id, { input: LARGE }))
  await jobs.take(EP, 'w1')
}

describe('blobs go with their job', () => {
  const ends: readonly [string, (store: Store) => Promise<unknown>][] = [
    ['its time to live is over', ({ jobs }) => jobs.sweepExpired(EP, Date.now() + 48 * 3600 * 1000)],
    ['it was cancelled and its record has expired', ({ jobs }) => jobs.forceSettle(EP, 'a', { status: 'CANCELLED' })],
    ['its result has expired', ({ jobs }) => jobs.settle({ endpointId: EP, jobId: 'a', workerId: 'w1', outcome: completed(LARGE) })],
    ['its endpoint is gone', async ({ endpoints }) => endpoints.forget(EP)],
  ]
  test.each(ends)('when %s', async (_title, end) => {
    const store = await open(undefined, { retention: { asyncMs: 50, syncMs: 50 } })
    const { jobs, memory } = store
    await runningLarge(jobs)
    await jobs.appendChunk({ endpointId: EP, jobId: 'a', workerId: 'w1', chunk: LARGE })
    await jobs.progress({ endpointId: EP, jobId: 'a', workerId: 'w1', output: LARGE })
    expect(await jobs.sweepBlobs(later())).toBe(0)
    expect(memory.blobs.size).toBe(3)
    await end(store)
    await vi.waitUntil(async () => (await jobs.get(EP, 'a')) === undefined)
    await jobs.sweepBlobs(later())
    expect(memory.blobs.size).toBe(0)
    expect(await stores.raw().zcard(`${stores.prefix()}:{@}:blobs`)).toBe(0)
  })

  test('within a sweep after the end of its retention, without waiting for the grace time', async () => {
    const { jobs, memory } = await open(undefined, { retention: { asyncMs: 50, syncMs: 50 } })
    await runningLarge(jobs)
    await jobs.settle({ endpointId: EP, jobId: 'a', workerId: 'w1', outcome: completed(LARGE) })
    await vi.waitUntil(async () => (await jobs.get(EP, 'a')) === undefined)
    await vi.waitUntil(async () => (await jobs.sweepBlobs(Date.now())) > 0)
    expect(memory.blobs.size).toBe(0)
  })

  test('also when there are more of them than one batch', async () => {
    const { jobs, memory } = await open()
    await Promise.all(Array.from({ length: 450 }, (_, n) => jobs.submit(EP, submission(`${n}`, { input: LARGE, policy: { ttlMs: 1 } }))))
    await jobs.submit(EP, submission('stays', { input: LARGE }))
    await jobs.sweepExpired(EP, Date.now() + 1000)
    expect(await jobs.sweepBlobs(later())).toBe(450)
    expect([...memory.blobs.keys()]).toEqual([expect.stringContaining('/stays/')])
  })
})

describe('a process that dies between the blob and Redis', () => {
  test('leaves a blob that is kept as long as its writer may still live, and then removed', async () => {
    const { jobs, memory } = await open()
    memory.fault.afterPut = () => Promise.reject(new Error('killed'))
    await expect(jobs.submit(EP, submission('a', { input: LARGE }))).rejects.toThrow('killed')
    expect(await jobs.sweepBlobs(Date.now() + GRACE_MS / 2)).toBe(0)
    expect(memory.blobs.size).toBe(1)
    expect(await jobs.sweepBlobs(later())).toBe(1)
    expect(memory.blobs.size).toBe(0)
  })

  test('does no harm to the same job submitted again, even while a sweep looks at the first try', async () => {
    const { jobs, memory } = await open()
    memory.fault.afterPut = () => Promise.reject(new Error('killed'))
    await expect(jobs.submit(EP, submission('a', { input: LARGE }))).rejects.toThrow('killed')
    memory.fault.afterPut = async () => void (await jobs.sweepBlobs(Date.now() + GRACE_MS - 1000))
    await jobs.submit(EP, submission('a', { input: LARGE }))
    await jobs.sweepBlobs(later())
    expect((await jobs.take(EP, 'w1'))?.submission.input).toBe(LARGE)
  })

  test('does no harm to the same job submitted again between a sweep’s look at Redis and its look at the blobs', async () => {
    const { jobs, memory } = await open()
    memory.fault.afterPut = () => Promise.reject(new Error('killed'))
    await expect(jobs.submit(EP, submission('a', { input: LARGE }))).rejects.toThrow('killed')
    memory.fault.afterPut = undefined
    memory.fault.beforeList = () => jobs.submit(EP, submission('a', { input: LARGE }))
    await jobs.sweepBlobs(later())
    expect((await jobs.take(EP, 'w1'))?.submission.input).toBe(LARGE)
  })
})

describe('what Redis does not know is left alone', () => {
  test('an empty Redis deletes nothing', async () => {
    const { jobs, memory } = await open()
    await runningLarge(jobs)
    await stores.raw().flushall()
    expect(await jobs.sweepBlobs(later())).toBe(0)
    expect(memory.blobs.size).toBe(1)
  })

  test('a Redis that is away deletes nothing, and neither does a blob store that is', async () => {
    const { jobs, memory } = await open()
    await runningLarge(jobs)
    await jobs.sweepExpired(EP, Date.now() + 48 * 3600 * 1000)
    memory.fault.away = true
    await expect(jobs.sweepBlobs(later())).rejects.toMatchObject({ code: 'store_unavailable' })
    memory.fault.away = false
    expect(await jobs.sweepBlobs(later())).toBe(1)
  })

  test('another installation with the same directory and the same job ids keeps its own', async () => {
    const memory = createMemoryBlobs()
    const ours = await open(memory)
    const theirs = await open(memory, { prefix: `${stores.prefix()}-other` })
    for (const { jobs } of [ours, theirs]) await runningLarge(jobs)
    await ours.jobs.sweepExpired(EP, Date.now() + 48 * 3600 * 1000)
    expect(await ours.jobs.sweepBlobs(later())).toBe(1)
    expect(await theirs.jobs.sweepBlobs(later())).toBe(0)
    expect(memory.blobs.size).toBe(1)
  })

  test('a process without a blob store sweeps nothing and reads what is small', async () => {
    const { jobs } = await open()
    const without = await stores.open()
    await runningLarge(jobs)
    expect(await without.jobs.sweepBlobs(later())).toBe(0)
    expect((await without.jobs.get(EP, 'a'))?.status).toBe('IN_PROGRESS')
    await jobs.settle({ endpointId: EP, jobId: 'a', workerId: 'w1', outcome: completed(LARGE) })
    await expect(without.jobs.get(EP, 'a')).rejects.toThrow('This process was opened without a blob store.')
  })
})

describe('blobs that Redis has forgotten', () => {
  const listKey = () => `${stores.prefix()}:{@}:blobs`

  test('are listed again, kept for a day, and then go unless they have a job', async () => {
    const { jobs, memory } = await open()
    for (const id of ['dead', 'alive']) await runningLarge(jobs, id)
    await stores.raw().del(listKey(), `${stores.prefix()}:{${EP}}:dead`)
    expect(await jobs.sweepBlobs(later())).toBe(0)
    expect(await jobs.adoptBlobs(Date.now())).toBe(2)
    expect(await jobs.adoptBlobs(Date.now())).toBe(0)
    expect(await jobs.sweepBlobs(Date.now() + ADOPTED_GRACE_MS - 1000)).toBe(0)
    expect(await jobs.sweepBlobs(Date.now() + ADOPTED_GRACE_MS + 1000)).toBe(1)
    expect([...memory.blobs.keys()]).toEqual([expect.stringContaining('/alive/')])
  })

  test('stay forgotten in a Redis that is empty or belongs to another installation', async () => {
    const { jobs, memory } = await open()
    await runningLarge(jobs)
    await stores.raw().flushall()
    expect(await jobs.adoptBlobs(Date.now())).toBe(0)
    await (await open(memory)).instance()
    expect(await jobs.adoptBlobs(Date.now())).toBe(0)
    expect(await stores.raw().exists(listKey())).toBe(0)
  })

  test('are found in any number', async () => {
    const { jobs } = await open()
    await Promise.all(Array.from({ length: 600 }, (_, n) => jobs.submit(EP, submission(`${n}`, { input: LARGE }))))
    await stores.raw().del(listKey())
    expect(await jobs.adoptBlobs(Date.now())).toBe(600)
  })
})

const JOBS = ['a', 'b', 'c'] as const
const job = fc.constantFrom(...JOBS)
/** Whether the process dies between the blob and Redis, and whether a sweep runs in that very moment. */
const anyMishap = fc.constantFrom('none' as const, 'none' as const, 'killed' as const, 'swept' as const)
const step = fc.oneof(
  fc.record({ kind: fc.constant('submit' as const), job, mishap: anyMishap }),
  fc.record({ kind: fc.constant('take' as const), job }),
  fc.record({ kind: fc.constantFrom('settle' as const, 'fail' as const, 'chunk' as const, 'progress' as const), job, mishap: anyMishap }),
  fc.record({
    kind: fc.constantFrom('cancel' as const, 'expire' as const, 'retry' as const, 'loseLease' as const, 'readStream' as const),
    job,
  }),
  fc.record({ kind: fc.constantFrom('sweep' as const, 'sweepLater' as const), job }),
)
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never

interface World {
  readonly jobs: Store['jobs']
  readonly memory: MemoryBlobs
  readonly raw: Redis
  readonly endpointId: string
  holders: number
}

const base = ({ endpointId }: World): string => `${stores.prefix()}:{${endpointId}}`

async function holderOf(world: World, id: string): Promise<string> {
  return (await world.raw.get(`${base(world)}:${id}:lock`)) ?? 'free'
}

type Play = (world: World, id: string) => Promise<unknown>
const PLAYS: { readonly [K in Step['kind']]: Play } = {
  submit: async ({ jobs, endpointId }, id) => {
    const isThere = (await jobs.get(endpointId, id)) !== undefined
    if (!isThere) await jobs.submit(endpointId, submission(id, { input: LARGE + id }))
  },
  take: async (world) => {
    world.holders += 1
    const taken = await world.jobs.take(world.endpointId, `w${world.holders}`)
    if (taken) expect(taken.submission.input).toBe(LARGE + taken.id)
  },
  settle: async (world, id) =>
    world.jobs.settle({ endpointId: world.endpointId, jobId: id, workerId: await holderOf(world, id), outcome: completed(LARGE) }),
  fail: async (world, id) =>
    world.jobs.settle({
      endpointId: world.endpointId,
      jobId: id,
      workerId: await holderOf(world, id),
      outcome: { status: 'FAILED', error: 'x', output: LARGE },
    }),
  chunk: async (world, id) =>
    world.jobs.appendChunk({ endpointId: world.endpointId, jobId: id, workerId: await holderOf(world, id), chunk: LARGE }),
  progress: async (world, id) =>
    world.jobs.progress({ endpointId: world.endpointId, jobId: id, workerId: await holderOf(world, id), output: LARGE }),
  cancel: ({ jobs, endpointId }, id) => jobs.forceSettle(endpointId, id, { status: 'CANCELLED' }),
  expire: (world, id) => world.raw.del(`${base(world)}:s:${id}`, `${base(world)}:c:${id}`),
  retry: ({ jobs, endpointId }, id) => jobs.retry(endpointId, id),
  loseLease: async (world, jobId) => {
    const lease = { endpointId: world.endpointId, jobId, workerId: await holderOf(world, jobId) }
    await world.jobs.takeBack(lease, { budget: 3, evidence: 'x' })
  },
  readStream: ({ jobs, endpointId }, id) => drainStream(jobs, endpointId, id, 10),
  sweep: ({ jobs }) => jobs.sweepBlobs(Date.now()),
  sweepLater: ({ jobs }) => jobs.sweepBlobs(later()),
}

async function play(world: World, action: Step): Promise<void> {
  const { fault } = world.memory
  const mishap = 'mishap' in action ? action.mishap : 'none'
  if (mishap === 'killed') fault.afterPut = () => Promise.reject(new Error('killed'))
  if (mishap === 'swept') fault.afterPut = async () => void (await world.jobs.sweepBlobs(Date.now() + GRACE_MS - 1000))
  await PLAYS[action.kind](world, action.job).catch((error: unknown) => {
    if ((error as Error).message !== 'killed') throw error
  })
  fault.afterPut = undefined
}

/** Every name of a blob that Redis has, of whatever job, must be there. */
async function expectNothingLost(world: World): Promise<void> {
  for (const id of JOBS) {
    const texts = [
      await world.raw.hget(`${base(world)}:${id}`, 'data'),
      await world.raw.hget(`${base(world)}:${id}`, 'progress'),
      ...(await world.raw.hmget(`${base(world)}:s:${id}`, 'outcome', 'data')),
      ...(await world.raw.lrange(`${base(world)}:c:${id}`, 0, -1)),
    ]
    const named = texts.flatMap((text) => /@([a-z]+-[\w-]+)/.exec(text ?? '')?.[1] ?? [])
    const there = [...world.memory.blobs.keys()].filter((name) => name.includes(`/${world.endpointId}/`) && name.includes(`/${id}/`))
    expect(there.map((name) => name.split('/').at(-1))).toEqual(expect.arrayContaining(named))
  }
}

test('any order of events, with deaths half-way and sweeps in between: none is lost before its job, none outlives it', async () => {
  const { jobs, memory } = await open()
  const raw = stores.raw()
  let worlds = 0
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 40 }), async (steps) => {
      worlds += 1
      const world: World = { jobs, memory, raw, endpointId: `ep-${worlds}`, holders: 0 }
      for (const action of steps) {
        await play(world, action)
        await expectNothingLost(world)
      }
      for (const id of JOBS) await PLAYS.cancel(world, id)
      for (const id of JOBS) await PLAYS.expire(world, id)
      await jobs.sweepBlobs(later())
      await expect.poll(() => memory.blobs.size).toBe(0)
    }),
    { numRuns: 100 },
  )
})
