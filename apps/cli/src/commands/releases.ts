// `runyard releases` and `runyard rollback`.
import type { ReleaseListView } from '@runyard/schema/api'
import { UsageError, type CommandContext } from '../command.ts'
import { printListing, timeFormOf, type Listing } from '../output/listing.ts'
import { printJson } from '../output/print-json.ts'
import { formatTime } from '../output/time.ts'
import { findClient } from '../settings.ts'
import { findEndpoint } from './endpoints/find.ts'

export async function list(context: CommandContext): Promise<number> {
  const { out, options, positionals: words } = context
  const client = await findClient(context)
  const found = await client.listReleases((await findEndpoint(client, onlyEndpoint(words, 1), context.err)).id)
  if (options['json'] === true) return printJson(out, found)
  const { inProgress, workersOnLatest, workersTotal } = found.rollout
  printListing(context, releaseListing(context, found))
  if (inProgress) out.line(`${workersOnLatest} of ${workersTotal} workers run the latest release`)
  return 0
}

export async function rollBack(context: CommandContext): Promise<number> {
  const { out, positionals: words } = context
  const version = words[1] === undefined ? undefined : Number(words[1])
  if (version !== undefined && !/^[1-9]\d{0,14}$/u.test(words[1] ?? ''))
    throw new UsageError('a release is named by its number, from 1 on; see `runyard releases`')
  const client = await findClient(context)
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

function releaseListing(context: CommandContext, data: ReleaseListView): Listing<ReleaseListView['releases'][number]> {
  const form = timeFormOf(context)
  return {
    rows: data.releases,
    columns: [
      { title: 'release', cell: ({ version }) => `${version}`, isNumber: true },
      { title: 'saved', cell: ({ createdAt }) => formatTime(Date.parse(createdAt), form), goes: 2 },
      { title: 'image', cell: ({ digest, image }) => digest ?? image, cut: 'middle' },
      { title: 'workers', cell: ({ workerCount }) => `${workerCount}`, isNumber: true, goes: 1 },
      { title: 'changes', cell: ({ diff }) => diff.map(({ field }) => field).join(', '), cut: 'end', goes: 3 },
    ],
    data,
    empty: 'no releases yet',
  }
}
