// `runyard top`: cards, queues and workers on a full screen.
import { createClient, type Client } from '@runyard/client'
import { RunyardError } from '@runyard/schema'
import { CHANGE_TIMES, followChanges } from '../changes.ts'
import type { CommandContext } from '../command.ts'
import { toVisible } from '../output/visible.ts'
import { findTarget } from '../settings.ts'
import { readSnapshot, type Subject } from '../top/model.ts'
import { renderExplanation } from './explain.ts'

export async function run({ out, ...context }: CommandContext): Promise<number> {
  const target = await findTarget(context)
  if (!out.isTty || !process.stdin.isTTY) {
    throw new RunyardError('bad_request', '`top` needs a terminal; `runyard status --watch` works without one.')
  }
  const client = createClient(target)
  // React's build for development is slower and warns.
  process.env['NODE_ENV'] ??= 'production'
  const { showScreen } = await import('../top/screen.ts')
  const over = new AbortController()
  using stopped = new DisposableStack()
  stopped.defer(() => over.abort())
  const changes = followChanges(client, CHANGE_TIMES, over.signal)
  await showScreen({
    title: target.url,
    out,
    read: () => readSnapshot(client),
    next: () => changes.next(),
    describe: async ({ endpoint, title }) =>
      endpoint === undefined ? [`${title} has no worker`] : renderExplanation(await client.explain(endpoint), out),
    logs: (subject) => readLogs(client, subject),
  })
  return 0
}

async function readLogs(client: Client, { worker, endpoint, title }: Subject): Promise<readonly string[]> {
  const workers = worker === undefined ? await workersOf(client, endpoint) : [worker]
  if (workers.length === 0) return [`${title} has no worker with a log`]
  const logs = await Promise.all(workers.map(async (id) => ({ id, ...(await client.workerLogs(id)) })))
  return logs.flatMap(({ id, system, container }) =>
    [...(logs.length > 1 ? [id] : []), ...system, ...container].map((line) => toVisible(line, false)),
  )
}

async function workersOf(client: Client, endpoint: string | undefined): Promise<readonly string[]> {
  if (endpoint === undefined) return []
  return (await client.listWorkers(endpoint)).filter(({ image }) => image !== null).map(({ id }) => id)
}
