// The chunks of a stream: each is delivered once, and none is lost with an answer that breaks off or with the gateway that was giving it (ADR 25).
import { createMemoryBlobs } from '@runyard/testing'
import { describe, expect, test, vi } from 'vitest'
import { completed, drainStream, submission, useStores } from '../testing/test-store.ts'
import type { JobStore, StreamClaim } from '../testing/value-store.ts'

const stores = useStores()
const EP = 'ep-1'

/** A job in a worker's hands that has said so much. */
async function streaming(jobs: JobStore, ...chunks: readonly unknown[]): Promise<void> {
  await jobs.submit(EP, submission('a'))
  await jobs.take(EP, 'w1')
  for (const chunk of chunks) expect(await jobs.appendChunk({ endpointId: EP, jobId: 'a', workerId: 'w1', chunk })).toBe('settled')
}

async function claim(jobs: JobStore, limit = 10): Promise<StreamClaim & { claim: string }> {
  const read = await jobs.claimChunks(EP, 'a', limit)
  if (read?.claim === undefined) throw new Error('there was nothing to claim')
  return { ...read, claim: read.claim }
}

describe('a stream', () => {
  test('delivers each chunk once, in order, also after the job’s end', async () => {
    const { jobs } = await stores.open()
    expect(await jobs.claimChunks(EP, 'a', 10)).toBeUndefined()
    await streaming(jobs, { n: 1 }, [], null, 'four')
    expect(await drainStream(jobs, EP, 'a', 2)).toMatchObject({ record: { status: 'IN_PROGRESS' }, chunks: [{ n: 1 }, []], more: true })
    await jobs.settle({ endpointId: EP, jobId: 'a', workerId: 'w1', outcome: completed('end') })
    expect(await drainStream(jobs, EP, 'a', 2)).toMatchObject({ record: { status: 'COMPLETED' }, chunks: [null, 'four'], more: false })
    expect(await drainStream(jobs, EP, 'a', 2)).toMatchObject({ record: { output: 'end' }, chunks: [], more: false })
  })

  // Its answer was lost: on the way from Redis, or with the gateway.
  test('keeps one copy of a chunk that is posted twice under the same name, at any store, even after other chunks', async () => {
    const [one, two] = [await stores.open(), await stores.open()]
    await streaming(one.jobs)
    for (const [jobs, chunk] of [
      [one.jobs, 'a'],
      [two.jobs, 'a'],
      [one.jobs, 'b'],
      [one.jobs, 'a'],
      [two.jobs, 'b'],
    ] as const) {
      expect(await jobs.appendChunk({ endpointId: EP, jobId: 'a', workerId: 'w1', chunk: { chunk }, post: `post-${chunk}` })).toBe(
        'settled',
      )
    }
    await one.jobs.appendChunk({ endpointId: EP, jobId: 'a', workerId: 'w1', chunk: { chunk: 'a' }, post: 'post-c' })
    expect(await drainStream(one.jobs, EP, 'a', 10)).toMatchObject({ chunks: [{ chunk: 'a' }, { chunk: 'b' }, { chunk: 'a' }] })
  })

  test('can also be read without a claim, from any index, any number of times', async () => {
    const { jobs } = await stores.open()
    expect(await jobs.readChunks(EP, 'a', { from: 0, limit: 10 })).toBeUndefined()
    await streaming(jobs, 0, 1, 2, 3)
    const read = { record: { status: 'IN_PROGRESS' }, chunks: [1, 2], more: true }
    expect(await jobs.readChunks(EP, 'a', { from: 1, limit: 2 })).toMatchObject(read)
    await claim(jobs)
    expect(await jobs.readChunks(EP, 'a', { from: 1, limit: 2 })).toMatchObject(read)
    expect(await jobs.readChunks(EP, 'a', { from: 3, limit: 2 })).toMatchObject({ chunks: [3], more: false })
    expect(await jobs.readChunks(EP, 'a', { from: 4, limit: 2 })).toMatchObject({ chunks: [], more: false })
  })

  test('returns nothing to other readers during a claim, and says how long the claim lasts at most', async () => {
    const [one, two] = [await stores.open(), await stores.open()]
    await streaming(one.jobs, 1, 2, 3)
    const { claim: token } = await claim(one.jobs, 2)
    await one.jobs.appendChunk({ endpointId: EP, jobId: 'a', workerId: 'w1', chunk: 4 })
    await one.jobs.settle({ endpointId: EP, jobId: 'a', workerId: 'w1', outcome: completed('end') })
    const held = await two.jobs.claimChunks(EP, 'a', 10)
    expect(held).toMatchObject({ record: { status: 'COMPLETED' }, chunks: [], more: true, claim: undefined })
    expect(held?.heldBackMs).toBeGreaterThan(0)
    expect(held?.heldBackMs).toBeLessThanOrEqual(10_000)
    expect(await one.jobs.concludeClaim(EP, 'a', { claim: token, delivered: 2 })).toBe(true)
    expect(await drainStream(two.jobs, EP, 'a', 10)).toMatchObject({ chunks: [3, 4], more: false, heldBackMs: 0 })
  })

  test.each([
    ['breaks off', 0],
    ['is delivered', 2],
  ])('wakes the reader that waits for an answer that %s, and no other', async (_what, delivered) => {
    const [one, two] = [await stores.open(), await stores.open()]
    await streaming(one.jobs, 1, 2, 3)
    const alone = await claim(one.jobs, 1)
    const heard = stores.listen(two)
    await one.jobs.concludeClaim(EP, 'a', { claim: alone.claim, delivered: 0 })
    const awaited = await claim(one.jobs, 2)
    await two.jobs.claimChunks(EP, 'a', 10)
    await one.jobs.concludeClaim(EP, 'a', { claim: awaited.claim, delivered })
    await vi.waitUntil(() => heard.length > 0)
    expect(heard).toEqual([{ kind: 'job-chunk', endpointId: EP, jobId: 'a' }])
  })

  test('returns the chunks of an interrupted response again, in order', async () => {
    const [one, two] = [await stores.open(), await stores.open()]
    await streaming(one.jobs, 1, 2, 3)
    const { claim: token } = await claim(one.jobs, 2)
    expect(await one.jobs.concludeClaim(EP, 'a', { claim: token, delivered: 0 })).toBe(true)
    expect(await drainStream(two.jobs, EP, 'a', 10)).toMatchObject({ chunks: [1, 2, 3] })
  })

  test('returns the chunks of an expired claim again, and a late conclusion of the first reader deletes none of the second’s', async () => {
    const [one, two] = [await stores.open({ claimMs: 1 }), await stores.open()]
    await streaming(one.jobs, 1, 2, 3)
    const dead = await claim(one.jobs, 2)
    const read = await vi.waitFor(() => claim(two.jobs))
    expect(read).toMatchObject({ chunks: [1, 2, 3] })
    expect(await one.jobs.concludeClaim(EP, 'a', { claim: dead.claim, delivered: 2 })).toBe(false)
    expect(await two.jobs.concludeClaim(EP, 'a', { claim: read.claim, delivered: 3 })).toBe(true)
    expect(await drainStream(one.jobs, EP, 'a', 10)).toMatchObject({ chunks: [], more: false })
  })

  test('accepts the late conclusion of a slow reader if no other reader claimed its chunks', async () => {
    const { jobs } = await stores.open({ claimMs: 0 })
    await streaming(jobs, 1, 2)
    const { claim: token } = await claim(jobs, 1)
    expect(await jobs.concludeClaim(EP, 'a', { claim: token, delivered: 1 })).toBe(true)
    expect(await drainStream(jobs, EP, 'a', 10)).toMatchObject({ chunks: [2] })
  })
})

