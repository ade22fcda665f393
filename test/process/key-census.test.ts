// What a gateway and a scaler leave in Redis of deleted endpoints (ADR 43): nothing without an expiry, except for the permanent keys.
import { ENDING_KEYS, isPermanent, keysWithoutExpiry } from '@runyard/testing'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startStack, type Stack } from '../harness/stack.ts'
import { suiteThatNeeds } from '../harness/suite.ts'
import { ECHO, FAIL, NAP, sourceCall } from '../suites/calls.ts'

await suiteThatNeeds(['redis'], 'endpoints that are gone', () => {
  let stack: Stack
  let redis: Redis
  beforeAll(async () => {
    stack = await startStack({ host: 'process', simulatedGpus: 'NVIDIA GeForce RTX 4090:1' })
    redis = new Redis(stack.redis.url)
  })
  afterAll(async () => {
    redis?.disconnect()
    await stack?.stop()
  })

  test('leave no key without an expiry except for permanent keys, although jobs ran and waited until the end', async () => {
    const { api } = stack
    const endpoint = await api.saveEndpoint({ name: 'short', gpuIds: 'ADA_24', idleTimeout: 60 })
    const ids = [await api.run(endpoint, sourceCall('echo', ECHO)), await api.run(endpoint, sourceCall('fail', FAIL))]
    for (const id of ids) await api.settled(endpoint, id)
    for (let n = 0; n < 3; n += 1) await api.run(endpoint, sourceCall('nap', NAP, { seconds: 30 }))
    await api.deleteEndpoint(endpoint)
    const ofEndpoints = (key: string) => !isPermanent(key) && !ENDING_KEYS.includes(key) && !key.startsWith('{@}:template')
    await expect
      .poll(async () => (await keysWithoutExpiry(redis, 'runyard')).filter(ofEndpoints), { timeout: 90_000, interval: 500 })
      .toEqual([])
  })
})
