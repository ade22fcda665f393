// `runyard logs`: the last lines of a worker, available until an hour after its end, or of all workers of an endpoint.
import { createClient, type Client } from '@runyard/client'
import type { WorkerLogsView } from '@runyard/schema/api'
import { RunyardError } from '@runyard/schema'
import type { CommandContext } from '../command.ts'
import { printJson } from '../output/print-json.ts'
import type { Terminal } from '../output/terminal.ts'
import { findTarget } from '../settings.ts'
import { onlyWord } from '../only-word.ts'
import { findEndpoint } from './endpoints/find.ts'

export async function run(context: CommandContext): Promise<number> {
  const { out, options } = context
  const word = onlyWord(context, 'worker by its id, or endpoint by its name or id')
  const client = createClient(await findTarget(context))
  const logs = await findLogs(client, word, context.err)
  if (options['json'] === true) return printJson(out, Object.fromEntries(logs))
  const print = options['raw'] === true ? (line: string) => out.write(`${line}\n`) : (line: string) => out.line(line)
  if (logs.length === 0) out.line(out.dim('no workers now; a worker that is gone is asked for by its id'))
  for (const [workerId, { system, container }] of logs) {
    if (logs.length > 1) out.line(out.bold(workerId))
    for (const line of system) print(out.dim(line))
    for (const line of container) print(line)
  }
  return 0
}

async function findLogs(client: Client, word: string, err: Terminal): Promise<readonly (readonly [string, WorkerLogsView])[]> {
  const own = await client.workerLogs(word).catch((error: unknown) => {
    if (error instanceof RunyardError && error.code === 'not_found') return undefined
    throw error
  })
  if (own !== undefined) return [[word, own]]
  const { id } = await findEndpoint(client, word, err)
  // Wanted workers that are not placed yet have no image.
  const workers = (await client.listWorkers(id)).filter(({ image }) => image !== null)
  return Promise.all(workers.map(async (worker) => [worker.id, await client.workerLogs(worker.id)] as const))
}
