// Large values leave Redis and come back byte for byte; what happens while the blob store is away, and with blobs that somebody removed.
import { setImmediate } from 'node:timers/promises'
import { createMemoryBlobs } from '@runyard/testing'
import { describe, expect, test, vi } from 'vitest'
import { completed, drainStream, submission, useStores } from '../testing/test-store.ts'
import type { Store, ValueOutcome } from '../testing/value-store.ts'

const stores = useStores()
const EP = 'ep-1'
const THRESHOLD = 1000
const LARGE = 'x'.repeat(THRESHOLD)
const MIB = 2 ** 20

async function open(thresholdBytes = THRESHOLD) {
  const memory = createMemoryBlobs()
  const store = await stores.open({ blobs: { store: memory, thresholdBytes } })
  return { ...store, memory, kinds: () => kindsOf(memory.blobs) }
}

/** `input-…` → `input` */
function kindsOf(blobs: ReadonlyMap<string, unknown>): readonly string[] {
  return [...blobs.keys()].map((name) => name.split('/').at(-1)?.split('-')[0] ?? '').toSorted()
}

async function running({ jobs }: Pick<Store, 'jobs'>, input: unknown = 1): Promise<void> {
  await jobs.submit(EP, submission('a', { input }))
  expect((await jobs.take(EP, 'w1'))?.submission.input).toEqual(input)
}

/** Within the turn of its settlement a record is remembered with its output: from then on it is read. */
async function end(jobs: Store['jobs'], outcome: ValueOutcome): Promise<void> {
  expect(await jobs.settle({ endpointId: EP, jobId: 'a', workerId: 'w1', outcome })).toBe('settled')
  await setImmediate()
}

/** A value whose JSON, with its quotes, has so many bytes. */
const ofBytes = (bytes: number, letter = 'x'): string => letter.repeat((bytes - 2) / Buffer.byteLength(letter))

describe('the threshold', () => {
  test.each(['x', 'é', '€', '𝄞'])(
    'is counted in bytes of UTF-8: a value of exactly as many stays in Redis, one more letter leaves (%s)',
    async (letter) => {
      const bytes = Buffer.byteLength(letter) * 100 + 2
      const { jobs, memory } = await open(bytes)
      await running({ jobs })
      await jobs.progress({ endpointId: EP, jobId: 'a', workerId: 'w1', output: ofBytes(bytes, letter) })
      expect(memory.blobs.size).toBe(0)
      await jobs.progress({ endpointId: EP, jobId: 'a', workerId: 'w1', output: ofBytes(bytes + Buffer.byteLength(letter), letter) })
      expect(memory.blobs.size).toBe(1)
      expect((await jobs.get(EP, 'a'))?.output).toBe(letter.repeat(101))
    },
  )

  test('a record that is large by something else than its value stays whole', async () => {
    const { jobs, memory } = await open()
    await jobs.submit(EP, submission('a', { input: 1, webhook: { url: `https://x.test/${LARGE}`, ownerId: 'o' } }))
    expect((await jobs.take(EP, 'w1'))?.submission.webhook?.url).toContain(LARGE)
    await jobs.settle({ endpointId: EP, jobId: 'a', workerId: 'w1', outcome: { status: 'FAILED', error: LARGE } })
    expect((await jobs.get(EP, 'a'))?.error).toBe(LARGE)
    expect(memory.blobs.size).toBe(0)
  })
})

