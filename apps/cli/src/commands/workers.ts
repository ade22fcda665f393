// `runyard workers`: the workers of one endpoint, or of all.
import type { CommandContext } from '../command.ts'
import { printListing } from '../output/listing.ts'
import { listWorkers, workerListing } from '../output/worker-rows.ts'
import { findClient } from '../settings.ts'
import { findEndpoint } from './endpoints/find.ts'

export async function run({ positionals: [word], ...context }: CommandContext): Promise<number> {
  const client = await findClient(context)
  const endpoints = word === undefined ? await client.listEndpoints() : [await findEndpoint(client, word, context.err)]
  const rows = await listWorkers(client, endpoints)
  return printListing(context, workerListing(rows, context.out))
}
