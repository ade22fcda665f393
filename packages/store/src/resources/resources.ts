// Every kind of resource of an owner: templates, registry credentials, and each further row of `RESOURCE_KINDS`. One guarded write serves all
// kinds: core decides on a snapshot of the owner's records, and the result is written as a whole if nothing of it has changed since. So a
// crash leaves no endpoint behind its template, and nothing is removed that another client starts to use at the same moment.
import {
  missingResource,
  removeResource,
  type RESOURCE_KINDS,
  saveResource,
  type Library,
  type ResourceChange,
  type ResourceKind,
  type ResourceRecord,
  type ResourceWrite,
  type SaveRequest,
} from '@runyard/core'
import { RunyardError, type Manifest } from '@runyard/schema'
import { ARTIFACT_GRACE_MS } from '../blobs/artifacts.ts'
import type { StoreContext } from '../context.ts'
import { readEndpoint, readResource } from '../data/records.ts'
import { MAX_TRIES, tooBusy } from '../endpoints/endpoints.ts'
import { namesBegin, ownedBy, recordsHave } from '../endpoints/owned.ts'
import { hashKeys, KIND_NAMES, KINDS, listHavingScript, readScript, writeScript } from './resource-scripts.ts'

export interface ResourceStore<R extends ResourceRecord, S> {
  /** Without its secrets. @throws RunyardError('not_found') */
  get(ownerId: string, id: string): Promise<S>
  /** Of all owners or of one; without their secrets. */
  list(ownerId?: string): Promise<readonly S[]>
  /** With its secrets, for the use that it serves and nothing else; undefined if unknown. */
  find(ownerId: string, id: string): Promise<R | undefined>
  /** Emits `endpoint-changed` for each endpoint that follows. @throws RunyardError as `saveResource` of core */
  save(request: SaveRequest<R>): Promise<S>
  /** @throws RunyardError('not_found' | 'conflict') */
  remove(ownerId: string, wanted: { readonly id: string } | { readonly name: string }): Promise<void>
}

/** Manifests of builds, which are large and rarely read. They are written and removed with their builds. */
export type ManifestStore = ReturnType<typeof createManifestStore>

export function createManifestStore({ client, keys }: Pick<StoreContext, 'client' | 'keys'>) {
  return {
    async get(buildId: string): Promise<Manifest | undefined> {
      const text = await client.hget(keys.manifests, buildId)
      return text === null ? undefined : (JSON.parse(text) as Manifest)
    },
  }
}

type Kinds = typeof RESOURCE_KINDS
type StoreOf<K> = K extends ResourceKind<infer R, infer S> ? ResourceStore<R, S> : never
export type ResourceStores = { readonly [N in keyof Kinds]: StoreOf<Kinds[N]> }

type AnyStore = ResourceStore<ResourceRecord, unknown>

/** `guard` wraps each function. */
export function createResourceStores(context: StoreContext, guard: (store: AnyStore) => AnyStore): ResourceStores {
  const stores = KINDS.map((kind) => [kind.name, guard(createResourceStore(context, kind))])
  // A mapped type cannot be built field by field.
  return Object.fromEntries(stores) as ResourceStores
}

function createResourceStore<R extends ResourceRecord, S>(context: StoreContext, kind: ResourceKind<R, S>): ResourceStore<R, S> {
  const { client, keys, run } = context
  const change = createChange(context)
  const records = keys.resource(kind.name)

  const find = async (ownerId: string, id: string): Promise<R | undefined> => {
    const text = await client.hget(records, kind.field(ownerId, id))
    const record = text === null ? undefined : readResource(kind, text)
    return record?.ownerId === ownerId ? record : undefined
  }
  return {
    find,
    async get(ownerId, id) {
      const record = await find(ownerId, id)
      if (record === undefined) throw missingResource(kind, id)
      return kind.show(record)
    },
    async list(ownerId) {
      const texts = await run(listHavingScript, { records, text: ownerId === undefined ? '' : recordsHave(ownerId) })
      return ownedBy(
        ownerId,
        texts.map((text) => readResource(kind, text)),
      ).map((record) => kind.show(record))
    },
    save: async (request) => kind.show(await change(request.ownerId, (library) => saveResource(kind, library, request))),
    async remove(ownerId, wanted) {
      await change(ownerId, (library) => removeResource(kind, library, wanted))
    },
  }
}

