// Test fixtures: one Redis for a file, which stops after its gateways.
import { startRedis, type TestRedis } from '@runyard/testing'
import { afterAll, beforeAll, beforeEach } from 'vitest'
import { startGateway, type TestGateway, type TestGatewayOptions, type TestWorker } from './gateway.ts'

export interface GatewaySite {
  readonly gateway: TestGateway
  readonly ep: string
  readonly worker: TestWorker
}

interface Start {
  (config?: Record<string, unknown>, options?: TestGatewayOptions): Promise<TestGateway>
  /** For tests that break it. */
  readonly redis: () => TestRedis
}

/** Returns what starts gateways on the file's Redis. A test may close one earlier. */
export function useGateways(): Start {
  let redis: TestRedis
  const scope = new AsyncDisposableStack()
  beforeAll(async () => {
    redis = await startRedis()
  })
  afterAll(async () => {
    await scope.disposeAsync()
    await redis.stop()
  })
  const start = async (...how: Parameters<Start>): Promise<TestGateway> => scope.use(await startGateway(redis.url, ...how))
  return Object.assign(start, { redis: () => redis })
}

/** One gateway, and a new endpoint with a worker for each test. `enter` gets each test's site before the test runs. */
export function useGateway(config: Record<string, unknown>, enter: (site: GatewaySite) => void): void {
  const start = useGateways()
  let gateway: TestGateway
  beforeAll(async () => {
    gateway = await start(config)
  })
  beforeEach(async () => {
    const ep = (await gateway.addEndpoint()).id
    enter({ gateway, ep, worker: await gateway.addWorker(ep) })
  })
}
