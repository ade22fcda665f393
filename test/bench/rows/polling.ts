// 1,000 long-polling workers on one gateway: their effect on the p50 of `/runsync`, and the gateway's memory per worker. The workers are plain
// sockets of this process that each hold a take, ping, and return results at once (`protocol-workers.ts`).
import { runsyncP50 } from '../jobs.ts'
import { inTurn, median } from '../load.ts'
import { withProtocolWorkers } from '../protocol-workers.ts'
import { residentBytes } from '../memory.ts'
import type { RowGroup } from '../row-group.ts'

const MANY = 1000
const ROUNDS = 3

export const polling: RowGroup = {
  name: 'polling',
  title: `${MANY} long-polling workers`,
  measure: async ({ stack, times }) => {
    const endpointId = await stack.api.saveEndpoint({ name: 'bench-polling', workersMax: MANY, idleTimeout: 600 })
    const p50With = async (workers: number) =>
      withProtocolWorkers(stack, { endpointId, count: workers }, async () => {
        const p50 = await runsyncP50(stack, endpointId, times(500))
        return { p50, memory: await residentBytes(stack.gateway.pid()) }
      })
    const [few, many] = await inTurn(
      ROUNDS,
      () => p50With(1),
      () => p50With(MANY),
    )
    await stack.api.deleteEndpoint(endpointId)
    const path = `/runsync p50 with ${MANY} long-polling workers, over 1`
    return [
      { path, ours: medianP50(many), beside: medianP50(few), unit: 'ms', budget: { of: 'ratio', most: 1.5 } },
      { path: 'gateway memory per long-polling worker', ours: firstMemory(many, few) / (MANY - 1), unit: 'bytes' },
    ]
  },
}

interface Round {
  readonly p50: number
  readonly memory: number
}

function medianP50(rounds: readonly Round[]): number {
  return median(rounds.map(({ p50 }) => p50))
}

/** Only of the first round, because a process keeps its memory. */
function firstMemory([many]: readonly Round[], [few]: readonly Round[]): number {
  return (many?.memory ?? Number.NaN) - (few?.memory ?? Number.NaN)
}