describe('large values', () => {
  const strange = {
    text: `“ü” 𝄞 \u0000 \uD800 ${LARGE}`,
    '@': '@input-1',
    blob: '@x',
    numbers: [0.1, 1e21, -0.5, 9007199254740991],
    nothing: null,
  }

  test('come back as they were: input, progress, chunks in their order, output', async () => {
    const { jobs, kinds } = await open()
    await running({ jobs }, strange)
    await jobs.progress({ endpointId: EP, jobId: 'a', workerId: 'w1', output: strange })
    expect((await jobs.get(EP, 'a'))?.output).toEqual(strange)
    const chunks = ['@small', strange, 1, { output: LARGE }, strange, 2]
    for (const chunk of chunks) expect(await jobs.appendChunk({ endpointId: EP, jobId: 'a', workerId: 'w1', chunk })).toBe('settled')
    expect(kinds()).toEqual(['chunk', 'chunk', 'chunk', 'input', 'progress'])
    await end(jobs, completed(strange))
    expect(await jobs.get(EP, 'a')).toMatchObject({ status: 'COMPLETED', output: strange })

    const answers: unknown[][] = []
    for (let read = await drainStream(jobs, EP, 'a', 500); read !== undefined; read = await drainStream(jobs, EP, 'a', 500)) {
      expect(read.record).not.toHaveProperty('output')
      answers.push([...read.chunks])
      if (!read.more) break
    }
    // At most one large one per answer.
    expect(answers).toEqual([['@small', strange], [1, { output: LARGE }], [strange], [2]])
    await vi.waitUntil(() => !kinds().includes('chunk'))
  })

  test('a chunk that is posted again leaves no second blob, and the first stays', async () => {
    const { jobs, kinds } = await open()
    await running({ jobs })
    for (const post of ['p1', 'p1'])
      expect(await jobs.appendChunk({ endpointId: EP, jobId: 'a', workerId: 'w1', chunk: LARGE, post })).toBe('settled')
    await vi.waitUntil(() => kinds().length === 1)
    expect(await drainStream(jobs, EP, 'a', 10)).toMatchObject({ chunks: [LARGE] })
  })

  test('a record in Redis holds no part of them, and names no blob to its readers', async () => {
    const { jobs } = await open()
    const raw = stores.raw()
    await running({ jobs }, LARGE)
    expect(await raw.hget(`${stores.prefix()}:{${EP}}:a`, 'data')).not.toContain(LARGE)
    await jobs.settle({ endpointId: EP, jobId: 'a', workerId: 'w1', outcome: { status: 'FAILED', output: LARGE, error: 'why' } })
    const outcome = JSON.parse((await raw.hget(`${stores.prefix()}:{${EP}}:s:a`, 'outcome')) ?? '') as object
    expect(outcome).toEqual({ status: 'FAILED', error: 'why', blob: expect.stringMatching(/^@output-/) })
    const { record } = await jobs.forceSettle(EP, 'a', { status: 'CANCELLED' })
    expect(record).toEqual(expect.not.objectContaining({ blob: expect.anything() }))
    expect(await jobs.submission(EP, 'a')).toEqual(submission('a', { input: LARGE }))
  })

  test('a retried job has its input again', async () => {
    const { jobs } = await open()
    await running({ jobs }, strange)
    await jobs.settle({ endpointId: EP, jobId: 'a', workerId: 'w1', outcome: { status: 'FAILED', error: 'x', output: LARGE } })
    expect(await jobs.retry(EP, 'a')).toBe('retried')
    expect((await jobs.take(EP, 'w2'))?.submission.input).toEqual(strange)
  })

  test('progress keeps one blob per worker, whatever the number of values', async () => {
    const { jobs, kinds } = await open()
    await running({ jobs })
    for (const step of [1, 2, 3]) await jobs.progress({ endpointId: EP, jobId: 'a', workerId: 'w1', output: { step, LARGE } })
    expect(kinds()).toEqual(['progress'])
    expect((await jobs.get(EP, 'a'))?.output).toEqual({ step: 3, LARGE })
  })

  test('20 MiB in and 60 MiB out pass through while Redis stays small', async () => {
    const { jobs } = await open(256 * 1024)
    const memoryOf = async () => Number(/used_memory:(\d+)/.exec(await stores.raw().info('memory'))?.[1])
    const before = await memoryOf()
    const [input, output] = ['i'.repeat(20 * MIB), 'o'.repeat(60 * MIB)]
    await running({ jobs }, input)
    await end(jobs, completed(output))
    expect((await jobs.get(EP, 'a'))?.output === output).toBe(true)
    expect((await memoryOf()) - before).toBeLessThan(2 * MIB)
  })
})

describe('writes that change nothing', () => {
  test('leave no blob behind', async () => {
    const { jobs, kinds } = await open()
    await running({ jobs })
    await jobs.settle({ endpointId: EP, jobId: 'a', workerId: 'w1', outcome: completed('first') })
    expect(await jobs.settle({ endpointId: EP, jobId: 'a', workerId: 'w1', outcome: completed(LARGE) })).toBe('already_settled')
    expect(await jobs.appendChunk({ endpointId: EP, jobId: 'a', workerId: 'w1', chunk: LARGE })).toBe('already_settled')
    expect(await jobs.progress({ endpointId: EP, jobId: 'b', workerId: 'w1', output: LARGE })).toBe('not_holder')
    await vi.waitUntil(() => kinds().length === 0)
    expect((await jobs.get(EP, 'a'))?.output).toBe('first')
  })
})

