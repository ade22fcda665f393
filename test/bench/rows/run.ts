// `POST /run` accepted per second, relative to the slower of bare `Queue.add` and a Fastify server that only responds; without workers.
import type { Stack } from '../../harness/stack.ts'
import { bareAdds } from '../bare-queue.ts'
import { withEcho } from '../echo.ts'
import { NO_OP_BODY, targetOf } from '../jobs.ts'
import { inTurn, measureRate, median } from '../load.ts'
import type { RowGroup } from '../row-group.ts'

const ROUNDS = 3

export const run: RowGroup = {
  name: 'run',
  title: 'POST /run accepted per second',
  measure: async ({ stack, times }) => {
    const durationMs = times(2000)
    const floor = async () => Math.min(await bareAdds(stack.redis.socket, durationMs), await bareEcho(durationMs))
    const [floors, ours] = await inTurn(ROUNDS, floor, () => acceptedRuns(stack, durationMs))
    return [
      { path: 'POST /run accepted', ours: median(ours), beside: median(floors), unit: 'per second', budget: { of: 'ratio', least: 0.5 } },
    ]
  },
}

async function acceptedRuns(stack: Stack, durationMs: number): Promise<number> {
  const endpoint = await stack.api.saveEndpoint({ name: 'bench-accept', workersMax: 0 })
  const accept = targetOf(stack, `/v2/${endpoint}/run`, NO_OP_BODY)
  await measureRate(accept, { connections: 64, durationMs: 300 })
  const rate = await measureRate(accept, { connections: 64, durationMs })
  await stack.api.deleteEndpoint(endpoint)
  return rate
}

/** Requests per second of a Fastify server that parses and returns JSON, in a separate process. */
async function bareEcho(durationMs: number): Promise<number> {
  return withEcho((target) => measureRate(target, { connections: 64, durationMs }))
}
