// `runyard registries`: credentials for private images, over REST v2.
import type { Client } from '@runyard/client'
import type { RegistryView } from '@runyard/schema/api'
import { textOption, UsageError, type CommandContext } from '../command.ts'
import { onlyNewWord, onlyWord, unknownWord } from '../only-word.ts'
import { printListing, type Column } from '../output/listing.ts'
import { printJson } from '../output/print-json.ts'
import { readSecret } from '../read-secret.ts'
import { findClient } from '../settings.ts'

export async function add(context: CommandContext): Promise<number> {
  const name = onlyNewWord(context, { usage: 'registries add NAME', what: 'name for the new registry' })
  const credentials = await readCredentials(context)
  const client = await findClient(context)
  return printRegistry(context, await client.registries.add({ name, ...credentials }), 'is kept')
}

export async function list(context: CommandContext): Promise<number> {
  const rows = await (await findClient(context)).registries.list()
  const columns: readonly Column<RegistryView>[] = [
    { title: 'registry', cell: ({ name }) => name, cut: 'middle' },
    { title: 'id', cell: ({ id }) => id },
  ]
  return printListing(context, { rows, columns, data: rows, empty: 'no registry credentials yet' })
}

export async function update(context: CommandContext): Promise<number> {
  const word = onlyName(context)
  const credentials = await readCredentials(context)
  const client = await findClient(context)
  const { id } = await findRegistry(client, word)
  return printRegistry(context, await client.registries.replace(id, credentials), 'has new credentials')
}

export async function remove(context: CommandContext): Promise<number> {
  const word = onlyName(context)
  const client = await findClient(context)
  const { id, name } = await findRegistry(client, word)
  await client.registries.delete(id)
  context.out.line(`${name} (${id}) is deleted`)
  return 0
}

/** By id, else by name. @throws RunyardError('not_found') */
export async function findRegistry(client: Pick<Client, 'registries'>, word: string): Promise<RegistryView> {
  const registries = await client.registries.list()
  const found = registries.find(({ id }) => id === word) ?? registries.find(({ name }) => name === word)
  if (found !== undefined) return found
  throw unknownWord(
    word,
    registries.map(({ name }) => name),
    { what: 'registry', group: 'registries' },
  )
}

const onlyName = (context: CommandContext): string => onlyWord(context, 'registry', 'registries')

async function readCredentials(context: CommandContext): Promise<{ username: string; password: string }> {
  const username = textOption(context, 'username')
  if (username === undefined) throw new UsageError('registry credentials need --username.')
  const password = await readSecret(`password of ${username}: `)
  if (password === '') throw new UsageError('no password came from standard input; pipe it in, or type it when asked.')
  return { username, password }
}

function printRegistry({ out, options }: CommandContext, registry: RegistryView, done: string): number {
  if (options['json'] === true) return printJson(out, registry)
  out.line(`${registry.name} (${registry.id}) ${done}`)
  return 0
}
