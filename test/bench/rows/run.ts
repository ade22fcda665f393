// `POST /run` accepted per second, relative to the slower of bare `Queue.add` and a Fastify server that only responds; without workers.
import { join } from 'node:path'
import { findFreePort } from '@runyard/testing/free-port'
import { startChild } from '../../harness/child.ts'
import type { Stack } from '../../harness/stack.ts'
import { waitFor } from '../../harness/wait.ts'
import { bareAdds } from '../bare-queue.ts'
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
  const port = await findFreePort()
  const child = startChild({
    name: 'echo',
    command: process.execPath,
    args: [join(import.meta.dirname, '..', 'echo-server.ts'), `${port}`],
  })
  try {
    await waitFor('the echo to listen', async () => (await fetch(`http://127.0.0.1:${port}/`)).status === 404)
    const target = { host: '127.0.0.1', port, path: '/echo', headers: { 'content-type': 'application/json' }, body: NO_OP_BODY }
    await measureRate(target, { connections: 64, durationMs: 500 })
    return await measureRate(target, { connections: 64, durationMs })
  } finally {
    await child.stop(1000)
  }
}
