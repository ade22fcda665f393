// A name is the identity of an endpoint, so two projects of one owner that use the same name change each other's endpoint. That is allowed, but
// not in silence: each change of an endpoint that was there is an event in its history, a line in the log, and a notice to the client that made
// it. Where a spec comes back that the endpoint had a short while ago, two projects probably change it in turn, and the report says so.
import { isDeepStrictEqual } from 'node:util'
import type { Endpoint } from '@runyard/schema'
import type { Store } from '@runyard/store'
import type { ErrorLog } from './error-log.ts'

/** Who saves, as far as a request tells. */
export interface Caller {
  /** Its user agent and the name of its key. */
  readonly client: string
  readonly address: string
}

export interface ChangeReportDeps {
  readonly store: Pick<Store, 'events'>
  readonly log: ErrorLog
}

export interface Change {
  readonly before: Endpoint
  readonly endpoint: Endpoint
  readonly by: Caller | undefined
}

/** A spec that comes back within this time was changed by somebody else in between. */
const TURN_WITHIN_MS = 3600 * 1000
const REMEMBERED_SPECS = 4

/** What the next save must know of this one. */
export function rememberSpec(before: Endpoint | undefined, next: Endpoint, by: Caller | undefined): Endpoint {
  const { pastSpecs = [], ...rest } = next
  const savedBy = by === undefined ? {} : { savedBy: by.client }
  if (before === undefined || before.specHash === next.specHash) return { ...next, ...savedBy }
  const left = [{ specHash: before.specHash, until: next.updatedAt }, ...pastSpecs].slice(0, REMEMBERED_SPECS)
  return { ...rest, pastSpecs: left, ...savedBy }
}

/** Another client brings a spec back, or the same one does so twice: once may be a roll-back. */
function isTurn({ before, endpoint, by }: Change): boolean {
  const { specHash, updatedAt, pastSpecs = [] } = endpoint
  if (before.specHash === specHash) return false
  const lately = pastSpecs.filter(({ until }) => updatedAt - until < TURN_WITHIN_MS).map((past) => past.specHash)
  const [replaced = '', ...former] = lately
  return former.includes(specHash) && (before.savedBy !== by?.client || former.includes(replaced))
}

/** The sentence for the client; undefined where nothing changed. Never rejects: the change itself is made. */
export async function reportChange({ store, log }: ChangeReportDeps, change: Change): Promise<string | undefined> {
  const { before, endpoint, by } = change
  const changed = describeChanges(before, endpoint)
  if (changed.length === 0) return undefined
  const { id: endpointId, name, updatedAt: at } = endpoint
  const turns = isTurn(change)
  const hint = turns ? '; it had this spec within the last hour, so two projects may use one name: give one of them another name' : ''
  const message = `changed by ${by?.client ?? 'a change of its template'}${describeFormer(before, by)}: ${changed.join(', ')}${hint}`
  const facts = { endpointId, endpoint: name, changed, client: by?.client, address: by?.address, before: before.savedBy }
  if (turns) log.warn(facts, 'two clients may change one endpoint in turn')
  else log.info(facts, 'endpoint changed')
  try {
    await store.events.append({ at, endpointId, kind: 'endpoint_changed', message })
  } catch (err) {
    log.warn({ endpointId, err }, 'the change of an endpoint is missing in its history')
  }
  return `The endpoint "${name}" was there already and has changed: ${changed.join(', ')}${hint}`
}

function describeFormer({ savedBy }: Endpoint, by: Caller | undefined): string {
  return savedBy === undefined || savedBy === by?.client ? '' : ` (last saved by ${savedBy})`
}

/** Names of what changed, with values only where they are no secrets. */
export function describeChanges(before: Endpoint, after: Endpoint): readonly string[] {
  const { image: _image, env: _env, ...rest } = after.spec
  return [
    ...valueChange('name', before.name, after.name),
    ...valueChange('type', before.type, after.type),
    ...valueChange('image', before.spec.image, after.spec.image),
    ...environmentChange(before.spec.env, after.spec.env),
    ...(Object.keys(rest) as (keyof typeof rest)[]).filter((key) => !isDeepStrictEqual(before.spec[key], after.spec[key])),
    ...valueChange('workersMin', before.settings.workersMin, after.settings.workersMin),
    ...valueChange('workersMax', before.settings.workersMax, after.settings.workersMax),
    ...valueChange('idleTimeoutMs', before.settings.idleTimeoutMs, after.settings.idleTimeoutMs),
    ...valueChange('executionTimeoutMs', before.settings.executionTimeoutMs, after.settings.executionTimeoutMs),
    ...valueChange('priority', before.settings.priority ?? 1, after.settings.priority ?? 1),
    ...(isDeepStrictEqual(before.settings.scaling, after.settings.scaling) ? [] : ['scaling']),
  ]
}

function valueChange(what: string, before: string | number, after: string | number): readonly string[] {
  return before === after ? [] : [`${what} (${before} → ${after})`]
}

function environmentChange(before: Readonly<Record<string, string>>, after: Readonly<Record<string, string>>): readonly string[] {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].filter((name) => before[name] !== after[name])
  return names.length === 0 ? [] : [`env (${names.join(', ')})`]
}
