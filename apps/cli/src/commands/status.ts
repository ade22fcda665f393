// `runyard status`: prints the endpoints, queues and workers of a stack once.
import { createClient } from '@runyard/client'
import type { CommandContext } from '../command.ts'
import { readRows, renderRows } from '../output/live-status.ts'
import { renderListing } from '../output/listing.ts'
import { printJson } from '../output/print-json.ts'
import { formatDuration } from '../output/terminal.ts'
import { listWorkers, workerListing } from '../output/worker-rows.ts'
import { findTarget } from '../settings.ts'

export async function run(context: CommandContext): Promise<number> {
  const { out, options } = context
  const target = await findTarget(context)
  const client = createClient(target)
  const rows = await readRows(client)
  if (options['json'] === true) return printJson(out, { url: target.url, endpoints: rows, standby: await client.standby() })
  out.line(`${out.bold(target.url)}${describeProcess(target)}`)
  out.line()
  for (const line of renderRows(rows, out)) out.line(line)
  const [workers, standby] = await Promise.all([listWorkers(client, rows), client.standby()])
  if (workers.length > 0) out.line()
  if (workers.length > 0) for (const line of renderListing(out, workerListing(workers, out))) out.line(line)
  if (standby.length > 0) out.line()
  for (const { host, waiting, problem } of standby) {
    out.line(`${host}: ${waiting} standby ${waiting === 1 ? 'worker' : 'workers'}`)
    if (problem !== undefined) out.line(out.bad(`  no further one can be started: ${problem}`))
  }
  return 0
}

/** Known only for a stack of this machine. */
function describeProcess({ startedAt, pid }: Awaited<ReturnType<typeof findTarget>>): string {
  return startedAt === undefined ? '' : `  up for ${formatDuration(Date.now() - startedAt)}, process ${pid}`
}
