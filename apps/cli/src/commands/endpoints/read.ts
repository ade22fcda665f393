// `runyard endpoints list` and `runyard endpoints show`.
import type { CommandContext } from '../../command.ts'
import { renderRows } from '../../output/live-status.ts'
import { printListing } from '../../output/listing.ts'
import { printJson } from '../../output/print-json.ts'
import { environmentsOf, readApps } from '../apps.ts'
import { findClient } from '../../settings.ts'
import { onlyWord } from '../../only-word.ts'
import { findEndpoint } from './find.ts'
import { endpointListing, renderEndpoint } from './render.ts'

export async function list(context: CommandContext): Promise<number> {
  const client = await findClient(context)
  const endpoints = await client.listEndpoints()
  const environments = context.options['json'] === true ? new Map<string, string>() : environmentsOf(await readApps(client))
  return printListing(context, endpointListing(endpoints, environments))
}

export async function show(context: CommandContext): Promise<number> {
  const { out, options } = context
  const word = onlyWord(context, 'endpoint by its name or id')
  const client = await findClient(context)
  const endpoint = await findEndpoint(client, word, context.err)
  if (options['json'] === true) return printJson(out, endpoint)
  const health = await client.jobs.health(endpoint.id)
  for (const line of [...renderEndpoint(endpoint, out), '', ...renderRows([{ ...endpoint, health }], out)]) out.line(line)
  return 0
}