describe('while the blob store is away', () => {
  test('nothing large is accepted, everything small is', async () => {
    const { jobs, memory } = await open()
    memory.fault.away = true
    await expect(jobs.submit(EP, submission('a', { input: LARGE }))).rejects.toMatchObject({ code: 'store_unavailable', retryAfterS: 5 })
    expect(await jobs.get(EP, 'a')).toBeUndefined()
    await jobs.submit(EP, submission('b', { input: 1 }))
    expect((await jobs.take(EP, 'w1'))?.id).toBe('b')
  })

  test('a job whose input cannot be read waits, at no cost to its attempts', async () => {
    const { jobs, memory } = await open()
    await jobs.submit(EP, submission('a', { input: LARGE }))
    memory.fault.away = true
    await expect(jobs.take(EP, 'w1')).rejects.toMatchObject({ code: 'store_unavailable' })
    expect((await jobs.get(EP, 'a'))?.status).toBe('IN_QUEUE')
    memory.fault.away = false
    expect(await jobs.take(EP, 'w1')).toMatchObject({ attempt: 1, submission: { input: LARGE } })
  })

  test('a result is refused and taken later, and a chunk that cannot be delivered is delivered later', async () => {
    const { jobs, memory } = await open()
    await running({ jobs })
    for (const chunk of [1, LARGE, 2]) await jobs.appendChunk({ endpointId: EP, jobId: 'a', workerId: 'w1', chunk })
    memory.fault.away = true
    await expect(jobs.settle({ endpointId: EP, jobId: 'a', workerId: 'w1', outcome: completed(LARGE) })).rejects.toMatchObject({
      code: 'store_unavailable',
    })
    expect(await drainStream(jobs, EP, 'a', 500)).toMatchObject({ chunks: [1], more: true })
    await expect(drainStream(jobs, EP, 'a', 500)).rejects.toMatchObject({ code: 'store_unavailable' })
    memory.fault.away = false
    expect(await jobs.settle({ endpointId: EP, jobId: 'a', workerId: 'w1', outcome: completed(LARGE) })).toBe('settled')
    expect(await drainStream(jobs, EP, 'a', 500)).toMatchObject({ chunks: [LARGE], more: true })
    expect(await drainStream(jobs, EP, 'a', 500)).toMatchObject({ chunks: [2], more: false, record: { status: 'COMPLETED' } })
  })
})

describe('a deleted blob', () => {
  test('as input: its job fails in one sentence, and the next job is taken', async () => {
    const { jobs, memory } = await open()
    await jobs.submit(EP, submission('a', { input: LARGE }))
    await jobs.submit(EP, submission('b', { input: 2 }))
    memory.blobs.clear()
    expect((await jobs.take(EP, 'w1'))?.id).toBe('b')
    const reported = { status: 'FAILED', error: 'the input of this job is missing from the blob store' }
    expect(await jobs.get(EP, 'a')).toMatchObject(reported)
  })

  test('as output, chunk or progress: its absence is reported, and small values are unharmed', async () => {
    const { jobs, memory } = await open()
    await running({ jobs })
    await jobs.progress({ endpointId: EP, jobId: 'a', workerId: 'w1', output: LARGE })
    await jobs.appendChunk({ endpointId: EP, jobId: 'a', workerId: 'w1', chunk: LARGE })
    memory.blobs.clear()
    expect(await jobs.get(EP, 'a')).not.toHaveProperty('output')
    await end(jobs, completed(LARGE))
    memory.blobs.clear()
    const reported = { status: 'FAILED', error: 'the output of this job is missing from the blob store' }
    expect(await jobs.get(EP, 'a')).toMatchObject(reported)
    const chunks = [{ error: 'a chunk of this stream is missing from the blob store' }]
    expect(await drainStream(jobs, EP, 'a', 500)).toMatchObject({ chunks, more: false })
  })
})
