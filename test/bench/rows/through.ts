// No-op jobs per second from the first submission to the last completion, relative to bare take and complete.
import type { Stack } from '../../harness/stack.ts'
import { waitFor } from '../../harness/wait.ts'
import { bareTakeAndComplete } from '../bare-queue.ts'
import { NO_OP_BODY, targetOf } from '../jobs.ts'
import { inTurn, median, sendMany } from '../load.ts'
import { withProtocolWorkers } from '../protocol-workers.ts'
import type { RowGroup } from '../row-group.ts'
import type { Measured } from '../table.ts'

const ROUNDS = 5

export const through: RowGroup = {
  name: 'through',
  title: 'no-op jobs end to end',
  measure: async ({ stack, times }) => {
    const row = async (workers: string, measure: () => Promise<number>): Promise<Measured> => {
      const [floors, ours] = await inTurn(ROUNDS, () => bareTakeAndComplete(stack.redis.socket, times(10_000)), measure)
      const path = `no-op jobs end to end, ${workers}`
      return { path, ours: median(ours), beside: median(floors), unit: 'per second' }
    }
    // Not counted: the gateway's code is compiled while it runs for the first time.
    await endToEndWithoutPython(stack, { workers: 32, count: times(10_000) })
    return [
      await row('32 workers that answer at once', () => endToEndWithoutPython(stack, { workers: 32, count: times(5000) })),
      await row('2 Python workers', () => endToEnd(stack, { workers: 2, count: times(1000) })),
    ]
  },
}

/** No-op jobs per second from the first submission to the last completion, with `workers` warm Python workers. */
export async function endToEnd(stack: Stack, options: { workers: number; count: number }): Promise<number> {
  const endpoint = await stack.api.saveEndpoint({
    name: `bench-through-${options.workers}`,
    workersMin: options.workers,
    workersMax: options.workers,
    idleTimeout: 600,
  })
  await waitFor('the workers to be warm', async () => (await stack.api.health(endpoint)).workers.ready === options.workers)
  await sendMany(targetOf(stack, `/v2/${endpoint}/runsync`, NO_OP_BODY), { connections: options.workers * 2, count: 20 })
  const rate = await throughput(stack, endpoint, options.count)
  await stack.api.deleteEndpoint(endpoint)
  return rate
}

/** The same with workers that return results at once and run no Python: the capacity of queue and gateway. */
async function endToEndWithoutPython(stack: Stack, options: { workers: number; count: number }): Promise<number> {
  const endpointId = await stack.api.saveEndpoint({ name: 'bench-protocol', workersMax: options.workers, idleTimeout: 600 })
  const rate = await withProtocolWorkers(stack, { endpointId, count: options.workers }, () => throughput(stack, endpointId, options.count))
  await stack.api.deleteEndpoint(endpointId)
  return rate
}

/** Jobs per second from the first submission to the last completion. */
async function throughput(stack: Stack, endpoint: string, count: number): Promise<number> {
  const completed = async (): Promise<number> => (await stack.api.health(endpoint)).jobs.completed
  const before = await completed()
  const begun = performance.now()
  await sendMany(targetOf(stack, `/v2/${endpoint}/run`, NO_OP_BODY), { connections: 32, count })
  await waitFor('all jobs to complete', async () => (await completed()) - before >= count, { intervalMs: 20, timeoutMs: 60_000 })
  return (count * 1000) / (performance.now() - begun)
}
