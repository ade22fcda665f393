// Lists workers, one row each, with their endpoint.
import { formatDuration } from '@runyard/core/durations'
import type { Client } from '@runyard/client'
import type { EndpointView, WorkerView } from '@runyard/schema/api'
import type { Listing } from './listing.ts'
import type { Terminal } from './terminal.ts'

export interface WorkerRow extends WorkerView {
  readonly endpoint: string
}

export async function listWorkers(client: Client, endpoints: readonly Pick<EndpointView, 'id' | 'name'>[]): Promise<readonly WorkerRow[]> {
  const lists = await Promise.all(
    endpoints.map(async ({ id, name }) => (await client.listWorkers(id)).map((worker) => ({ endpoint: name, ...worker }))),
  )
  return lists.flat()
}

export function workerListing(rows: readonly WorkerRow[], out: Terminal): Listing<WorkerRow> {
  return {
    rows,
    columns: [
      { title: 'worker', cell: ({ id }) => id, cut: 'id' },
      { title: 'endpoint', cell: ({ endpoint }) => endpoint, cut: 'middle' },
      { title: 'status', cell: statusOf, paint: (worker) => paintStatus(worker, out) },
      { title: 'GPU', cell: ({ gpuTypeId, gpuCount }) => (gpuTypeId === null ? '–' : `${gpuCount} × ${gpuTypeId}`), cut: 'end', goes: 2 },
      { title: 'up for', cell: ({ uptimeSeconds: up }) => (up === null ? '–' : formatDuration(up * 1000)), goes: 1 },
      { title: 'version', cell: ({ version }) => `${version ?? '–'}`, isWide: true },
      { title: 'image', cell: ({ image }) => image ?? '–', isWide: true },
    ],
    note: ({ message }) => message,
    noteTitle: 'why',
    paintNote: () => out.warn,
    data: rows,
    empty: 'no workers',
  }
}

/** A draining worker without a job is IDLE in Runpod's words, which says that it would take one. */
function statusOf({ isStale, isDraining, status }: WorkerView): string {
  if (isDraining === true) return 'draining'
  return isStale && status === 'RUNNING' ? 'outdated' : status.toLowerCase()
}

function paintStatus(worker: WorkerView, out: Terminal): (text: string) => string {
  const status = statusOf(worker)
  if (status === 'running') return out.good
  if (status === 'unhealthy') return out.bad
  return ['throttled', 'initializing', 'outdated', 'draining'].includes(status) ? out.warn : (text) => text
}