describe('a claim ends with its chunks', () => {
  const END: Record<string, (jobs: JobStore) => Promise<unknown>> = {
    'an attempt that is lost': (jobs) => jobs.takeBack({ endpointId: EP, jobId: 'a', workerId: 'w1' }, { budget: 1, evidence: 'x' }),
    'a retry': async (jobs) => {
      await jobs.settle({ endpointId: EP, jobId: 'a', workerId: 'w1', outcome: { status: 'FAILED', error: 'x' } })
      await jobs.retry(EP, 'a')
    },
  }

  test.each(Object.keys(END))('in %s: its late conclusion takes nothing of the next one', async (what) => {
    const { jobs } = await stores.open()
    await streaming(jobs, 1, 2)
    const { claim: token } = await claim(jobs)
    await END[what]?.(jobs)
    await jobs.take(EP, 'w2')
    await jobs.appendChunk({ endpointId: EP, jobId: 'a', workerId: 'w2', chunk: 'anew' })
    expect(await jobs.concludeClaim(EP, 'a', { claim: token, delivered: 2 })).toBe(false)
    expect(await drainStream(jobs, EP, 'a', 10)).toMatchObject({ chunks: ['anew'], heldBackMs: 0 })
  })

  test('by ttl, by retention and by the last chunk: nothing remains', async () => {
    const { jobs } = await stores.open({ retention: { asyncMs: 60_000, syncMs: 30_000 } })
    const raw = stores.raw()
    const key = `${stores.prefix()}:{${EP}}:c:a`
    await streaming(jobs, 1)
    const { claim: token } = await claim(jobs)
    await jobs.concludeClaim(EP, 'a', { claim: token, delivered: 1 })
    expect(await raw.exists(key)).toBe(0)
    await jobs.appendChunk({ endpointId: EP, jobId: 'a', workerId: 'w1', chunk: 2 })
    await claim(jobs)
    await jobs.forceSettle(EP, 'a', { status: 'CANCELLED' })
    expect(await raw.pttl(key)).toBeGreaterThan(0)
    await jobs.setRetention(EP, 'a', 1)
    await vi.waitUntil(async () => (await raw.exists(key)) === 0)
    await jobs.submit(EP, submission('b'))
    await jobs.take(EP, 'w2')
    await jobs.appendChunk({ endpointId: EP, jobId: 'b', workerId: 'w2', chunk: 3 })
    await jobs.claimChunks(EP, 'b', 1)
    await jobs.sweepExpired(EP, Date.now() + 48 * 60 * 60 * 1000)
    expect(await raw.exists(`${stores.prefix()}:{${EP}}:c:b`)).toBe(0)
  })
})

