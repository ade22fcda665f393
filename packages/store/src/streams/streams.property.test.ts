// A stream that several readers share through two gateways while it grows: whatever becomes of their answers, each chunk is delivered, in order.
// How single steps answer is in job-machine.property.test.ts.
import { setTimeout as sleep } from 'node:timers/promises'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { completed, submission, useStores } from '../testing/test-store.ts'
import type { JobStore, Store, StreamClaim } from '../testing/value-store.ts'

const stores = useStores()
const ENDED = 'COMPLETED'

/** `broken`: its socket closed. `killed`: its gateway died, before the answer was out or after it. */
type Fate = 'delivered' | 'broken' | 'killed' | 'killedAfterwards'

interface Story {
  readonly chunks: number
  /** Of each reader's answers, until they run out: then all are delivered. */
  readonly readers: readonly (readonly Fate[])[]
}

interface Reader {
  readonly jobs: JobStore
  readonly endpointId: string
  readonly fates: Fate[]
  /** What reached the client, answer by answer, and whether the store knows. */
  readonly answers: { readonly chunks: readonly unknown[]; readonly isKnown: boolean }[]
}

function anyStory(...fates: readonly Fate[]): fc.Arbitrary<Story> {
  const readers = fc.array(fc.array(fc.constantFrom(...fates), { maxLength: 4 }), { minLength: 1, maxLength: 3 })
  return fc.record({ chunks: fc.nat(30), readers })
}

/** As any client does: ask again until the end is reported. */
async function follow(reader: Reader): Promise<void> {
  for (;;) {
    const read = await reader.jobs.claimChunks(reader.endpointId, 'a', 3)
    if (read === undefined) throw new Error('the job is gone')
    if (read.claim !== undefined) await meetFate(reader, { ...read, claim: read.claim })
    else if (read.record.status === ENDED && !read.more) return
    else await sleep(1)
  }
}

async function meetFate({ jobs, endpointId, fates, answers }: Reader, { chunks, claim }: StreamClaim & { claim: string }): Promise<void> {
  const fate = fates.shift() ?? 'delivered'
  if (fate === 'killed') return
  const delivered = fate === 'broken' ? 0 : chunks.length
  const isKnown = fate !== 'killedAfterwards' && (await jobs.concludeClaim(endpointId, 'a', { claim, delivered }))
  if (delivered > 0) answers.push({ chunks, isKnown })
}

let worlds = 0

async function play({ chunks, readers }: Story, [one, two]: readonly [Store, Store]): Promise<readonly Reader[]> {
  worlds += 1
  const endpointId = `ep-${worlds}`
  await one.jobs.submit(endpointId, submission('a'))
  await one.jobs.take(endpointId, 'w')
  const following = readers.map((fates, n): Reader => ({
    jobs: (n % 2 === 0 ? one : two).jobs,
    endpointId,
    fates: [...fates],
    answers: [],
  }))
  const work = async () => {
    for (let n = 0; n < chunks; n += 1) await one.jobs.appendChunk({ endpointId, jobId: 'a', workerId: 'w', chunk: n })
    await one.jobs.settle({ endpointId, jobId: 'a', workerId: 'w', outcome: completed(1) })
  }
  await Promise.all([work(), ...following.map(follow)])
  return following
}

/** Answers of all readers in the order of the chunks that they deliver. */
function toldBy(readers: readonly Reader[], isKnown?: true): readonly unknown[] {
  const answers = readers.flatMap((reader) => reader.answers).filter((answer) => isKnown === undefined || answer.isKnown)
  return answers.toSorted((a, b) => Number(a.chunks[0]) - Number(b.chunks[0])).flatMap((answer) => answer.chunks)
}

/** What one reader received goes back only to repeat an answer that the store does not know of. */
function expectOrder({ answers }: Reader): void {
  const known = answers.filter((answer) => answer.isKnown).flatMap((answer) => answer.chunks.map(Number))
  expect(known).toEqual(known.toSorted((a, b) => a - b))
}

test('each chunk is delivered exactly once and in order while no gateway dies', async () => {
  const sides = [await stores.open(), await stores.open()] as const
  await fc.assert(
    fc.asyncProperty(anyStory('delivered', 'broken'), async (story) => {
      const readers = await play(story, sides)
      expect(toldBy(readers)).toEqual(Array.from({ length: story.chunks }, (_, n) => n))
      readers.forEach(expectOrder)
    }),
    { numRuns: 25 },
  )
})

test('each chunk is delivered at least once when gateways die in mid-answer, and twice only after an answer that was out', async () => {
  const sides = [await stores.open({ claimMs: 20 }), await stores.open({ claimMs: 20 })] as const
  await fc.assert(
    fc.asyncProperty(anyStory('delivered', 'broken', 'killed', 'killedAfterwards'), async (story) => {
      const readers = await play(story, sides)
      const all = Array.from({ length: story.chunks }, (_, n) => n)
      expect(toldBy(readers, true)).toEqual(all)
      expect([...new Set(toldBy(readers))]).toEqual(all)
      readers.forEach(expectOrder)
    }),
    { numRuns: 25 },
  )
})
