// What a filled-in form would change or make: the fields, the request, and the command line that does the same.
import type { EndpointBody, EndpointView, HealthView } from '@runyard/schema/api'
import { RunyardError } from '@runyard/schema/errors'
import { quoteShell } from '../../../ui/quote-shell.ts'
import { coverEnv, envOption } from './env-lines.ts'
import type { FormField, Values } from './form-field.ts'
import { SCALING_FIELDS } from './scaling-fields.ts'
import { WORKER_FIELDS } from './worker-fields.ts'

const FIELDS: readonly FormField[] = [...SCALING_FIELDS, ...WORKER_FIELDS]

export function fieldsOf(endpoint: EndpointView): readonly FormField[] {
  return FIELDS.filter(({ isFor }) => isFor === undefined || isFor(endpoint))
}

export function valuesOf(endpoint: EndpointView): Values {
  return Object.fromEntries(fieldsOf(endpoint).map(({ name, read }) => [name, read(endpoint)]))
}

/** By field, one sentence each. */
export function faultsOf(fields: readonly FormField[], values: Values): ReadonlyMap<string, string> {
  const own = fields.flatMap(({ name, faultOf }) => {
    const fault = faultOf?.(values[name] ?? '')
    return fault === undefined ? [] : [[name, fault] as const]
  })
  const tooMany = Number(values['workersMin']) > Number(values['workersMax'])
  return new Map([...(tooMany ? [['workersMax', 'must not be below the active workers'] as const] : []), ...own])
}

/** What the API refused, by field, in its words; empty: nothing that has a field. */
export function refusedFields(fields: readonly FormField[], error: Error | null): ReadonlyMap<string, string> {
  if (error === null) return new Map()
  const issues = error instanceof RunyardError ? error.issues : []
  const byMember = issues.flatMap((issue) => {
    const [, path = '', fault = ''] = /^body\.([\w.]+): (.+)$/su.exec(issue) ?? []
    const name = fieldOf(path)
    return fields.some((field) => field.name === name) ? [[name, fault] as const] : []
  })
  if (byMember.length > 0) return new Map(byMember)
  const blamed = fields.find(({ blames }) => blames?.test(error.message))
  return new Map(blamed === undefined ? [] : [[blamed.name, error.message]])
}

/** Most fields have the name of their member of the body. */
const fieldOf = (path: string): string => MEMBERS.find(([pattern]) => pattern.test(path))?.[1] ?? path.split('.').at(-1) ?? ''

/** Members of the body whose fields are called otherwise. */
const MEMBERS: readonly (readonly [RegExp, string])[] = [
  [/^workers\.min/u, 'workersMin'],
  [/^workers\.max/u, 'workersMax'],
  [/^scaling/u, 'scalingValue'],
  [/^gpu\.pools/u, 'gpuPools'],
  [/^gpu\.excludedTypes/u, 'gpuExcluded'],
  [/^gpu\.count/u, 'gpuCount'],
  [/^cpu/u, 'cpuSize'],
  [/^networkVolumes/u, 'volumes'],
  [/^env\b/u, 'env'],
  [/^ports\b/u, 'ports'],
  [/^templateId$/u, 'template'],
]

export interface FieldChange {
  readonly field: FormField
  readonly old: string
  readonly new: string
}

export interface EndpointChange {
  readonly changes: readonly FieldChange[]
  readonly body: EndpointBody
  /** Undefined where an option is missing. */
  readonly command: string | undefined
  readonly isContainer: boolean
}

export function changeOf(endpoint: EndpointView, values: Values): EndpointChange {
  const changes = fieldsOf(endpoint).flatMap((field) => {
    const [old, next] = [field.read(endpoint), values[field.name] ?? '']
    return old.trim() === next.trim() ? [] : [{ field, old, new: next }]
  })
  const sent = changes.map(({ field }) => field)
  return {
    changes,
    body: bodyOf(sent, values, endpoint),
    command: commandOf(`runyard endpoints update ${quoteShell(endpoint.name)}`, optionsOf(sent, values, endpoint)),
    isContainer: sent.some(({ isContainer }) => isContainer),
  }
}

export function bodyOf(fields: readonly FormField[], values: Values, endpoint: EndpointView): EndpointBody {
  return mergePatches(fields.map(({ toPatch }) => toPatch(values, endpoint)))
}

export type Options = readonly (string | undefined)[]

export const optionsOf = (fields: readonly FormField[], values: Values, endpoint: EndpointView): Options =>
  fields.map(({ toOptions }) => toOptions(values, endpoint))

/** Two fields may be one option. */
export function commandOf(verb: string, options: Options): string | undefined {
  return options.every((option) => option !== undefined) ? [verb, ...new Set(options)].join(' ') : undefined
}

/** `workers` and `gpu` are put together from their members. */
function mergePatches(patches: readonly Partial<EndpointBody>[]): EndpointBody {
  const whole = patches.flatMap(({ workers: _workers, gpu: _gpu, ...rest }) => Object.entries(rest))
  const parts = (['workers', 'gpu'] as const).flatMap((name) => {
    const members = patches.flatMap((patch) => Object.entries(patch[name] ?? {}))
    return members.length === 0 ? [] : [[name, Object.fromEntries(members)] as const]
  })
  return Object.fromEntries([...whole, ...parts])
}

/** What saving does to workers. */
export function describeEffect({ isContainer, changes }: EndpointChange, health: HealthView | undefined): string {
  if (changes.length === 0) return 'Nothing changes.'
  if (!isContainer) return 'Applies in place: no worker is replaced.'
  const { idle = 0, running = 0 } = health?.workers ?? {}
  if (idle + running === 0) return 'A new release: the next worker runs it.'
  const workers = (count: number, what: string, when: string): readonly string[] =>
    count === 0 ? [] : [`${count} ${what} ${count === 1 ? 'worker' : 'workers'} replaced ${when}`]
  return `A new release: ${[...workers(idle, 'idle', 'at once'), ...workers(running, 'busy', 'after their jobs')].join(', ')}.`
}

/** `endpointId`: absent where it is to be made. */
export function toCurl(url: string, body: EndpointBody, endpointId?: string): string {
  return [
    endpointId === undefined ? `curl -sS '${url}/v2/serverless'` : `curl -sS -X PATCH '${url}/v2/serverless/${endpointId}'`,
    `  -H "Authorization: Bearer $RUNPOD_API_KEY"`,
    `  -H 'Content-Type: application/json'`,
    `  -d ${quoteShell(JSON.stringify(body))}`,
  ].join(' \\\n')
}

/** For the eye: without the values of variables that are called like secrets. */
export function coverBody(body: EndpointBody): EndpointBody {
  return body.env === undefined ? body : { ...body, env: coverEnv(body.env) }
}

export function coverCommand(command: string, { env = {} }: EndpointBody): string {
  const covered = Object.entries(coverEnv(env))
  return covered.reduce((text, [name, value]) => text.replaceAll(envOption(name, env[name] ?? ''), envOption(name, value)), command)
}
