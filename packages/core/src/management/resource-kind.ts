// What a kind of resource is: everything that differs between templates, registry credentials and the kinds to come. `resource-change.ts` holds
// the rules that all kinds share.
import { RunyardError, type Endpoint } from '@runyard/schema'
import type { ModelTools } from './endpoint-change.ts'

export interface ResourceRecord {
  readonly id: string
  /** Unique per owner and kind, unless the kind has an identity of its own. */
  readonly name?: string
  readonly ownerId: string
  readonly createdAt: number
}

export interface FollowContext extends ModelTools {
  readonly now: number
}

/** `R` is the stored record, `S` what everybody but its user sees of it. */
export interface ResourceKind<R extends ResourceRecord = ResourceRecord, S = unknown> {
  /** Names the kind in code, its key in Redis and its variable in Lua. */
  readonly name: string
  /** @throws ZodError where it is no record. */
  readonly schema: { safeParse(value: unknown): Parsed<R> }
  /** Where the record is in its hash. */
  field(ownerId: string, id: string): string
  /** Without its secrets. */
  show(record: R): S
  /** @throws RunyardError where the record makes no sense. */
  check(record: R): void
  /** Ids of resources of this kind that the endpoint uses. Those stay, and the endpoint can name no others. */
  usedBy(endpoint: Endpoint): readonly string[]
  /** Whether an endpoint that is no user mentions it by name. The scaler looks at that endpoint again when the resource changes. */
  names?(record: R, endpoint: Endpoint): boolean
  /** Ids of resources of another kind that this one names. */
  references?(record: R, kind: string): readonly string[]
  /** What becomes of a record when a resource that it names is deleted; `needed`: that cannot be deleted. */
  without?(record: R, kind: string): R | 'removed' | 'needed'
  /** What no two records of an owner share; default: the name. */
  identity?(record: R): string
  /** The artifact that is kept as long as the record. */
  artifactOf?(record: R): string
  /** A creation under a name that exists returns the existing one where both have the same content. */
  isSame?(existing: R, wanted: R): boolean
  /** The users as they are after a change of the record; those that differ are written. @throws RunyardError where they cannot follow. */
  follow(record: R, users: readonly Endpoint[], context: FollowContext): readonly Endpoint[]
  readonly sentences: {
    /** As in "You have 5 templates". */
    readonly many: string
    missing(wanted: string): string
    /** Of a record that names one that does not exist. */
    unknown(id: string): string
    taken(existing: R): string
    inUse(record: R, users: string): string
    /** Why something that is not in the table cannot be deleted, though it looks like one of its resources. */
    inseparable?(isWanted: (id: string, name: string) => boolean, endpoints: readonly Endpoint[]): string | undefined
  }
}

type Parsed<R> =
  | { readonly success: true; readonly data: R }
  | { readonly success: false; readonly error: { readonly issues: readonly { path: PropertyKey[]; message: string }[] } }

export const missingResource = ({ sentences }: ResourceKind, wanted: string): RunyardError =>
  new RunyardError('not_found', sentences.missing(wanted))

export const unknownResource = ({ sentences }: ResourceKind, id: string): RunyardError =>
  new RunyardError('unprocessable', sentences.unknown(id))

export function namesOf(endpoints: readonly Endpoint[]): string {
  const names = endpoints.map((endpoint) => `"${endpoint.name}"`)
  return `the endpoint${names.length === 1 ? '' : 's'} ${names.join(', ')}`
}
