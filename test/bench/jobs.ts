// The no-op job that all rows send, and the warm `/runsync` that several of them compare with.
import type { Stack } from '../harness/stack.ts'
import { sourceCall } from '../suites/calls.ts'
import { measureLatency, openPool, type Target } from './load.ts'

const NO_OP = 'def noop():\n    return None\n'
export const NO_OP_BODY = JSON.stringify({ input: sourceCall('noop', NO_OP) })
/** How the latency rows ask: at a steady rate, whatever the answers take. */
export const PER_SECOND = 100

export function targetOf(stack: Stack, path: string, body: string): Target {
  const url = new URL(stack.url)
  const headers = { authorization: `Bearer ${stack.key}`, 'content-type': 'application/json' }
  return { host: url.hostname, port: Number(url.port), path, headers, body }
}

/** An endpoint of its own with one worker that stays. */
export async function withWarmEndpoint<T>(stack: Stack, work: (endpointId: string) => Promise<T>): Promise<T> {
  const endpointId = await stack.api.saveEndpoint({ name: `bench-warm-${Date.now()}`, workersMin: 1, idleTimeout: 600 })
  const result = await work(endpointId)
  await stack.api.deleteEndpoint(endpointId)
  return result
}

/** Latencies in ms of warm `/runsync` of a no-op Python function. */
export async function warmRunsync(stack: Stack, count: number): Promise<readonly number[]> {
  return await withWarmEndpoint(stack, (endpointId) => runsyncLatencies(stack, endpointId, count))
}

export async function runsyncLatencies(stack: Stack, endpointId: string, count: number): Promise<readonly number[]> {
  const pool = await openPool(targetOf(stack, `/v2/${endpointId}/runsync`, NO_OP_BODY), 32)
  const send = async (): Promise<void> => {
    const answer = await pool.send()
    if (!answer.body.includes('"COMPLETED"')) throw new Error(`runsync answered ${answer.status}: ${answer.body}`)
  }
  for (let index = 0; index < 50; index += 1) await send()
  const latencies = await measureLatency(send, { perSecond: PER_SECOND, count })
  pool.close()
  return latencies
}
