// The rules that hold for every kind of resource (management §2.2, §2.4, §3.5): the owner's own, names unique, as many as the limit, no
// reference to what does not exist, no removal of what is in use. Decided on a snapshot of the owner's records; the store writes the result
// as a whole, if the snapshot is still true then.
import { RECORD_LIMITS, RunyardError, type Endpoint } from '@runyard/schema'
import { missingResource, namesOf, unknownResource, type FollowContext, type ResourceKind, type ResourceRecord } from './resource-kind.ts'

/** The owner's records as they were at one moment. */
export interface Library {
  readonly kinds: readonly ResourceKind[]
  readonly endpoints: readonly Endpoint[]
  of<R extends ResourceRecord>(kind: ResourceKind<R>): readonly R[]
}

export interface ResourceWrite {
  readonly kind: ResourceKind
  readonly record: ResourceRecord
  readonly isRemoved: boolean
}

export interface ResourceChange<R> {
  readonly record: R
  readonly writes: readonly ResourceWrite[]
  /** Endpoints that are written with it. */
  readonly endpoints: readonly Endpoint[]
  /** Endpoints that the scaler is to look at again. */
  readonly signalled: readonly Endpoint[]
}

export interface SaveRequest<R> extends FollowContext {
  readonly ownerId: string
  /** Undefined: a new one. */
  readonly id: string | undefined
  /** The record after the change. May run more than once. */
  edit(current: R | undefined): R
}

/** @throws RunyardError('not_found' | 'conflict' | 'bad_request' | 'unprocessable') with one sentence. */
export function saveResource<R extends ResourceRecord>(
  kind: ResourceKind<R>,
  library: Library,
  request: SaveRequest<R>,
): ResourceChange<R> {
  const { id } = request
  const own = library.of(kind)
  const current = own.find((each) => each.id === id)
  if (id !== undefined && current === undefined) throw missingResource(kind, id)
  const record = request.edit(current)
  kind.check(record)
  checkReferences(kind, library, { record, current })
  const namesake = own.find((other) => other.name === record.name && other.id !== record.id)
  if (namesake !== undefined) {
    if (id === undefined && kind.isSame?.(namesake, record) === true) return { record: namesake, writes: [], endpoints: [], signalled: [] }
    throw new RunyardError('conflict', kind.sentences.taken(namesake))
  }
  if (current === undefined && own.length >= RECORD_LIMITS.perOwner) throw tooMany(kind, own.length)
  const users = current === undefined ? [] : usersOf(kind, library, current.id)
  const followed = kind.follow(record, users, request)
  const changed = followed.filter((endpoint) => !users.includes(endpoint))
  return { record, writes: [{ kind, record, isRemoved: false }], endpoints: changed, signalled: followed }
}

/** References that it did not have before must exist. */
function checkReferences<R extends ResourceRecord>(
  kind: ResourceKind<R>,
  library: Library,
  { record, current }: { readonly record: R; readonly current: R | undefined },
): void {
  for (const other of library.kinds) {
    const before = current === undefined ? [] : (kind.references?.(current, other.name) ?? [])
    const added = (kind.references?.(record, other.name) ?? []).filter((id) => !before.includes(id))
    const strange = added.find((id) => !library.of(other).some((each) => each.id === id))
    if (strange !== undefined) throw unknownResource(other, strange)
  }
}

function tooMany({ sentences }: ResourceKind, count: number): RunyardError {
  return new RunyardError('unprocessable', `You have ${count} ${sentences.many}, which is as many as an owner may have; delete some first.`)
}

/** By id or by name. @throws RunyardError('not_found' | 'conflict') */
export function removeResource<R extends ResourceRecord>(
  kind: ResourceKind<R>,
  library: Library,
  wanted: { readonly id: string } | { readonly name: string },
): ResourceChange<R> {
  const isWanted = (id: string, name: string): boolean => ('id' in wanted ? wanted.id === id : wanted.name === name)
  const record = library.of(kind).find(({ id, name }) => isWanted(id, name))
  if (record === undefined) {
    const why = kind.sentences.inseparable?.(isWanted, library.endpoints)
    throw why === undefined ? missingResource(kind, 'id' in wanted ? wanted.id : wanted.name) : new RunyardError('conflict', why)
  }
  const users = usersOf(kind, library, record.id)
  if (users.length > 0) throw new RunyardError('conflict', kind.sentences.inUse(record, namesOf(users)))
  const referring = library.kinds.flatMap((other) => cleared(other, library, { name: kind.name, id: record.id }))
  return { record, writes: [{ kind, record, isRemoved: true }, ...referring], endpoints: [], signalled: [] }
}

/** Records of that kind that name what is removed. */
function cleared(kind: ResourceKind, library: Library, removed: { readonly name: string; readonly id: string }): readonly ResourceWrite[] {
  const { name, id } = removed
  const naming = library.of(kind).filter((record) => kind.references?.(record, name).includes(id) === true)
  return naming.flatMap((record) => {
    const without = kind.withoutReference?.(record, name, id)
    return without === undefined ? [] : [{ kind, record: without, isRemoved: false }]
  })
}

function usersOf(kind: ResourceKind, { endpoints }: Library, id: string): readonly Endpoint[] {
  return endpoints.filter((endpoint) => kind.usedBy(endpoint).includes(id))
}
