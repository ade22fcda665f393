// Redis commands per second that idle workers cause, relative to their pings: everything that the gateway asks about their endpoint.
import { setTimeout as sleep } from 'node:timers/promises'
import type { Stack } from '../../harness/stack.ts'
import { concerns, traceRedis } from '../../harness/redis-trace.ts'
import { waitFor } from '../../harness/wait.ts'
import type { RowGroup } from '../row-group.ts'

const PING_INTERVAL_S = 10
/** At most one command per ping (ADR 24). */
const PER_PING = 1
const WORKERS = 4
/** The start of a worker causes further commands, which are not counted. */
const SETTLE_MS = 3000

export const idle: RowGroup = {
  name: 'idle',
  title: 'Redis commands of idle workers',
  measure: async ({ stack, times }) => {
    const windowMs = Math.max(PING_INTERVAL_S * 1000, times(2) * PING_INTERVAL_S * 1000)
    const ours = await commandRate(stack, windowMs)
    const path = 'Redis commands of one idle worker, over its pings'
    return [{ path, ours, beside: 1 / PING_INTERVAL_S, unit: 'per second', budget: { of: 'ratio', most: PER_PING } }]
  },
}

/**
 * For one worker. A command that reaches Redis counts; commands inside a script cost no round trip. The scaler, which reads everything anyway, is
 * stopped meanwhile, because over a unix socket Redis does not report which client sends a command.
 */
async function commandRate(stack: Stack, windowMs: number): Promise<number> {
  const settings = { workersMin: WORKERS, workersMax: WORKERS, idleTimeout: 600 }
  const endpoint = await stack.api.saveEndpoint({ name: 'bench-idle', ...settings })
  await waitFor('the workers to be warm', async () => (await stack.api.health(endpoint)).workers.ready === WORKERS)
  await sleep(SETTLE_MS)
  // Killed, it leaves its workers running.
  await stack.scaler.kill()
  const commands = await traceRedis(stack.redis.url, () => sleep(windowMs))
  await stack.scaler.start()
  await stack.api.deleteEndpoint(endpoint)
  await sleep(SETTLE_MS)
  return commands.filter((command) => concerns(command, endpoint)).length / WORKERS / (windowMs / 1000)
}
