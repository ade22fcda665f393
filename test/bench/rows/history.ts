// What the history weighs in Redis (ADR 79): a million jobs that ended in a day on 64 cards, with the readings of these cards; and how long the slowest
// reads of it take. Written straight into a store of its own, since a row must not take a day. Then what keeping it costs the hot path.
import { openTestStore } from '../../harness/store.ts'
import { randomUUID } from 'node:crypto'
import { packSamples, unpackJobs, type CardSample, type PastJob } from '@runyard/core'
import type { OpenChunk, Store } from '@runyard/store'
import { startRedis } from '@runyard/testing'
import { Redis } from 'ioredis'
import type { RowGroup } from '../row-group.ts'
import { measureHistoryCost } from './history-cost.ts'

const MIB = 1024 * 1024
const DAY_MS = 24 * 3_600_000
const MINUTE_MS = 60_000
const BOUND = 64 * MIB
const CARDS = 64
const CHUNK_JOBS = 250
const OUT_OF_MEMORY = 'CUDA out of memory. Tried to allocate 20.00 MiB'

export const history: RowGroup = {
  name: 'history',
  title: 'the history of a million jobs and of a day of 64 cards, and what it costs a job',
  measure: async ({ times }) => {
    const jobs = times(1_000_000)
    await using redis = await startRedis()
    await using store = await openTestStore(redis.url, { history: { bytes: BOUND, days: 7 } })
    const client = new Redis(redis.url)
    const used = async () => Number(/used_memory:(\d+)/.exec(await client.info('memory'))?.[1])
    const before = await used()
    const start = Date.now() - DAY_MS
    await writeJobs(store, { start, count: jobs })
    const ofJobs = (await used()) - before
    await writeSamples(store, start)
    const all = (await used()) - before
    const readMs = await timed(() => readAll(store))
    client.disconnect()
    const budget = { of: 'ours', most: BOUND } as const
    return [
      { path: `history of ${jobs.toLocaleString('en')} jobs of a day, Redis memory`, ours: ofJobs, unit: 'bytes', budget },
      { path: `the same with the readings of ${CARDS} cards × 24 h`, ours: all, unit: 'bytes', budget },
      { path: 'the same per job', ours: ofJobs / jobs, unit: 'bytes' },
      { path: 'reading all of these jobs', ours: readMs, unit: 'ms' },
      ...(await measureHistoryCost(times)),
    ]
  },
}

/** Each second into the chunk of the minute, as a gateway writes them. */
async function writeJobs({ history: kept }: Store, { start, count }: { readonly start: number; readonly count: number }): Promise<void> {
  const seconds = DAY_MS / 1000
  let open: OpenChunk | undefined
  for (let second = 0, written = 0; second < seconds; second += 1) {
    const upTo = Math.floor(((second + 1) * count) / seconds)
    const jobs = Array.from({ length: upTo - written }, (_, index) => pastJob(start + second * 1000, written + index))
    written = upTo
    const into = second % 60 === 0 || (open?.jobs.length ?? 0) + jobs.length > CHUNK_JOBS ? undefined : open
    open = await kept.addJobs(jobs, { f: OUT_OF_MEMORY }, into)
  }
}

function pastJob(at: number, index: number): PastJob {
  const ran = 100 + ((index * 7919) % 4000)
  const hasFailed = index % 100 === 0
  return {
    id: `${randomUUID()}-u1`,
    endpointId: `endpoint${String(index % 20).padStart(6, '0')}`,
    status: hasFailed ? 'FAILED' : 'COMPLETED',
    cause: 'result',
    submittedAt: at - ran - ((index * 104_729) % 3000),
    startedAt: at - ran,
    endedAt: at,
    retries: 0,
    // Workers live for an hour each.
    workerId: `worker${Math.floor(at / 3_600_000) % 100_000}x${index % CARDS}`,
    keyId: `key-${index % 4}`,
    ...(hasFailed ? { fingerprint: 'f', error: OUT_OF_MEMORY } : {}),
  }
}

async function writeSamples({ history: kept }: Store, start: number): Promise<void> {
  const uuids = Array.from({ length: CARDS }, () => `GPU-${randomUUID()}`)
  const reading = (index: number): CardSample => ({ load: (index % 100) / 100, memory: 0.7, powerW: 250 + (index % 90), temperatureC: 60 })
  for (let at = start; at < start + DAY_MS; at += MINUTE_MS) {
    const cards = (count: number) =>
      new Map(uuids.map((uuid, card) => [uuid, Array.from({ length: count }, (_, step) => reading(card + step + at / MINUTE_MS))]))
    await kept.add('samples', packSamples({ at, stepMs: 10_000, cards: cards(6) }), at)
    await kept.add('sampleMinutes', packSamples({ at, stepMs: MINUTE_MS, cards: cards(1) }), at)
  }
}

async function readAll({ history: kept }: Store): Promise<void> {
  let after: string | undefined
  for (;;) {
    const chunks = await kept.chunks('jobs', { from: 0, to: Number.MAX_SAFE_INTEGER, after, count: 256 })
    for (const { bytes } of chunks) unpackJobs(bytes)
    after = chunks.at(-1)?.id
    if (chunks.length < 256) return
  }
}

async function timed(work: () => Promise<void>): Promise<number> {
  const beganAt = performance.now()
  await work()
  return performance.now() - beganAt
}
