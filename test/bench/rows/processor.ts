// Processor time of the gateway for one job: submit, take, result, status. Beside it three requests to a Fastify server that only parses and answers
// JSON. As the system counts it per process, so that other load on the machine changes it little. The workers are plain sockets, and take the next
// job with the answer to a result (ADR 28).
import type { Stack } from '../../harness/stack.ts'
import { waitFor } from '../../harness/wait.ts'
import { withEcho } from '../echo.ts'
import { NO_OP_BODY, targetOf } from '../jobs.ts'
import { inTurn, median, openConnection, requestBytes, sendMany, type Target } from '../load.ts'
import { processorMs } from '../processor-ms.ts'
import { withProtocolWorkers } from '../protocol-workers.ts'
import type { RowGroup } from '../row-group.ts'

const ROUNDS = 3
const WORKERS = 4
const CONNECTIONS = 8
/** Requests of Runpod's protocol for one job, beside its status. */
const REQUESTS_PER_JOB = 3

export const processor: RowGroup = {
  name: 'processor',
  title: 'processor time of the gateway per job',
  measure: async ({ stack, times }) => {
    const count = times(4000)
    const [floors, ours] = await inTurn(
      ROUNDS,
      () =>
        withEcho((target, pid) =>
          costOf(pid, count * REQUESTS_PER_JOB, () => sendMany(target, { connections: CONNECTIONS, count: count * REQUESTS_PER_JOB })),
        ),
      () => gatewayCost(stack, count),
    )
    const beside = median(floors) * REQUESTS_PER_JOB
    const path = 'gateway processor time of one job (submit, take, result, status), over three bare Fastify requests'
    return [{ path, ours: median(ours), beside, unit: 'ms', budget: { of: 'ratio', most: 2.5 } }]
  },
}

async function gatewayCost(stack: Stack, count: number): Promise<number> {
  const endpointId = await stack.api.saveEndpoint({ name: 'bench-processor', workersMax: WORKERS, idleTimeout: 600 })
  const submit = targetOf(stack, `/v2/${endpointId}/run`, NO_OP_BODY)
  const completed = async (): Promise<number> => (await stack.api.health(endpointId)).jobs.completed
  const cost = await withProtocolWorkers(stack, { endpointId, count: WORKERS }, async () => {
    await submitAndLook(submit, CONNECTIONS * 20)
    const before = await completed()
    return costOf(stack.gateway.pid(), count, async () => {
      await submitAndLook(submit, count)
      await waitFor('all jobs to complete', async () => (await completed()) - before >= count, { intervalMs: 100, timeoutMs: 60_000 })
    })
  })
  await stack.api.deleteEndpoint(endpointId)
  return cost
}

/** Each connection submits a job and reads its status, one after another. */
async function submitAndLook(submit: Target, count: number): Promise<void> {
  let left = count
  await Promise.all(
    Array.from({ length: CONNECTIONS }, async () => {
      const connection = await openConnection(submit)
      while (left > 0) {
        left -= 1
        const { body } = await connection.send(requestBytes({ ...submit, method: 'POST' }))
        const { id } = JSON.parse(body) as { id: string }
        const path = submit.path.replace(/run$/, `status/${id}`)
        await connection.send(requestBytes({ ...submit, method: 'GET', path, body: '' }))
      }
      connection.close()
    }),
  )
}

/** Ms of processor time that the process spends per unit of `work`. */
async function costOf(pid: number, units: number, work: () => Promise<unknown>): Promise<number> {
  const before = await processorMs(pid)
  await work()
  return ((await processorMs(pid)) - before) / units
}
