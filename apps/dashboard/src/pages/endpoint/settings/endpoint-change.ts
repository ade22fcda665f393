// What a filled-in form would change: the fields, the request, and the command line that does the same.
import type { EndpointBody, EndpointView, HealthView } from '@runyard/schema/api'
import { quoteShell } from '../../../ui/quote-shell.ts'
import { FIELDS, type FormField, type Values } from './form-fields.ts'

export function fieldsOf(endpoint: EndpointView): readonly FormField[] {
  return FIELDS.filter(({ isFor }) => isFor === undefined || isFor(endpoint))
}

export function valuesOf(endpoint: EndpointView): Values {
  return Object.fromEntries(fieldsOf(endpoint).map(({ name, read }) => [name, read(endpoint)]))
}

/** By field, one sentence each. */
export function faultsOf(endpoint: EndpointView, values: Values): ReadonlyMap<string, string> {
  const own = fieldsOf(endpoint).flatMap(({ name, faultOf }) => {
    const fault = faultOf?.(values[name] ?? '')
    return fault === undefined ? [] : [[name, fault] as const]
  })
  const tooMany = Number(values['workersMin']) > Number(values['workersMax'])
  return new Map([...(tooMany ? [['workersMax', 'must not be below the active workers'] as const] : []), ...own])
}

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
  const options = changes.map(({ field }) => field.toOptions(values, endpoint))
  const isWhole = options.every((option) => option !== undefined)
  return {
    changes,
    body: mergePatches(changes.map(({ field }) => field.toPatch(values, endpoint))),
    command: isWhole ? ['runyard endpoints update', quoteShell(endpoint.name), ...new Set(options)].join(' ') : undefined,
    isContainer: changes.some(({ field }) => field.isContainer),
  }
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

export function toCurl(url: string, endpointId: string, body: EndpointBody): string {
  return [
    `curl -sS -X PATCH '${url}/v2/serverless/${endpointId}'`,
    `  -H "Authorization: Bearer $RUNPOD_API_KEY"`,
    `  -H 'Content-Type: application/json'`,
    `  -d ${quoteShell(JSON.stringify(body))}`,
  ].join(' \\\n')
}
