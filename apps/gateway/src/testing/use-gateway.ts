// Test fixture: one gateway and one Redis for a file, a new endpoint with a worker for each test.
import { startRedis, type TestRedis } from '@runyard/testing'
import { afterAll, beforeAll, beforeEach } from 'vitest'
import { startGateway, type TestGateway, type TestWorker } from './gateway.ts'

export interface GatewaySite {
  readonly gateway: TestGateway
  readonly ep: string
  readonly worker: TestWorker
}

/** `enter` gets each test's site before the test runs. */
export function useGateway(config: Record<string, unknown>, enter: (site: GatewaySite) => void): void {
  let redis: TestRedis
  let gateway: TestGateway

  beforeAll(async () => {
    redis = await startRedis()
    gateway = await startGateway(redis.url, config)
  })
  afterAll(async () => {
    await gateway[Symbol.asyncDispose]()
    await redis.stop()
  })
  beforeEach(async () => {
    const ep = (await gateway.addEndpoint()).id
    enter({ gateway, ep, worker: await gateway.addWorker(ep) })
  })
}
