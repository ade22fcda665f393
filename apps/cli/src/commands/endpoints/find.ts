// Resolves a word to an endpoint: by id, else by name.
import type { Client } from '@runyard/client'
import type { EndpointView } from '@runyard/schema/api'
import { closestWord } from '@runyard/kit'
import { RunyardError } from '@runyard/schema'
import { UsageError, type CommandContext } from '../../command.ts'

/** The only positional argument. @throws UsageError */
export function onlyWord({ positionals }: Pick<CommandContext, 'positionals'>, what: string): string {
  const [word, ...more] = positionals
  if (word !== undefined && more.length === 0) return word
  const given = word === undefined ? 'none was given' : `${positionals.length} were given`
  throw new UsageError(`name one ${what}; ${given}. \`runyard endpoints list\` shows what there is.`)
}

/** @throws RunyardError('not_found' | 'conflict') */
export async function findEndpoint(client: Client, word: string): Promise<EndpointView> {
  const endpoints = await client.listEndpoints()
  const byId = endpoints.find(({ id }) => id === word)
  const named = endpoints.filter(({ name }) => name === word)
  const [found] = byId === undefined ? named : [byId]
  if (byId === undefined && named.length > 1)
    throw new RunyardError('conflict', `${named.length} endpoints are named "${word}"; use an id: ${named.map(({ id }) => id).join(', ')}.`)
  if (found !== undefined) return found
  const near = closestWord(
    word,
    endpoints.flatMap(({ id, name }) => [name, id]),
    3,
  )
  const hint = near === undefined ? '`runyard endpoints list` shows what there is' : `did you mean "${near}"?`
  throw new RunyardError('not_found', `there is no endpoint "${word}"; ${hint}`)
}
