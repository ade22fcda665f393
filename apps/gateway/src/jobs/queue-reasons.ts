// Why the jobs of an endpoint wait, read at most once a second and shared by all who ask: thousands of pollers of a long queue cost one look.
import { healthCounters, queueReason, type QueueReason, type QueueView } from '@runyard/core'
import { Reason, type Endpoint, type JobRecord } from '@runyard/schema'
import type { GatewayDeps } from '../parts/deps.ts'
import { readEndpointLoad } from '../parts/endpoint-load.ts'

const MAX_AGE_MS = 1000
const MOST_ENDPOINTS = 1000

export type QueueReasons = (endpoint: Endpoint, record: JobRecord) => Promise<QueueReason>

export function createQueueReasons({ store }: Pick<GatewayDeps, 'store'>): QueueReasons {
  const seen = new Map<string, { readonly at: number; readonly view: Promise<QueueView> }>()

  function look(endpoint: Endpoint): Promise<QueueView> {
    const known = seen.get(endpoint.id)
    if (known !== undefined && Date.now() - known.at < MAX_AGE_MS) return known.view
    const view = readView(store, endpoint)
    view.catch(() => seen.delete(endpoint.id))
    if (seen.size >= MOST_ENDPOINTS) seen.clear()
    seen.set(endpoint.id, { at: Date.now(), view })
    return view
  }

  return async (endpoint, record) => queueReason(await look(endpoint), { lowPriority: record.lowPriority === true })
}

async function readView(store: GatewayDeps['store'], { id, settings }: Endpoint): Promise<QueueView> {
  const { stats, workers, scaler } = await readEndpointLoad(store, id)
  const reason = Reason.safeParse(scaler?.reason).data
  return {
    settings,
    demand: stats,
    workers: healthCounters(workers, scaler),
    shortfall: reason === undefined ? undefined : { reason, message: scaler?.message ?? reason },
  }
}
