// A worker of another endpoint attacks the gateway: what this costs `/runsync` of other endpoints. The same attack on another gateway of the same
// machine shows how much of that is only the attackers' CPU time. Uses the process host, because files control the attack.
import { startStack, type Stack } from '../../harness/stack.ts'
import { startHostileWorker } from '../../suites/hostile.ts'
import { withRunsync, withWarmEndpoint } from '../jobs.ts'
import { measureSequence, percentile } from '../load.ts'
import type { RowGroup } from '../row-group.ts'

export const hostile: RowGroup = {
  name: 'hostile',
  title: 'a hostile worker next to a normal one',
  measure: async ({ times }) => {
    await using stacks = new AsyncDisposableStack()
    const open = async (): Promise<Stack> =>
      stacks.adopt(await startStack({ host: 'process', settings: { RUNYARD_LOG_LEVEL: 'info' } }), (stack) => stack.stop())
    const [stack, other] = [await open(), await open()]
    return await withWarmEndpoint(stack, async (endpointId) => {
      const latencies = () => withRunsync(stack, endpointId, (send) => measureSequence(send, times(1000)))
      const quiet = await latencies()
      const elsewhere = await underAttack(other, latencies)
      const attacked = await underAttack(stack, latencies)
      const row = (name: string, share: number, beside: { readonly what: string; readonly latencies: readonly number[] }) => ({
        path: `/runsync ${name} beside a hostile worker, over ${beside.what}`,
        ours: percentile(attacked, share),
        beside: percentile(beside.latencies, share),
        unit: 'ms' as const,
      })
      const [none, another] = [
        { what: 'none', latencies: quiet },
        { what: 'one at another gateway', latencies: elsewhere },
      ]
      const budget = { of: 'ratio', most: 2 } as const
      return [row('p50', 0.5, none), { ...row('p99', 0.99, none), budget }, row('p50', 0.5, another), row('p99', 0.99, another)]
    })
  },
}

async function underAttack<T>(stack: Stack, measure: () => Promise<T>): Promise<T> {
  const worker = await startHostileWorker(stack)
  const result = await measure()
  await worker.stop()
  await stack.api.deleteEndpoint(worker.endpointId)
  return result
}
