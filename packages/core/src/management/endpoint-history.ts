// What a save changed, in words. A name identifies an endpoint, so two projects of one owner that use the same name change each other's endpoint.
// That is allowed but reported. A spec that returns within an hour reveals two projects that change it in turn. And releases as objects (ADR 64): what
// each save that changed the spec made of it, how two of them differ, and how an earlier one comes back.
import type { Endpoint, Release } from '@runyard/schema'
import { isSame } from './spec-hash.ts'
import { HIDDEN_VALUE } from '../key-scopes.ts'

/** The sender of a request, as far as the request shows. */
export interface Caller {
  /** Its user agent and the name of its key. */
  readonly client: string
  readonly keyId: string
  readonly address: string
}

export interface EndpointSave {
  readonly before: Endpoint
  readonly endpoint: Endpoint
  readonly by: Caller | undefined
}

/** A spec that returns within this time was replaced by somebody else in between. */
const TURN_WITHIN_MS = 3600 * 1000
const REMEMBERED_SPECS = 4

/** Adds to the record what the next save compares with. */
export function rememberSpec(before: Endpoint | undefined, next: Endpoint, by: Caller | undefined): Endpoint {
  const { pastSpecs = [], ...rest } = next
  const savedBy = by === undefined ? {} : { savedBy: by.client }
  if (before === undefined) return { ...next, ...savedBy, ...(by === undefined ? {} : { keyId: by.keyId }) }
  if (before.specHash === next.specHash) return { ...next, ...savedBy }
  const left = [{ specHash: before.specHash, until: next.updatedAt }, ...pastSpecs].slice(0, REMEMBERED_SPECS)
  return { ...rest, pastSpecs: left, ...savedBy }
}

export interface ChangeWords {
  readonly changed: readonly string[]
  /** Two clients may change one endpoint in turn. */
  readonly isTurn: boolean
  /** For the history of the endpoint. */
  readonly message: string
  /** For the client that saved it. */
  readonly notice: string
}

/** Undefined where nothing changed. */
export function describeChange(save: EndpointSave): ChangeWords | undefined {
  const { before, endpoint, by } = save
  const changed = describeChanges(before, endpoint)
  if (changed.length === 0) return undefined
  const turns = isTurn(save)
  const hint = turns ? '; it had this spec within the last hour, so two projects may use one name: give one of them another name' : ''
  const what = `${changed.join(', ')}${hint}`
  const message = `changed by ${by?.client ?? 'a change of its template'}${describeFormer(before, by)}: ${what}`
  return { changed, isTurn: turns, message, notice: `The endpoint "${endpoint.name}" was there already and has changed: ${what}` }
}

/** Another client restores a spec, or the same client does so twice: once may be a roll-back. */
function isTurn({ before, endpoint, by }: EndpointSave): boolean {
  const { specHash, updatedAt, pastSpecs = [] } = endpoint
  if (before.specHash === specHash) return false
  const lately = pastSpecs.filter(({ until }) => updatedAt - until < TURN_WITHIN_MS).map((past) => past.specHash)
  const [replaced = '', ...former] = lately
  return former.includes(specHash) && (before.savedBy !== by?.client || former.includes(replaced))
}

function describeFormer({ savedBy }: Endpoint, by: Caller | undefined): string {
  return savedBy === undefined || savedBy === by?.client ? '' : ` (last saved by ${savedBy})`
}

/** Names of what changed; values only where they cannot be secrets. */
export function describeChanges(before: Endpoint, after: Endpoint): readonly string[] {
  const { image: _image, env: _env, ...rest } = after.spec
  return [
    ...valueChange('name', before.name, after.name),
    ...valueChange('type', before.type, after.type),
    ...valueChange('image', before.spec.image, after.spec.image),
    ...environmentChange(before.spec.env, after.spec.env),
    ...(Object.keys(rest) as (keyof typeof rest)[]).filter((key) => !isSame(before.spec[key], after.spec[key])),
    ...valueChange('workersMin', before.settings.workersMin, after.settings.workersMin),
    ...valueChange('workersMax', before.settings.workersMax, after.settings.workersMax),
    ...valueChange('idleTimeoutMs', before.settings.idleTimeoutMs, after.settings.idleTimeoutMs),
    ...valueChange('executionTimeoutMs', before.settings.executionTimeoutMs, after.settings.executionTimeoutMs),
    ...valueChange('requestsPerSecond', before.settings.requestsPerSecond ?? 0, after.settings.requestsPerSecond ?? 0),
    ...valueChange('priority', before.settings.priority ?? 1, after.settings.priority ?? 1),
    ...(isSame(before.settings.scaling, after.settings.scaling) ? [] : ['scaling']),
  ]
}

function valueChange(what: string, before: string | number, after: string | number): readonly string[] {
  return before === after ? [] : [`${what} (${before} → ${after})`]
}

function environmentChange(before: Readonly<Record<string, string>>, after: Readonly<Record<string, string>>): readonly string[] {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].filter((name) => before[name] !== after[name])
  return names.length === 0 ? [] : [`env (${names.join(', ')})`]
}

/** `activeBuildId`: of its environment. */
export function releaseOf(
  { version, type, spec, specHash, updatedAt, savedBy, buildId: pinned }: Endpoint,
  activeBuildId?: string,
): Release {
  const buildId = pinned ?? activeBuildId
  return {
    version,
    type,
    spec,
    specHash,
    ...(buildId === undefined ? {} : { buildId }),
    at: updatedAt,
    ...(savedBy === undefined ? {} : { savedBy }),
  }
}

export interface FieldChange {
  readonly field: string
  readonly old: unknown
  readonly new: unknown
}

/** Values of environment variables may be secrets: only their names are shown. `before`: undefined for the first release. */
export function diffReleases(before: Release | undefined, after: Release): readonly FieldChange[] {
  if (before === undefined) return []
  const { env: oldEnv, ...old } = { type: before.type, ...before.spec }
  const { env: newEnv, ...next } = { type: after.type, ...after.spec }
  const fields = Object.keys({ ...old, ...next }) as (keyof typeof next)[]
  const names = [...new Set([...Object.keys(oldEnv), ...Object.keys(newEnv)])].filter((name) => oldEnv[name] !== newEnv[name])
  return [
    ...fields.flatMap((field) => (isSame(old[field], next[field]) ? [] : [{ field, old: old[field] ?? null, new: next[field] ?? null }])),
    ...names.map((name) => ({ field: `env.${name}`, old: hidden(oldEnv[name]), new: hidden(newEnv[name]) })),
  ]
}

const hidden = (value: string | undefined): string | null => (value === undefined ? null : HIDDEN_VALUE)

/** The endpoint with that release as a new version; the same one where it has that spec. It follows no shared template any more. */
export function restored(endpoint: Endpoint, release: Release, { at, by }: { readonly at: number; readonly by: string }): Endpoint {
  const { spec, specHash, type, buildId } = release
  if (specHash === endpoint.specHash) return endpoint
  const { sharedTemplateId: _link, pinnedImage: _pin, buildId: _build, ...rest } = endpoint
  const pastSpecs = [{ specHash: endpoint.specHash, until: at }, ...(endpoint.pastSpecs ?? [])].slice(0, 4)
  const back = buildId === undefined ? {} : { buildId }
  return { ...rest, ...back, spec, specHash, type, version: endpoint.version + 1, updatedAt: at, savedBy: by, echo: {}, pastSpecs }
}
