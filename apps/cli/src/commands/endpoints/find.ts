// Resolves a word to an endpoint: by id, else by name.
import type { Client } from '@runyard/client'
import type { EndpointView } from '@runyard/schema/api'
import { RunyardError } from '@runyard/schema'
import { unknownWord } from '../../only-word.ts'

/** @throws RunyardError('not_found' | 'conflict') */
export async function findEndpoint(client: Client, word: string): Promise<EndpointView> {
  const endpoints = await client.listEndpoints()
  const byId = endpoints.find(({ id }) => id === word)
  const named = endpoints.filter(({ name }) => name === word)
  const [found] = byId === undefined ? named : [byId]
  if (byId === undefined && named.length > 1)
    throw new RunyardError('conflict', `${named.length} endpoints are named "${word}"; use an id: ${named.map(({ id }) => id).join(', ')}.`)
  if (found !== undefined) return found
  throw unknownWord(
    word,
    endpoints.flatMap(({ id, name }) => [name, id]),
    { what: 'endpoint', group: 'endpoints' },
  )
}
