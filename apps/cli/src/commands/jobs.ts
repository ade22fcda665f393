// `runyard jobs`: the latest jobs of an endpoint (client-api §5.10).
import { createClient } from '@runyard/client'
import type { ListedJob } from '@runyard/schema/api'
import type { CommandContext } from '../command.ts'
import { printJson } from '../output/print-json.ts'
import { renderTable } from '../output/table.ts'
import { formatDuration, type Terminal } from '../output/terminal.ts'
import { findTarget } from '../settings.ts'
import { onlyWord } from '../only-word.ts'
import { findEndpoint } from './endpoints/find.ts'
import { readNumber } from './endpoints/request.ts'

const DEFAULT_LIMIT = 20

export async function run(context: CommandContext): Promise<number> {
  const { out, options } = context
  const limit = readNumber(context, 'limit') ?? DEFAULT_LIMIT
  const word = onlyWord(context, 'endpoint by its name or id')
  const client = createClient(await findTarget(context))
  const page = await client.jobs.list((await findEndpoint(client, word)).id, limit)
  if (options['json'] === true) return printJson(out, page)
  for (const line of renderJobs(page.requests, out)) out.line(line)
  if (page.hasMore) out.line(out.dim(`… ${page.total - page.requests.length} more; --limit N shows up to 200`))
  return 0
}

function renderJobs(jobs: readonly ListedJob[], out: Terminal): readonly string[] {
  if (jobs.length === 0) return [out.dim('no jobs')]
  const rows = jobs.map(({ id, status, createdAt, delayTime, executionTime, workerId }) => [
    id,
    status === 'FAILED' || status === 'TIMED_OUT' ? out.bad(status) : status,
    new Date(createdAt).toISOString().slice(0, 19).replace('T', ' '),
    delayTime === undefined ? '–' : formatDuration(delayTime),
    executionTime === undefined ? '–' : formatDuration(executionTime),
    workerId ?? '–',
  ])
  return renderTable(out, rows, ['job', 'status', 'submitted', 'waited', 'ran', 'worker'])
}
