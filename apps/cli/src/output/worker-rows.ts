// Renders workers, one row each, with their endpoint.
import type { Client } from '@runyard/client'
import type { EndpointView, WorkerView } from '@runyard/schema/api'
import { renderTable } from './table.ts'
import { formatDuration, type Terminal } from './terminal.ts'

/** The name of the endpoint, and the worker. */
export type WorkerRow = readonly [string, WorkerView]

export async function listWorkers(client: Client, endpoints: readonly Pick<EndpointView, 'id' | 'name'>[]): Promise<readonly WorkerRow[]> {
  const lists = await Promise.all(
    endpoints.map(async ({ id, name }) => (await client.listWorkers(id)).map((worker) => [name, worker] as const)),
  )
  return lists.flat()
}

export function renderWorkers(rows: readonly WorkerRow[], out: Terminal): readonly string[] {
  if (rows.length === 0) return []
  const cells = rows.map(([endpoint, worker]) => describe(endpoint, worker))
  return renderTable(out, cells, ['worker', 'endpoint', 'status', 'GPU', 'up for'])
}

function describe(endpoint: string, worker: WorkerView): readonly string[] {
  const gpu = worker.gpuTypeId === null ? '–' : `${worker.gpuCount} × ${worker.gpuTypeId}`
  const since = worker.uptimeSeconds === null ? '–' : formatDuration(worker.uptimeSeconds * 1000)
  const status = worker.isStale && worker.status === 'RUNNING' ? 'outdated' : worker.status.toLowerCase()
  return [worker.id, endpoint, status, gpu, since]
}
