// `runyard workers`: the workers of one endpoint, or of all.
import { createClient } from '@runyard/client'
import type { CommandContext } from '../command.ts'
import { printJson } from '../output/print-json.ts'
import { listWorkers, renderWorkers } from '../output/worker-rows.ts'
import { findTarget } from '../settings.ts'
import { findEndpoint } from './endpoints/find.ts'

export async function run({ positionals: [word], ...context }: CommandContext): Promise<number> {
  const { out, options } = context
  const client = createClient(await findTarget(context))
  const endpoints = word === undefined ? await client.listEndpoints() : [await findEndpoint(client, word)]
  const rows = await listWorkers(client, endpoints)
  if (options['json'] === true)
    return printJson(
      out,
      rows.map(([endpoint, worker]) => ({ endpoint, ...worker })),
    )
  if (rows.length === 0) out.line(out.dim('no workers'))
  for (const line of renderWorkers(rows, out)) out.line(line)
  return 0
}
