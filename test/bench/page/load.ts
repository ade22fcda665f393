// A steady load of job events: each job is accepted, taken and ended, which are three.
import type { Stack } from '../../harness/stack.ts'
import { NO_OP_BODY, targetOf } from '../jobs.ts'
import { measureLatency, openPool } from '../load.ts'
import { withProtocolWorkers } from '../protocol-workers.ts'

export const EVENTS_PER_S = 500
const EVENTS_PER_JOB = 3
const WORKERS = 4

/** Runs `work` while an endpoint of its own has so many. The scaler is away meanwhile. */
export async function withJobEvents<T>(stack: Stack, work: () => Promise<T>): Promise<T> {
  const endpointId = await stack.api.saveEndpoint({ name: 'bench-events', workersMax: WORKERS, idleTimeout: 600 })
  const result = await withProtocolWorkers(stack, { endpointId, count: WORKERS }, async () => {
    const pool = await openPool(targetOf(stack, `/v2/${endpointId}/run`, NO_OP_BODY), 16)
    const over = new AbortController()
    const perSecond = Math.ceil(EVENTS_PER_S / EVENTS_PER_JOB)
    const loading = (async () => {
      while (!over.signal.aborted) await measureLatency(pool.send, { perSecond, count: perSecond })
    })()
    try {
      return await work()
    } finally {
      over.abort()
      await loading.catch(() => undefined)
      pool.close()
    }
  })
  await stack.api.deleteEndpoint(endpointId)
  return result
}
