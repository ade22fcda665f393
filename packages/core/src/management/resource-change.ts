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
  /** Of a build: its manifest as JSON, where it is new or changes. */
  readonly manifest?: string | undefined
}

export interface ResourceChange<R> {
  readonly record: R
  readonly writes: readonly ResourceWrite[]
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
  /** Of a build, as JSON. */
  readonly manifest?: string
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
  const namesake = own.find((other) => other.id !== record.id && identityOf(kind, other) === identityOf(kind, record))
  if (namesake !== undefined) {
    if (id === undefined && kind.isSame?.(namesake, record) === true) return { record: namesake, writes: [], endpoints: [], signalled: [] }
    throw new RunyardError('conflict', kind.sentences.taken(namesake))
  }
  if (current === undefined && own.length >= RECORD_LIMITS.perOwner) throw tooMany(kind, own.length)
  const users = current === undefined ? [] : usersOf(kind, library, current.id)
  const followed = kind.follow(record, users, request)
  const changed = followed.filter((endpoint) => !users.includes(endpoint))
  const naming = library.endpoints.filter((endpoint) => kind.names?.(record, endpoint) === true)
  return {
    record,
    writes: [{ kind, record, isRemoved: false, manifest: request.manifest }],
    endpoints: changed,
    signalled: [...followed, ...naming],
  }
}

function identityOf<R extends ResourceRecord>(kind: ResourceKind<R>, record: R): string | undefined {
  return kind.identity?.(record) ?? record.name
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

/** By id or by name; with it goes what belongs to it. @throws RunyardError('not_found' | 'conflict') */
export function removeResource<R extends ResourceRecord>(
  kind: ResourceKind<R>,
  library: Library,
  wanted: { readonly id: string } | { readonly name: string },
): ResourceChange<R> {
  const isWanted = (id: string, name: string | undefined): boolean => ('id' in wanted ? wanted.id === id : wanted.name === name)
  const record = library.of(kind).find(({ id, name }) => isWanted(id, name))
  if (record === undefined) {
    const why = kind.sentences.inseparable?.(isWanted, library.endpoints)
    throw why === undefined ? missingResource(kind, 'id' in wanted ? wanted.id : wanted.name) : new RunyardError('conflict', why)
  }
  const writes: ResourceWrite[] = []
  addRemoval(writes, library, { kind, record })
  return { record, writes, endpoints: [], signalled: [] }
}

interface Subject {
  readonly kind: ResourceKind
  readonly record: ResourceRecord
}

function addRemoval(writes: ResourceWrite[], library: Library, { kind, record }: Subject): void {
  const users = usersOf(kind, library, record.id)
  if (users.length > 0) throw new RunyardError('conflict', kind.sentences.inUse(record, namesOf(users)))
  writes.push({ kind, record, isRemoved: true })
  for (const naming of subjectsNaming(library, { kind, record })) {
    if (writes.some((write) => write.isRemoved && write.kind === naming.kind && write.record.id === naming.record.id)) continue
    const without = naming.kind.without?.(naming.record, kind.name) ?? 'needed'
    if (without === 'needed') throw new RunyardError('conflict', kind.sentences.inUse(record, `the ${naming.kind.sentences.many}`))
    if (without === 'removed') addRemoval(writes, library, naming)
    else writes.push({ kind: naming.kind, record: without, isRemoved: false })
  }
}

function subjectsNaming(library: Library, { kind: { name }, record: { id } }: Subject): readonly Subject[] {
  return library.kinds.flatMap((kind) =>
    library.of(kind).flatMap((record) => (kind.references?.(record, name).includes(id) === true ? [{ kind, record }] : [])),
  )
}

function usersOf(kind: ResourceKind, { endpoints }: Library, id: string): readonly Endpoint[] {
  return endpoints.filter((endpoint) => kind.usedBy(endpoint).includes(id))
}
