// Ends a job because nobody wants it any more, tells its worker to stop, and writes down that it ended (client-api §5.6).
import { jobDurations, jobLine } from '@runyard/core'
import type { Endpoint } from '@runyard/schema'
import type { SettleResult } from '@runyard/store'
import type { GatewayDeps } from '../deps.ts'

type CancelDeps = Pick<GatewayDeps, 'store' | 'log' | 'events' | 'metrics'>

/** `settled`: it was this call that ended it. */
export async function cancelJob(
  deps: CancelDeps,
  endpoint: Endpoint,
  { jobId, why }: { jobId: string; why: string },
): Promise<SettleResult | 'unknown'> {
  const endpointId = endpoint.id
  const { result, heldBy, record } = await deps.store.jobs.forceSettle(endpointId, jobId, { status: 'CANCELLED', error: why })
  if (result !== 'settled') return result
  if (heldBy !== undefined) deps.store.publish({ kind: 'job-stop', endpointId, jobId, workerId: heldBy })
  if (record !== undefined) {
    deps.log.info(jobLine(endpoint, record), 'job settled')
    deps.metrics.jobSettled(endpointId, { status: record.status, ...jobDurations(record) })
  }
  const worker = heldBy === undefined ? {} : { workerId: heldBy }
  deps.events.add({ at: Date.now(), endpointId, kind: 'job_settled', jobId, status: 'CANCELLED', ...worker })
  return result
}
