// The no-op job that all rows send, and the warm `/runsync` that several rows compare with.
import type { Stack } from '../harness/stack.ts'
import { sourceCall } from '../suites/calls.ts'
import { measureSequence, median, openPool, type Target } from './load.ts'

const NO_OP = 'def noop():\n    return None\n'
export const NO_OP_BODY = JSON.stringify({ input: sourceCall('noop', NO_OP) })
export function targetOf(stack: Stack, path: string, body: string): Target {
  const url = new URL(stack.url)
  const headers = { authorization: `Bearer ${stack.key}`, 'content-type': 'application/json' }
  return { host: url.hostname, port: Number(url.port), path, headers, body }
}

/** A separate endpoint with one permanent worker. */
export async function withWarmEndpoint<T>(stack: Stack, work: (endpointId: string) => Promise<T>): Promise<T> {
  const endpointId = await stack.api.saveEndpoint({ name: `bench-warm-${Date.now()}`, workersMin: 1, idleTimeout: 600 })
  const result = await work(endpointId)
  await stack.api.deleteEndpoint(endpointId)
  return result
}

/** p50 in ms of warm `/runsync` calls of a no-op Python function, one after another, on a separate endpoint. */
export async function warmP50(stack: Stack, count: number): Promise<number> {
  return await withWarmEndpoint(stack, (endpointId) => runsyncP50(stack, endpointId, count))
}

export async function runsyncP50(stack: Stack, endpointId: string, count: number): Promise<number> {
  return median(await withRunsync(stack, endpointId, (send) => measureSequence(send, count)))
}

/** After a warm-up, runs `measure` with a function that sends one `/runsync` and waits for its end. */
export async function withRunsync<T>(stack: Stack, endpointId: string, measure: (send: () => Promise<void>) => Promise<T>): Promise<T> {
  const pool = await openPool(targetOf(stack, `/v2/${endpointId}/runsync`, NO_OP_BODY), 32)
  const send = async (): Promise<void> => {
    const answer = await pool.send()
    if (!answer.body.includes('"COMPLETED"')) throw new Error(`runsync answered ${answer.status}: ${answer.body}`)
  }
  await measureSequence(send, 50)
  const result = await measure(send)
  pool.close()
  return result
}
