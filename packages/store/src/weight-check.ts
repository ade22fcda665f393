// For the property tests: what is counted of an endpoint's weights against what its keys say (ADR 42).
import assert from 'node:assert/strict'
import type { Redis } from 'ioredis'

const COUNTED = ['queueBytes'] as const

/** Whatever happens, the sum in the counters is that of what lies in the jobs of the endpoint. `base`: all its keys begin so. */
export async function checkWeights(raw: Redis, base: string, jobIds: Iterable<string>): Promise<void> {
  const jobs = await Promise.all([...jobIds].map((id) => raw.hmget(`${base}:${id}`, 'weight', 'data', 'opts')))
  let queueBytes = 0
  for (const [weight, data, opts] of jobs) {
    if (data === null || data === undefined) continue
    assert.equal(Number(weight), Buffer.byteLength(data + String(opts)) + 512)
    queueBytes += Number(weight)
  }
  assert.deepEqual(await readWeights(raw, base), { queueBytes })
}

export async function readWeights(raw: Redis, base: string): Promise<Record<(typeof COUNTED)[number], number>> {
  const [queueBytes] = await raw.hmget(`${base}:r:counters`, ...COUNTED)
  return { queueBytes: Number(queueBytes ?? 0) }
}
