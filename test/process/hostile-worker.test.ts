// One worker attacks with everything it has: its token, bodies of many small keys, endless lines, endless chunks, forged headers. Other
// endpoints continue: their jobs complete, their cold starts succeed, and no resource of the pool grows without bound.
// A row of the benchmarks measures how much slower they get (`pnpm bench hostile`).
import { Redis } from 'ioredis'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startStack, type Stack } from '../harness/stack.ts'
import { suiteThatNeeds } from '../harness/suite.ts'
import { ECHO, sourceCall, valueOf } from '../suites/calls.ts'
import { startHostileWorker } from '../suites/hostile.ts'

const STREAM_BYTES = 64 * 1024 * 1024
const CALLS = 150
/** Logs and records of a few workers. */
const ROOM_BYTES = 32 * 1024 * 1024

await suiteThatNeeds(['redis'], 'a hostile worker', () => {
  let stack: Stack

  beforeAll(async () => {
    stack = await startStack({ host: 'process', settings: { RUNYARD_LIMITS_STREAM_BYTES: `${STREAM_BYTES}` } })
  })
  afterAll(async () => {
    await stack?.stop()
  })

  test('does not stop the jobs or cold starts of others, and does not fill Redis', async () => {
    const { api } = stack
    const good = await api.saveEndpoint({ name: 'good', workersMin: 1, idleTimeout: 60 })
    const call = async (endpointId: string, value: number) =>
      valueOf((await api.runsync(endpointId, sourceCall('echo', ECHO, { value })))['output'])['value']
    await call(good, 0)
    const before = await usedMemory(stack)
    const hostile = await startHostileWorker(stack)
    for (let value = 1; value <= CALLS; value += 1) expect(await call(good, value)).toBe(value)
    const cold = await api.saveEndpoint({ name: 'cold', idleTimeout: 5 })
    expect(await call(cold, 7)).toBe(7)
    const grown = (await usedMemory(stack)) - before
    const seen = await hostile.stop()
    console.log(`hostile worker: ${JSON.stringify(seen)}; Redis grew by ${(grown / 1e6).toFixed(1)} MB`)
    expect(Object.keys(seen).filter((what) => / 5\d\d$/.test(what))).toEqual([])
    expect(seen).toMatchObject({
      'endless line': expect.any(Number),
      'many lines': expect.any(Number),
      'forged headers': expect.any(Number),
    })
    expect(grown).toBeLessThan(STREAM_BYTES + ROOM_BYTES)
    expect((await api.get(`/v2/${hostile.endpointId}/health`)).status).toBe(200)
    expect((await api.get(`/v2/serverless/${hostile.endpointId}/events`)).status).toBeLessThan(500)
    expect(await call(good, -1)).toBe(-1)
  })
})

async function usedMemory(stack: Stack): Promise<number> {
  const redis = new Redis(stack.redis.url)
  try {
    return Number(/used_memory:(\d+)/.exec(await redis.info('memory'))?.[1])
  } finally {
    redis.disconnect()
  }
}