type Change = <R>(ownerId: string, decide: (library: Library) => ResourceChange<R>) => Promise<R>

/** `decide` may run more than once. */
function createChange({ keys, run }: Pick<StoreContext, 'keys' | 'run'>): Change {
  const { revision: revisionKey, manifests, artifacts } = keys
  const touched = { revision: revisionKey, endpoints: keys.endpoints.records, names: keys.endpoints.names, ...hashKeys(keys) }
  const held = { manifests, artifactList: artifacts.list, artifacts: artifacts.records, holdersOf: artifacts.holders('') }
  return async (ownerId, decide) => {
    const owned = { namesBegin: namesBegin(ownerId), text: recordsHave(ownerId), kinds: KIND_NAMES }
    for (let attempt = 0; attempt < MAX_TRIES; attempt += 1) {
      const { revision, endpoints, records } = await run(readScript, { ...touched, ...owned })
      const textsOf = new Map<string, readonly string[]>(KIND_NAMES.map((name, at) => [name, records[at] ?? []]))
      const changed = decide({
        kinds: KINDS,
        endpoints: endpoints.map(readEndpoint),
        of: (kind) =>
          ownedBy(
            ownerId,
            (textsOf.get(kind.name) ?? []).map((text) => readResource(kind, text)),
          ),
      })
      const signals = changed.signalled.map(({ id }) => ({ kind: 'endpoint-changed', endpointId: id }) as const)
      const conditions = { expectedRevision: revision, releasedUntil: Date.now() + ARTIFACT_GRACE_MS }
      const result = await run(writeScript, { ...touched, ...held, ...conditions, ...toLists(changed), changed: signals })
      if (result === 'written') return changed.record
      if (result === 'gone') throw new RunyardError('unprocessable', 'The uploaded artifact is not kept any more; upload it again.')
    }
    throw tooBusy()
  }
}

function toLists({ writes, endpoints }: ResourceChange<unknown>) {
  const rows = [
    ...writes.flatMap(rowsOf),
    ...endpoints.map((endpoint) => ({ to: 'endpoints', field: endpoint.id, text: JSON.stringify(endpoint) })),
  ]
  const [held, released] = [holdsOf(writes, false), holdsOf(writes, true)]
  return {
    to: rows.map(({ to }) => to),
    fields: rows.map(({ field }) => field),
    records: rows.map(({ text }) => text),
    held: held.map(({ artifactId }) => artifactId),
    holders: held.map(({ holder }) => holder),
    released: released.map(({ artifactId }) => artifactId),
    releasers: released.map(({ holder }) => holder),
  }
}

function rowsOf({ kind, record, isRemoved, manifest }: ResourceWrite) {
  const field = kind.field(record.ownerId, record.id)
  const row = { to: kind.name, field, text: isRemoved ? '' : JSON.stringify(record) }
  const text = isRemoved && kind.artifactOf !== undefined ? '' : manifest
  return text === undefined ? [row] : [row, { to: 'manifests', field: record.id, text }]
}

/** A record holds its artifact under its own name, so writing it again changes nothing. */
function holdsOf(writes: readonly ResourceWrite[], isRemoved: boolean) {
  return writes.flatMap(({ kind, record, ...write }) => {
    const artifactId = write.isRemoved === isRemoved ? kind.artifactOf?.(record) : undefined
    return artifactId === undefined ? [] : [{ artifactId, holder: `${kind.name}:${record.id}` }]
  })
}
