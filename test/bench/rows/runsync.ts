// Warm `/runsync` of a no-op Python function, relative to the bare queue's round trip from add to complete.
import { bareRoundTrip } from '../bare-queue.ts'
import { withRunsync, withWarmEndpoint } from '../jobs.ts'
import { inTurn, measureLatency, percentile } from '../load.ts'
import type { RowGroup } from '../row-group.ts'

/** A fixed rate, however long the responses take. */
const PER_SECOND = 100
const ROUNDS = 4
const WARM_UP_ROUNDS = 4

export const runsync: RowGroup = {
  name: 'runsync',
  title: `warm /runsync at ${PER_SECOND}/s`,
  measure: async ({ stack, times }) => {
    const load = { perSecond: PER_SECOND, count: times(250) }
    const [floor, ours] = await withWarmEndpoint(stack, async (endpointId) => {
      const measure = () => withRunsync(stack, endpointId, (send) => measureLatency(send, load))
      // Warm-up, not counted: in its first seconds each of the four Node processes still compiles, on the same cores.
      for (let round = 0; round < WARM_UP_ROUNDS; round += 1) await measure()
      return inTurn(ROUNDS, () => bareRoundTrip(stack.redis.socket, load), measure)
    })
    const at = (share: number) => ({ ours: percentile(ours.flat(), share), beside: percentile(floor.flat(), share), unit: 'ms' }) as const
    return [
      { path: `warm /runsync at ${PER_SECOND}/s, p50`, ...at(0.5), budget: { of: 'ratio', most: 2 } },
      { path: `warm /runsync at ${PER_SECOND}/s, p99`, ...at(0.99), budget: { of: 'ours', most: 25 } },
    ]
  },
}
