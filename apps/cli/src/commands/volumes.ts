// `runyard volumes`: what clients have created, where its data is, and its end.
import type { Client } from '@runyard/client'
import { RunyardError } from '@runyard/schema'
import type { VolumeView } from '@runyard/schema/api'
import { confirm } from '../ask.ts'
import type { CommandContext } from '../command.ts'
import { onlyWord, unknownWord } from '../only-word.ts'
import { printListing, timeFormOf, type Column } from '../output/listing.ts'
import { printJson } from '../output/print-json.ts'
import { renderTable } from '../output/table.ts'
import { formatTime } from '../output/time.ts'
import { findClient } from '../settings.ts'

const UNUSED = 'nowhere yet'

export async function list(context: CommandContext): Promise<number> {
  const rows = await (await findClient(context)).volumes.list()
  const columns: readonly Column<VolumeView>[] = [
    { title: 'volume', cell: ({ name }) => name, cut: 'middle' },
    { title: 'id', cell: ({ id }) => id, cut: 'id' },
    { title: 'size', cell: sizeOf, isNumber: true, goes: 3 },
    { title: 'data center', cell: ({ dataCenter }) => dataCenter ?? 'any', goes: 2 },
    { title: 'data is on', cell: ({ place }) => place ?? UNUSED, cut: 'middle' },
    { title: 'endpoints', cell: ({ endpoints }) => `${endpoints.length}`, isNumber: true, goes: 1 },
  ]
  return printListing(context, { rows, columns, data: rows, empty: 'no volumes yet; scripts create them (docs/volumes.md)' })
}

export async function show(context: CommandContext): Promise<number> {
  const { out, options } = context
  const volume = await findVolume(context, await findClient(context))
  if (options['json'] === true) return printJson(out, volume)
  const users = volume.endpoints.map(({ id, name }) => `${name} (${id})`).join(', ')
  const facts: readonly (readonly [string, string])[] = [
    ['kind', volume.kind === 'GLOBAL' ? 'global' : 'network'],
    ['size', volume.size === null ? 'none' : `${volume.size} GB, as promised; nothing enforces it`],
    ['data center', volume.dataCenter ?? 'any'],
    ['data is on', volume.place ?? `${UNUSED}: the first worker chooses`],
    ['endpoints', users === '' ? 'none' : users],
    ['created', formatTime(Date.parse(volume.createdAt), timeFormOf(context))],
  ]
  out.line(`${out.bold(volume.name)}  ${volume.id}`)
  for (const line of renderTable(
    out,
    facts.map(([title, fact]) => [`  ${out.dim(title)}`, fact]),
  ))
    out.line(line)
  return 0
}

export async function remove(context: CommandContext): Promise<number> {
  const client = await findClient(context)
  const volume = await findVolume(context, client)
  const place = volume.place === null ? '' : ` on ${volume.place}`
  if (!(await confirm(context, `this deletes the volume ${volume.name} (${volume.id}) and all of its data${place}`))) return 1
  await client.volumes.delete(volume)
  context.out.line(`${volume.name} (${volume.id}) is deleted; its data goes once no worker has it`)
  return 0
}

/** By id, else by a name that only one has: names are unique per data center. */
async function findVolume(context: CommandContext, { volumes }: Pick<Client, 'volumes'>): Promise<VolumeView> {
  const word = onlyWord(context, 'volume', 'volumes')
  const all = await volumes.list()
  const found = all.filter(({ id, name }) => id === word || name === word)
  const [one, ...more] = found
  if (one === undefined) throw unknownWord(word, [...new Set(all.map(({ name }) => name))], { what: 'volume', group: 'volumes' })
  if (more.length > 0)
    throw new RunyardError(
      'conflict',
      `${found.length} volumes have the name "${word}": use an id (${found.map(({ id }) => id).join(', ')}).`,
    )
  return one
}

const sizeOf = ({ size }: Pick<VolumeView, 'size'>): string => (size === null ? 'none' : `${size} GB`)
