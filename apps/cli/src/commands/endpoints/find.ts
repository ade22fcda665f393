// Resolves a word to an endpoint: by id, by name, or by the one beginning or end of them that it is.
import type { Client } from '@runyard/client'
import type { EndpointView } from '@runyard/schema/api'
import { RunyardError } from '@runyard/schema'
import { unknownWord } from '../../only-word.ts'
import type { Terminal } from '../../output/terminal.ts'

/**
 * By id, else by name; else by the beginning of one id, or the beginning or end of one name (Flash names an endpoint `live-NAME`), which it says on
 * `err`. @throws RunyardError('not_found' | 'conflict')
 */
export async function findEndpoint(
  client: Pick<Client, 'listEndpoints'>,
  word: string,
  err?: Pick<Terminal, 'line' | 'dim'>,
): Promise<EndpointView> {
  const endpoints = await client.listEndpoints()
  const exact = endpoints.find(({ id }) => id === word)
  if (exact !== undefined) return exact
  const named = endpoints.filter(({ name }) => name === word)
  const near = named.length > 0 || err === undefined ? named : endpoints.filter((each) => isNear(each, word))
  const [found] = near
  if (found === undefined) throw unknownEndpoint(word, endpoints)
  if (near.length > 1) throw severalEndpoints(word, near)
  if (named.length === 0) err?.line(err.dim(`${found.name} (${found.id})`))
  return found
}

/** For what cannot be undone: only the whole name or id. */
export function findExactly(client: Pick<Client, 'listEndpoints'>, word: string): Promise<EndpointView> {
  return findEndpoint(client, word)
}

function isNear({ id, name }: EndpointView, word: string): boolean {
  return id.startsWith(word) || name.startsWith(word) || name.endsWith(word)
}

function unknownEndpoint(word: string, endpoints: readonly EndpointView[]): RunyardError {
  const names = endpoints.flatMap(({ id, name }) => [name, id])
  return unknownWord(word, names, { what: 'endpoint', group: 'endpoints' })
}

function severalEndpoints(word: string, near: readonly EndpointView[]): RunyardError {
  const are = near.every(({ name }) => name === word) ? 'are named' : 'match'
  const list = near.map(({ id, name }) => (name === word ? id : `${name} (${id})`)).join(', ')
  return new RunyardError('conflict', `${near.length} endpoints ${are} "${word}"; use an id: ${list}.`)
}
