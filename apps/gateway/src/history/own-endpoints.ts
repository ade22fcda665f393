// Which endpoints a caller sees in the history: its own, that there are now.
import { RunyardError, type Endpoint } from '@runyard/schema'
import type { Store } from '@runyard/store'

export interface OwnEndpoints {
  readonly all: ReadonlyMap<string, Endpoint>
  /** The one that is asked for, by id or name, else all. */
  readonly asked: readonly Endpoint[]
}

/** @throws RunyardError('not_found') where none of the caller's has that id or name. */
export async function ownEndpoints(store: Pick<Store, 'endpoints'>, ownerId: string, word?: string): Promise<OwnEndpoints> {
  const own = (await store.endpoints.list()).filter((endpoint) => endpoint.ownerId === ownerId)
  const all = new Map<string, Endpoint>(own.map((endpoint) => [endpoint.id, endpoint]))
  if (word === undefined) return { all, asked: own }
  const found = findEndpoint(own, word)
  if (found === undefined) throw new RunyardError('not_found', `There is no endpoint "${word}".`)
  return { all, asked: [found] }
}

/** By id, else by name. */
export function findEndpoint(own: readonly Endpoint[], word: string): Endpoint | undefined {
  return own.find(({ id }) => id === word) ?? own.find(({ name }) => name === word)
}

const DAY_MS = 24 * 3_600_000

/** @throws RunyardError('bad_request') */
export function rangeOf({ since, until = Date.now() }: { readonly since?: number | undefined; readonly until?: number | undefined }) {
  const range = { from: since ?? Math.max(0, until - DAY_MS), to: until }
  if (range.from > range.to) throw new RunyardError('bad_request', '"since" must lie before "until".')
  return range
}
