// Which endpoints a caller sees in the history: its own, those that there are now and, in what is past, those that it deleted.
import { RunyardError, type Endpoint, type Signal } from '@runyard/schema'
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
  if (found === undefined) throw noEndpoint(word)
  return { all, asked: [found] }
}

/** Those of an owner for who looks again and again: read only after one was made, changed or deleted. */
export function followOwnEndpoints(store: Pick<Store, 'endpoints'>, ownerId: string) {
  let known: OwnEndpoints | undefined
  let [changes, knownAt] = [0, -1]
  return {
    note({ kind }: Signal): void {
      if (kind === 'endpoint-changed' || kind === 'resync') changes += 1
    },
    /** Whether the next read returns others than the last one. */
    isOutdated: (): boolean => knownAt !== changes,
    async read(): Promise<OwnEndpoints> {
      const now = changes
      if (known === undefined || knownAt !== now) known = await ownEndpoints(store, ownerId)
      knownAt = now
      return known
    },
  }
}

/** An endpoint that there is or was. */
export interface PastEndpoint {
  readonly id: string
  readonly name: string
  readonly isDeleted?: true
}

/** At least those of the ids that are the caller's and asked for; none that is not. */
export type NameEndpoints = (ids: Iterable<string>) => Promise<ReadonlyMap<string, PastEndpoint>>

/** With those that the caller deleted, as long as the ledger knows their names. @throws as `ownEndpoints` */
export async function pastEndpoints(
  store: Pick<Store, 'endpoints'>,
  ownerId: string,
  word?: string,
): Promise<OwnEndpoints & { readonly name: NameEndpoints }> {
  const own = await ownEndpoints(store, ownerId)
  if (word === undefined) return { ...own, name: namingAll(store, ownerId, own) }
  const found = findEndpoint(own.asked, word)
  if (found !== undefined) return { all: own.all, asked: [found], name: naming([found]) }
  const gone = (await goneOf(store, ownerId, await store.endpoints.goneIds())).filter(({ id, name }) => id === word || name === word)
  if (gone.length === 0) throw noEndpoint(word)
  return { all: own.all, asked: [], name: naming(gone) }
}

/** Names those and no others. */
export function naming(endpoints: readonly PastEndpoint[]): NameEndpoints {
  const byId = new Map(endpoints.map(({ id, name, isDeleted }) => [id, { id, name, ...(isDeleted && { isDeleted }) }]))
  return () => Promise.resolve(byId)
}

/** What is not there now is looked up once. */
function namingAll(store: Pick<Store, 'endpoints'>, ownerId: string, { asked }: OwnEndpoints): NameEndpoints {
  const known = new Map<string, PastEndpoint | undefined>(asked.map(({ id, name }) => [id, { id, name }]))
  return async (ids) => {
    const unknown = [...new Set(ids)].filter((id) => !known.has(id))
    for (const id of unknown) known.set(id, undefined)
    for (const endpoint of await goneOf(store, ownerId, unknown)) known.set(endpoint.id, endpoint)
    return new Map([...known].flatMap(([id, endpoint]) => (endpoint === undefined ? [] : [[id, endpoint]])))
  }
}

async function goneOf({ endpoints }: Pick<Store, 'endpoints'>, ownerId: string, ids: readonly string[]): Promise<readonly PastEndpoint[]> {
  if (ids.length === 0) return []
  const [owners, names] = await Promise.all([endpoints.goneOwners(ids), endpoints.goneNames(ids)])
  return ids.flatMap((id) => (owners.get(id) === ownerId ? [{ id, name: names.get(id) ?? id, isDeleted: true }] : []))
}

const noEndpoint = (word: string): RunyardError => new RunyardError('not_found', `There is no endpoint "${word}".`)

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
