// `runyard releases` and `runyard rollback`.
import { createClient } from '@runyard/client'
import type { ReleaseListView } from '@runyard/schema/api'
import { UsageError, type CommandContext } from '../command.ts'
import { printJson } from '../output/print-json.ts'
import { renderTable } from '../output/table.ts'
import type { Terminal } from '../output/terminal.ts'
import { findTarget } from '../settings.ts'
import { findEndpoint } from './endpoints/find.ts'

export async function list(context: CommandContext): Promise<number> {
  const { out, options, positionals: words } = context
  const client = createClient(await findTarget(context))
  const found = await client.listReleases((await findEndpoint(client, onlyEndpoint(words, 1))).id)
  if (options['json'] === true) return printJson(out, found)
  for (const line of renderReleases(found, out)) out.line(line)
  return 0
}

export async function rollBack(context: CommandContext): Promise<number> {
  const { out, positionals: words } = context
  const version = words[1] === undefined ? undefined : Number(words[1])
  if (version !== undefined && !Number.isSafeInteger(version))
    throw new UsageError('a release is named by its number; see `runyard releases`')
  const client = createClient(await findTarget(context))
  const { id, name } = await findEndpoint(client, onlyEndpoint(words, 2))
  const { image } = await client.rollBack(id, version)
  out.line(`${name} (${id}) returns to ${version === undefined ? 'the release before' : `release ${version}`}: ${image}`)
  return 0
}

function onlyEndpoint(words: readonly string[], most: number): string {
  const [word] = words
  if (word === undefined || words.length > most) throw new UsageError('name one endpoint by its name or id')
  return word
}

export function renderReleases({ releases, rollout }: ReleaseListView, out: Terminal): readonly string[] {
  const rows = releases.map(({ version, createdAt, image, digest, workerCount, diff }) => [
    `${version}`,
    createdAt.slice(0, 16),
    digest ?? image,
    `${workerCount}`,
    diff.map(({ field }) => field).join(', '),
  ])
  const { inProgress, workersOnLatest, workersTotal } = rollout
  const state = inProgress ? [`${workersOnLatest} of ${workersTotal} workers run the latest release`] : []
  return [...renderTable(out, rows, ['release', 'saved', 'image', 'workers', 'changes']), ...state]
}
