// `runyard status`: endpoints, queues and workers of the running stack, once.
import { createClient } from '@runyard/client'
import type { CommandContext } from '../command.ts'
import { readRows, renderRows } from '../output/live-status.ts'
import { formatDuration } from '../output/terminal.ts'
import { listWorkers, renderWorkers } from '../output/worker-rows.ts'
import { findRunning } from '../settings.ts'

export async function run(context: CommandContext): Promise<number> {
  const { out } = context
  const running = await findRunning(context)
  const client = createClient(running)
  out.line(`${out.bold(running.url)}  up for ${formatDuration(Date.now() - running.startedAt)}, process ${running.pid}\n`)
  for (const line of renderRows(await readRows(client), out)) out.line(line)
  const workers = await listWorkers(client, await client.listEndpoints())
  if (workers.length > 0) out.line()
  for (const line of renderWorkers(workers, out)) out.line(line)
  return 0
}