test('a large chunk stays in the blob store until it has been delivered', async () => {
  const memory = createMemoryBlobs()
  const { jobs } = await stores.open({ blobs: { store: memory, thresholdBytes: 1000 } })
  const large = 'x'.repeat(1000)
  await streaming(jobs, large, 2)
  const broken = await claim(jobs)
  expect(broken).toMatchObject({ chunks: [large], more: true })
  await jobs.concludeClaim(EP, 'a', { claim: broken.claim, delivered: 0 })
  expect(memory.blobs.size).toBe(1)
  const delivered = await claim(jobs)
  expect(delivered).toMatchObject({ chunks: [large], more: true })
  expect(memory.blobs.size).toBe(1)
  await jobs.concludeClaim(EP, 'a', { claim: delivered.claim, delivered: 1 })
  await vi.waitUntil(() => memory.blobs.size === 0)
  expect(await drainStream(jobs, EP, 'a', 10)).toMatchObject({ chunks: [2], more: false })
})

describe('bytes', () => {
  test('the output of one attempt has a limit, and the next attempt starts from zero', async () => {
    const { jobs } = await stores.open({ retention: { asyncMs: 60_000, syncMs: 60_000, streamBytes: 25 } })
    await jobs.submit(EP, submission('a'))
    await jobs.take(EP, 'w1')
    expect(await jobs.appendChunk({ endpointId: EP, jobId: 'a', workerId: 'w1', chunk: '0123456789' })).toBe('settled')
    expect(await jobs.appendChunk({ endpointId: EP, jobId: 'a', workerId: 'w1', chunk: '0123456789' })).toBe('settled')
    expect(await jobs.appendChunk({ endpointId: EP, jobId: 'a', workerId: 'w1', chunk: '0123456789' })).toBe('too_much')
    await jobs.takeBack({ endpointId: EP, jobId: 'a', workerId: 'w1' }, { budget: 2, evidence: 'x' })
    await jobs.take(EP, 'w2')
    expect(await jobs.appendChunk({ endpointId: EP, jobId: 'a', workerId: 'w2', chunk: '0123456789' })).toBe('settled')
    expect((await drainStream(jobs, EP, 'a', 10))?.chunks).toHaveLength(1)
  })

  test('one response is bounded in bytes, and the rest follows in order', async () => {
    const { jobs } = await stores.open()
    await jobs.submit(EP, submission('a'))
    await jobs.take(EP, 'w1')
    const texts = Array.from({ length: 40 }, (_, at) => `${at}`.padEnd(900_000, '.'))
    for (const text of texts) await jobs.appendChunk({ endpointId: EP, jobId: 'a', workerId: 'w1', chunk: text })
    const first = await drainStream(jobs, EP, 'a', 500)
    expect(first?.more).toBe(true)
    expect(first?.chunks.length).toBeLessThan(texts.length)
    const second = await drainStream(jobs, EP, 'a', 500)
    expect([...(first?.chunks ?? []), ...(second?.chunks ?? [])]).toEqual(texts)
    expect(second?.more).toBe(false)
  })

  test('above the endpoint’s limit of unread chunks only a job above its share is rejected', async () => {
    const { jobs } = await stores.open({ retention: { asyncMs: 60_000, syncMs: 60_000, unreadBytes: 500 } })
    for (const id of ['greedy', 'modest']) {
      await jobs.submit(EP, submission(id))
      await jobs.take(EP, `of-${id}`)
    }
    const append = (id: string) => jobs.appendChunk({ endpointId: EP, jobId: id, workerId: `of-${id}`, chunk: 'x'.repeat(80) })
    for (let at = 0; at < 4; at += 1) expect(await append('greedy')).toBe('settled')
    expect(await append('modest')).toBe('settled')
    expect(await append('greedy')).toBe('no_room')
    expect(await append('modest')).toBe('settled')
    expect((await drainStream(jobs, EP, 'greedy', 10))?.chunks).toHaveLength(4)
    expect(await append('greedy')).toBe('settled')
  })

  test('unread chunks count with their job’s result, and are deleted with it', async () => {
    const { jobs } = await stores.open({ retention: { asyncMs: 60_000, syncMs: 60_000, keepBytes: 2500 } })
    const keptBytes = async () => (await jobs.stats(EP)).keptBytes
    const finished = async (id: string) => {
      await jobs.submit(EP, submission(id))
      await jobs.take(EP, 'w1')
      for (let at = 0; at < 10; at += 1) await jobs.appendChunk({ endpointId: EP, jobId: id, workerId: 'w1', chunk: 'x'.repeat(98) })
      await jobs.settle({ endpointId: EP, jobId: id, workerId: 'w1', outcome: completed([]) })
    }
    await finished('a')
    const whole = await keptBytes()
    expect(whole).toBeGreaterThan(1000)
    await drainStream(jobs, EP, 'a', 4)
    expect(await keptBytes()).toBe(whole - 4 * 116)
    await finished('b')
    await finished('c')
    expect(await jobs.whyGone(EP, 'a')).toMatchObject({ why: 'room' })
    expect((await drainStream(jobs, EP, 'c', 10))?.chunks).toHaveLength(10)
  })
})
