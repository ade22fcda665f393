// A worker of another endpoint attacks the gateway meanwhile: what it costs everybody else's `/runsync`. On a stack of its own with the process
// host, since the attack is steered by files.
import { startStack } from '../../harness/stack.ts'
import { startHostileWorker } from '../../suites/hostile.ts'
import { withRunsync, withWarmEndpoint } from '../jobs.ts'
import { measureSequence, percentile } from '../load.ts'
import type { RowGroup } from '../row-group.ts'

export const hostile: RowGroup = {
  name: 'hostile',
  title: 'a hostile worker beside a good one',
  measure: async ({ times }) => {
    const stack = await startStack({ host: 'process', settings: { RUNYARD_LOG_LEVEL: 'info' } })
    try {
      return await withWarmEndpoint(stack, async (endpointId) => {
        const latencies = () => withRunsync(stack, endpointId, (send) => measureSequence(send, times(1000)))
        const quiet = await latencies()
        const worker = await startHostileWorker(stack)
        const attacked = await latencies()
        await worker.stop()
        await stack.api.deleteEndpoint(worker.endpointId)
        const row = (name: string, share: number) => ({
          path: `/runsync ${name} beside a hostile worker, over none`,
          ours: percentile(attacked, share),
          beside: percentile(quiet, share),
          unit: 'ms' as const,
        })
        return [row('p50', 0.5), { ...row('p99', 0.99), budget: { of: 'ratio', most: 2 } as const }]
      })
    } finally {
      await stack.stop()
    }
  },
}
