// `runyard endpoints list` and `runyard endpoints show`.
import { createClient } from '@runyard/client'
import type { CommandContext } from '../../command.ts'
import { renderRows } from '../../output/live-status.ts'
import { printJson } from '../../output/print-json.ts'
import { environmentsOf, readApps } from '../apps.ts'
import { findTarget } from '../../settings.ts'
import { onlyWord } from '../../only-word.ts'
import { findEndpoint } from './find.ts'
import { renderEndpoint, renderList } from './render.ts'

export async function list(context: CommandContext): Promise<number> {
  const { out, options } = context
  const client = createClient(await findTarget(context))
  const endpoints = await client.listEndpoints()
  if (options['json'] === true) return printJson(out, endpoints)
  for (const line of renderList(endpoints, out, environmentsOf(await readApps(client)))) out.line(line)
  return 0
}

export async function show(context: CommandContext): Promise<number> {
  const { out, options } = context
  const word = onlyWord(context, 'endpoint by its name or id')
  const client = createClient(await findTarget(context))
  const endpoint = await findEndpoint(client, word)
  if (options['json'] === true) return printJson(out, endpoint)
  const health = await client.jobs.health(endpoint.id)
  for (const line of [...renderEndpoint(endpoint, out), '', ...renderRows([{ ...endpoint, health }], out)]) out.line(line)
  return 0
}
