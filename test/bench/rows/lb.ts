// A request to a load-balanced endpoint, one after another: through gateway, tunnel and agent, beside a bare reverse proxy of Node in front of the same
// server.
import { join } from 'node:path'
import { findFreePort } from '@runyard/testing/free-port'
import { startChild, type Child } from '../../harness/child.ts'
import type { Stack } from '../../harness/stack.ts'
import { addWorker, openTestStore } from '../../harness/store.ts'
import { waitFor } from '../../harness/wait.ts'
import { targetOf } from '../jobs.ts'
import { inTurn, measureSequence, median, openPool, type Target } from '../load.ts'
import type { RowGroup } from '../row-group.ts'

const ROUNDS = 3
const SERVER = join(import.meta.dirname, '..', 'lb-server.ts')
const AGENT = join(import.meta.dirname, '..', '..', '..', 'apps', 'agent', 'dist', 'agent.mjs')
const BODY = JSON.stringify({ text: 'x'.repeat(200) })

export const lb: RowGroup = {
  name: 'lb',
  title: 'a request to a load-balanced endpoint',
  measure: async ({ stack, times }) => {
    const count = times(2000)
    await using children = new AsyncDisposableStack()
    const start = (args: readonly string[], port: number): void => {
      const env = { ...process.env, PORT: `${port}` }
      const child = startChild({ name: 'lb server', command: process.execPath, args: [SERVER, ...args], env })
      children.defer(() => child.stop(1000).then(() => undefined))
    }
    const [port, proxyPort] = [await findFreePort(), await findFreePort()]
    start([], port)
    start(['proxy', `${port}`], proxyPort)
    const { id, worker } = await startBalanced(stack)
    children.defer(() => worker.stop(1000).then(() => undefined))
    children.defer(() => stack.api.deleteEndpoint(id))
    const bare = { host: '127.0.0.1', port: proxyPort, path: '/work', headers: { 'content-type': 'application/json' }, body: BODY }
    const ours = targetOf(stack, `/lb/${id}/work`, BODY)
    const [proxied, balanced] = await inTurn(
      ROUNDS,
      () => p50(bare, count),
      () => p50(ours, count),
    )
    const path = 'load-balanced request, p50, over a bare reverse proxy'
    return [{ path, ours: median(balanced), beside: median(proxied), unit: 'ms', budget: { of: 'ratio', most: 1.5 } }]
  },
}

/** A worker that no scaler started: our agent with the server as its image's command. */
async function startBalanced(stack: Stack): Promise<{ id: string; worker: Child }> {
  const template = { name: 'bench-lb', imageName: 'runpod/flash-lb-cpu:py3.12-latest', containerDiskInGb: 10, dockerArgs: '', env: [] }
  const input = { name: 'bench-lb', type: 'LB', instanceIds: ['cpu3c-1-2'], workersMin: 0, workersMax: 1, idleTimeout: 3600, template }
  const saved = await stack.api.graphql('mutation saveEndpoint($input: EndpointInput!) { saveEndpoint(input: $input) { id } }', { input })
  const { id } = saved['saveEndpoint'] as { id: string }
  await using store = await openTestStore(stack.redis.url)
  const { id: workerId, token } = await addWorker(store, id)
  const at = (route: string): string => `${stack.planeUrl}/v2/${id}/${route}/${workerId}?gpu=none`
  const env = {
    ...process.env,
    RUNPOD_WEBHOOK_GET_JOB: at('job-take'),
    RUNPOD_WEBHOOK_POST_OUTPUT: at('job-done'),
    RUNPOD_WEBHOOK_PING: at('ping'),
    RUNPOD_AI_API_KEY: token,
    RUNPOD_POD_ID: workerId,
    RUNPOD_ENDPOINT_ID: id,
    RUNYARD_SERVES: 'http',
    RUNYARD_COMMAND: JSON.stringify([process.execPath, SERVER]),
    RUNYARD_SCRATCH_DIR: stack.dataDir,
  }
  const worker = startChild({ name: 'lb worker', command: process.execPath, args: [AGENT], env })
  await waitFor('the worker to answer', async () => (await stack.api.request(`/lb/${id}/work`, { body: BODY })).status === 200, {
    timeoutMs: 30_000,
  })
  return { id, worker }
}

async function p50(target: Target, count: number): Promise<number> {
  const pool = await openPool(target, 1)
  const send = async (): Promise<void> => {
    const { status, body } = await pool.send()
    if (status !== 200) throw new Error(`the request was answered ${status}: ${body}`)
  }
  await measureSequence(send, 200)
  const latencies = await measureSequence(send, count)
  pool.close()
  return median(latencies)
}
