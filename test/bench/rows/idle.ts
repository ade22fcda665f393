// Redis commands per second that each further idle worker causes, over its pings: four workers against one, all else the same.
import { Redis } from 'ioredis'
import type { Stack } from '../../harness/stack.ts'
import { waitFor } from '../../harness/wait.ts'
import type { RowGroup } from '../row-group.ts'

const PING_INTERVAL_S = 10
/** Design §6: none more often than its ping. A ping costs its sign of life and, some seconds after the endpoint's last one, a look at the leases. */
const PER_PING = 1
/** Start and end of a worker cause commands of their own, which are not counted. */
const SETTLE_MS = 3000

export const idle: RowGroup = {
  name: 'idle',
  title: 'Redis commands of idle workers',
  measure: async ({ stack, times }) => {
    const windowMs = Math.max(PING_INTERVAL_S * 1000, times(2) * PING_INTERVAL_S * 1000)
    const few = await rateWithIdle(stack, { workers: 1, windowMs })
    const many = await rateWithIdle(stack, { workers: 4, windowMs })
    const beside = 1 / PING_INTERVAL_S
    const path = 'Redis commands of one idle worker, over its pings'
    return [{ path, ours: (many - few) / 3, beside, unit: 'per second', budget: { of: 'ratio', most: PER_PING } }]
  },
}

async function rateWithIdle(stack: Stack, { workers, windowMs }: { workers: number; windowMs: number }): Promise<number> {
  const settings = { workersMin: workers, workersMax: workers, idleTimeout: 600 }
  const endpoint = await stack.api.saveEndpoint({ name: `bench-idle-${workers}`, ...settings })
  await waitFor('the workers to be warm', async () => (await stack.api.health(endpoint)).workers.ready === workers)
  await new Promise((resolve) => setTimeout(resolve, SETTLE_MS))
  const rate = await commandRate(stack, windowMs)
  await stack.api.deleteEndpoint(endpoint)
  await new Promise((resolve) => setTimeout(resolve, SETTLE_MS))
  return rate
}

/** Commands that reach Redis over a connection; what a script does inside Redis costs no trip and is not counted. */
async function commandRate(stack: Stack, windowMs: number): Promise<number> {
  const redis = new Redis(stack.redis.url)
  const monitor = await redis.monitor()
  let seen = 0
  monitor.on('monitor', (_time: string, _args: readonly string[], source: string) => {
    if (source !== 'lua') seen += 1
  })
  await new Promise((resolve) => setTimeout(resolve, windowMs))
  monitor.disconnect()
  redis.disconnect()
  return seen / (windowMs / 1000)
}
