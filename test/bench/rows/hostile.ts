// A worker of another endpoint attacks the gateway meanwhile: what it costs everybody else's `/runsync`.
import { startHostileWorker } from '../../suites/hostile.ts'
import { withRunsync, withWarmEndpoint } from '../jobs.ts'
import { measureSequence, percentile } from '../load.ts'
import type { RowGroup } from '../row-group.ts'

export const hostile: RowGroup = {
  name: 'hostile',
  title: 'a hostile worker beside a good one',
  measure: async ({ stack, times }) =>
    await withWarmEndpoint(stack, async (endpointId) => {
      const latencies = () => withRunsync(stack, endpointId, (send) => measureSequence(send, times(1000)))
      const quiet = await latencies()
      const worker = await startHostileWorker(stack)
      const attacked = await latencies()
      await worker.stop()
      await stack.api.deleteEndpoint(worker.endpointId)
      return [
        {
          path: '/runsync p50 beside a hostile worker, over none',
          ours: percentile(attacked, 0.5),
          beside: percentile(quiet, 0.5),
          unit: 'ms',
        },
        {
          path: '/runsync p99 beside a hostile worker, over none',
          ours: percentile(attacked, 0.99),
          beside: percentile(quiet, 0.99),
          unit: 'ms',
          budget: { of: 'ratio', most: 2 },
        },
      ]
    }),
}
