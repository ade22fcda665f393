// What a finalised or cancelled batch still needs: its requests become jobs, or its jobs are cancelled. Every step may be done twice and
// by any gateway, so one that stops half-way only leaves work for the next.
import { createLoop, type Loop } from '@runyard/kit'
import type { Endpoint } from '@runyard/schema'
import type { GatewayDeps } from '../parts/deps.ts'
import { cancelJob } from '../jobs/cancel-retry-purge.ts'
import { noteAccepted } from '../jobs/submit.ts'

type FinishDeps = Pick<GatewayDeps, 'store' | 'endpoints' | 'log' | 'events' | 'history' | 'traces' | 'metrics' | 'closing'>

const EVERY_MS = 10_000
const CANCEL_AT_ONCE = 100
const CANCELLED_WITH_BATCH = 'the batch was cancelled by its caller'

export async function finishBatch(deps: FinishDeps, endpoint: Endpoint, batchId: string): Promise<void> {
  const at = { endpointId: endpoint.id, batchId }
  const batch = await deps.store.batches.get(at)
  if (batch?.status === 'FINALIZED') await submitRequests(deps, endpoint.id, batchId)
  if (batch?.status === 'CANCELLED') await cancelRequests(deps, endpoint, batchId)
  // A draft may be finalised in this very moment, so it stays on the list.
  if (batch?.status !== 'DRAFT' && !deps.closing.aborted) await deps.store.batches.noteFinished(at)
}

async function submitRequests(deps: FinishDeps, endpointId: string, batchId: string): Promise<void> {
  let from: number | undefined = 0
  while (from !== undefined && !deps.closing.aborted) {
    const at = Date.now()
    const { submitted, next } = await deps.store.batches.submit({ endpointId, batchId }, from)
    for (const jobId of submitted) noteAccepted(deps, endpointId, { at, jobId })
    from = next
  }
}

async function cancelRequests(deps: FinishDeps, endpoint: Endpoint, batchId: string): Promise<void> {
  const states = await deps.store.batches.states({ endpointId: endpoint.id, batchId }, 'CANCELLED')
  const live = states.filter(({ status }) => status === 'IN_QUEUE' || status === 'IN_PROGRESS')
  for (let from = 0; from < live.length && !deps.closing.aborted; from += CANCEL_AT_ONCE) {
    const some = live.slice(from, from + CANCEL_AT_ONCE)
    await Promise.all(some.map(({ id }) => cancelJob(deps, endpoint, { jobId: id, why: CANCELLED_WITH_BATCH })))
  }
}

/** Continues what other gateways, or this one before a restart, left half-way. */
export function openBatchFinisher(deps: FinishDeps): Loop {
  const loop = createLoop({
    name: 'batches',
    async tick(now) {
      for (const { endpointId, batchId } of await deps.store.batches.unfinished()) {
        const endpoint = await deps.endpoints.get(endpointId)
        if (endpoint === undefined) await deps.store.batches.noteFinished({ endpointId, batchId })
        else await finishBatch(deps, endpoint, batchId)
      }
      return now + EVERY_MS
    },
    log: deps.log,
    maxSleepMs: EVERY_MS,
  })
  loop.start()
  return loop
}
