// 100,000 queued jobs on one endpoint: their effect on the p50 of `/runsync` on other endpoints and of `/run` on the same endpoint, and the Redis
// memory per job. The full endpoint is not deleted; it ends with the stack.
import { Redis } from 'ioredis'
import type { Stack } from '../../harness/stack.ts'
import { NO_OP_BODY, targetOf, warmP50 } from '../jobs.ts'
import { measureSequence, median, openPool, sendMany, type Target } from '../load.ts'
import type { RowGroup } from '../row-group.ts'

export const backlog: RowGroup = {
  name: 'backlog',
  title: 'a long queue on one endpoint',
  measure: async ({ stack, times }) => {
    const count = times(100_000)
    const endpointId = await stack.api.saveEndpoint({ name: 'bench-backlog', workersMax: 0 })
    const run = targetOf(stack, `/v2/${endpointId}/run`, NO_OP_BODY)
    const p50s = async () => ({
      run: await runP50(run, times(500)),
      runsync: await warmP50(stack, times(500)),
    })
    const empty = await p50s()
    const before = await usedMemory(stack)
    await sendMany(run, { connections: 64, count })
    const bytes = ((await usedMemory(stack)) - before) / count
    const full = await p50s()
    const budget = { of: 'ratio', most: 1.5 } as const
    const queued = `${count.toLocaleString('en')} queued jobs`
    return [
      { path: `/runsync p50 beside ${queued}, over none`, ours: full.runsync, beside: empty.runsync, unit: 'ms', budget },
      { path: `/run p50 behind ${queued}, over none`, ours: full.run, beside: empty.run, unit: 'ms', budget },
      { path: `Redis memory per queued job of ${Buffer.byteLength(NO_OP_BODY)} B`, ours: bytes, unit: 'bytes' },
    ]
  },
}

async function runP50(target: Target, count: number): Promise<number> {
  const pool = await openPool(target, 1)
  const latencies = await measureSequence(pool.send, count)
  pool.close()
  return median(latencies)
}

async function usedMemory(stack: Stack): Promise<number> {
  const redis = new Redis(stack.redis.url)
  const info = await redis.info('memory')
  redis.disconnect()
  return Number(/used_memory:(\d+)/.exec(info)?.[1])
}
