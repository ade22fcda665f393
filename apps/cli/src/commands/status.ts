// `runyard status`: endpoints, queues and workers of the running stack, once.
import { createClient, type Client, type WorkerView } from '@runyard/client'
import type { CommandContext } from '../command.ts'
import { readRows, renderRows } from '../output/live-status.ts'
import { alignColumns, formatDuration } from '../output/terminal.ts'
import { findRunning } from '../settings.ts'

export async function run(context: CommandContext): Promise<number> {
  const { out } = context
  const running = await findRunning(context)
  const client = createClient(running)
  out.line(`${out.bold(running.url)}  up for ${formatDuration(Date.now() - running.startedAt)}, process ${running.pid}\n`)
  for (const line of renderRows(await readRows(client), out)) out.line(line)
  const workers = await listWorkers(client)
  if (workers.length > 0) {
    const head = ['worker', 'endpoint', 'status', 'GPU', 'up for'].map((title) => out.dim(title))
    out.line()
    for (const line of alignColumns([head, ...workers.map(([endpoint, worker]) => describe(endpoint, worker))])) out.line(line)
  }
  return 0
}

async function listWorkers(client: Client): Promise<readonly (readonly [string, WorkerView])[]> {
  const endpoints = await client.listEndpoints()
  const lists = await Promise.all(
    endpoints.map(async ({ id, name }) => (await client.listWorkers(id)).map((worker) => [name, worker] as const)),
  )
  return lists.flat()
}

function describe(endpoint: string, worker: WorkerView): readonly string[] {
  const gpu = worker.gpuTypeId === null ? '–' : `${worker.gpuCount} × ${worker.gpuTypeId}`
  const since = worker.uptimeSeconds === null ? '–' : formatDuration(worker.uptimeSeconds * 1000)
  return [worker.id, endpoint, worker.status.toLowerCase(), gpu, since]
}
