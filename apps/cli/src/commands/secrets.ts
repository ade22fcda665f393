// `runyard secrets`: values that endpoints name as `{{ RUNPOD_SECRET_name }}`.
import type { SecretView } from '@runyard/schema/api'
import { textOption, UsageError, type CommandContext } from '../command.ts'
import { onlyNewWord, onlyWord, unknownWord } from '../only-word.ts'
import { printListing, timeFormOf, type Column } from '../output/listing.ts'
import { printJson } from '../output/print-json.ts'
import { formatTime } from '../output/time.ts'
import { readSecret } from '../read-secret.ts'
import { findClient } from '../settings.ts'

export async function list(context: CommandContext): Promise<number> {
  const rows = await (await findClient(context)).secrets.list()
  const form = timeFormOf(context)
  const columns: readonly Column<SecretView>[] = [
    { title: 'secret', cell: ({ name }) => name, cut: 'middle' },
    { title: 'value set', cell: ({ updatedAt }) => formatTime(Date.parse(updatedAt), form) },
    { title: 'description', cell: ({ description }) => description, cut: 'end', goes: 1 },
  ]
  return printListing(context, { rows, columns, data: rows, empty: 'no secrets yet' })
}

export async function set(context: CommandContext): Promise<number> {
  const { out, options } = context
  const name = onlyNewWord(context, { usage: 'secrets set NAME', what: 'name of the secret' })
  const value = await readSecret(`value of ${name}: `)
  if (value === '') throw new UsageError('no value came from standard input; pipe it in, or type it when asked.')
  const description = textOption(context, 'description')
  const body = description === undefined ? { value } : { value, description }
  const secret = await (await findClient(context)).secrets.set(name, body)
  if (options['json'] === true) return printJson(out, secret)
  out.line(`${secret.name} is set; workers that start from now on get this value`)
  return 0
}

export async function remove(context: CommandContext): Promise<number> {
  const name = onlyName(context)
  const { secrets } = await findClient(context)
  const names = (await secrets.list()).map((secret) => secret.name)
  if (!names.includes(name)) throw unknownWord(name, names, { what: 'secret', group: 'secrets' })
  await secrets.delete(name)
  context.out.line(`${name} is deleted`)
  return 0
}

const onlyName = (context: CommandContext): string => onlyWord(context, 'secret', 'secrets')
