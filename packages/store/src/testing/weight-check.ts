// For the property tests: what is counted of an endpoint's weights against what its keys say (ADR 42).
import assert from 'node:assert/strict'
import type { Redis } from 'ioredis'

const COUNTED = ['queueBytes', 'unreadBytes', 'keptBytes'] as const
type Weights = Record<(typeof COUNTED)[number], number>

export const NOTHING: Weights = { queueBytes: 0, unreadBytes: 0, keptBytes: 0 }

/** Whatever happens, each sum in the counters is that of what lies in the keys of the endpoint. `base`: all of them begin so. */
export async function checkWeights(
  raw: Redis,
  base: string,
  { jobs, batches = [] }: { jobs: Iterable<string>; batches?: readonly string[] },
): Promise<void> {
  const entries = await raw.hgetall(`${base}:r:ended`)
  const drafts = await Promise.all(batches.map(async (id) => weighDrafts(raw, base, id)))
  const lives = await Promise.all([...jobs].map((id) => weighJob(raw, base, id)))
  const kept = Object.values(entries).map((entry) => Number(entry.split(' ')[3]))
  assert.deepEqual(await readWeights(raw, base), {
    queueBytes: sum([...lives.map(({ weight }) => weight), ...drafts]),
    unreadBytes: sum(lives.map(({ unread }) => unread)),
    keptBytes: sum(kept),
  })
}

/** Those of a batch that has expired weigh until the next look at batches. */
async function weighDrafts(raw: Redis, base: string, id: string): Promise<number> {
  const [counted, texts] = await Promise.all([raw.hget(`${base}:r:drafts`, id), raw.hvals(`${base}:b:${id}:drafts`)])
  if ((await raw.exists(`${base}:b:${id}`)) === 1) {
    assert.equal(Number(counted ?? 0), sum(texts.map((text) => Buffer.byteLength(text) + 512)))
  }
  return Number(counted ?? 0)
}

async function weighJob(raw: Redis, base: string, id: string): Promise<{ weight: number; unread: number }> {
  // In this order: the record of an ended job is there no longer than its chunks.
  const [[weight, unread, data, opts], chunks, settled, entry] = await Promise.all([
    raw.hmget(`${base}:${id}`, 'weight', 'unread', 'data', 'opts'),
    raw.lrange(`${base}:c:${id}`, 0, -1),
    raw.hgetall(`${base}:s:${id}`),
    raw.hget(`${base}:r:ended`, id),
  ])
  const streamed = sum(chunks.filter((chunk) => !chunk.startsWith('!')).map((chunk) => Buffer.byteLength(chunk) + 16))
  if (typeof data !== 'string') {
    if (settled['outcome'] !== undefined) assert.equal(Number(entry?.split(' ')[3]), weighRecord(settled) + streamed)
    return { weight: 0, unread: 0 }
  }
  assert.equal(Number(weight), Buffer.byteLength(data + String(opts)) + 512)
  assert.equal(Number(unread ?? 0), streamed)
  return { weight: Number(weight), unread: Number(unread ?? 0) }
}

function weighRecord(settled: Readonly<Record<string, string>>): number {
  const texts = ['outcome', 'name', 'priority', 'opts', 'data', 'pb'].map((name) => settled[name] ?? '')
  return sum(texts.map((text) => Buffer.byteLength(text))) + 512
}

export async function readWeights(raw: Redis, base: string): Promise<Weights> {
  const [queueBytes, unreadBytes, keptBytes] = (await raw.hmget(`${base}:r:counters`, ...COUNTED)).map((text) => Number(text ?? 0))
  return { queueBytes: queueBytes ?? 0, unreadBytes: unreadBytes ?? 0, keptBytes: keptBytes ?? 0 }
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, one) => total + one, 0)
