// Ends a job that its caller does not want any more, and sends its worker the order to stop (client-api §5.6).
import { unreadJob } from '@runyard/core'
import type { Endpoint } from '@runyard/schema'
import type { SettleResult } from '@runyard/store'
import type { GatewayDeps } from '../parts/deps.ts'
import { recordEnds, type JournalDeps } from '../parts/journal.ts'

type CancelDeps = JournalDeps & Pick<GatewayDeps, 'store'>

/** `settled`: it was this call that ended it. */
export async function cancelJob(
  deps: CancelDeps,
  endpoint: Endpoint,
  { jobId, why }: { jobId: string; why: string },
): Promise<SettleResult | 'unknown'> {
  const endpointId = endpoint.id
  const outcome = { status: 'CANCELLED', error: why } as const
  const { result, heldBy, record } = await deps.store.jobs.forceSettle(endpointId, jobId, outcome)
  if (result !== 'settled') return result
  if (heldBy !== undefined) deps.store.publish({ kind: 'job-stop', endpointId, jobId, workerId: heldBy })
  const job = record ?? unreadJob({ ...outcome, id: jobId, workerId: heldBy, at: Date.now() })
  recordEnds(deps, endpoint, [{ cause: 'cancelled', job }])
  return result
}
