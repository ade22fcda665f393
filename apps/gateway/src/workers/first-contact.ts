// A worker's first take or ping means that it is ready (worker-api §1): the record, the ledger, the history and the cold-start times learn of
// it once, also where the two reach two gateways. Nobody waits for these writes; if they fail, the next contact tries again. That it still lives
// is told by its pings alone (`heartbeats.ts`): a worker that only polled would lose every job that is longer than its lease.
import type { WorkerRecord } from '@runyard/schema'
import type { GatewayDeps } from '../parts/deps.ts'
import type { WorkerState } from './worker-session.ts'

export type ContactDeps = Pick<GatewayDeps, 'store' | 'events' | 'metrics' | 'log'>

export function noteContact(deps: ContactDeps, state: WorkerState): void {
  const { record } = state
  if (record === undefined || record.readyAt !== undefined || state.firstContact !== undefined) return
  state.firstContact = welcome(deps, state, record).catch((error: unknown) => {
    state.firstContact = undefined
    deps.log.warn({ err: error, workerId: state.workerId }, 'could not record that a worker is ready; its next request tries again')
  })
}

async function welcome(deps: ContactDeps, state: WorkerState, record: WorkerRecord): Promise<void> {
  const { endpointId, workerId, sdkVersion } = state
  const at = Date.now()
  const facts = { readyAt: at, lastSeenAt: at, ...(sdkVersion === undefined ? {} : { sdkVersion }) }
  // The ledger first: if we end in between, the next contact does both again, and the same state twice changes nothing.
  await deps.store.ledger.transition({
    workerId,
    endpointId,
    gpuType: record.gpus[0]?.name ?? null,
    gpuCount: record.gpus.length,
    state: 'running',
    at,
  })
  if (!(await deps.store.workers.patch(endpointId, workerId, facts, { unless: 'readyAt' }))) return
  state.record = { ...record, ...state.record, ...facts }
  deps.events.add({ at, endpointId, kind: 'worker_ready', workerId })
  measureColdStart(deps, state, at)
  deps.log.info({ endpointId, workerId, sdkVersion, startMs: at - record.createdAt }, 'worker ready')
}

function measureColdStart(deps: ContactDeps, state: WorkerState, readyAt: number): void {
  const { endpointId, record } = state
  if (record === undefined) return
  deps.metrics.coldStart(endpointId, 'placed_to_ready', readyAt - record.createdAt)
  if (record.containerStartedAt === undefined) return
  deps.metrics.coldStart(endpointId, 'placed_to_container', record.containerStartedAt - record.createdAt)
  deps.metrics.coldStart(endpointId, 'container_to_ready', readyAt - record.containerStartedAt)
}
