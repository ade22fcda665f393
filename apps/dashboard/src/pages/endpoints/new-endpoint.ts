// What the form of a new endpoint starts with and sends. It is the form of the settings, over an endpoint that is not there yet.
import type { EndpointBody, EndpointView } from '@runyard/schema/api'
import { bodyOf, commandOf, faultsOf, fieldsOf, optionsOf, valuesOf } from '../endpoint/settings/endpoint-change.ts'
import { textOf, type FormField, type Values } from '../endpoint/settings/form-field.ts'

export const TYPES = [
  { value: 'QUEUE', label: 'queue: jobs' },
  { value: 'LOAD_BALANCER', label: 'load balancer: HTTP requests' },
] as const
export type EndpointType = (typeof TYPES)[number]['value']

/** What its workers are made of. `own`: the default image, which runs functions of Flash. */
const SOURCES = [
  { value: 'own', label: 'Runyard’s own image, for functions (Flash)' },
  { value: 'image', label: 'a container image of your own' },
  { value: 'template', label: 'a template' },
] as const
export type Source = (typeof SOURCES)[number]['value']
/** A server for HTTP is in an image of its own, but for what Flash deploys. */
export const sourcesOf = (type: EndpointType) => SOURCES.filter(({ value }) => type === 'QUEUE' || value !== 'own')

export type Processors = 'gpu' | 'cpu'

export interface Draft {
  readonly type: EndpointType
  readonly source: Source
  readonly processors: Processors
  readonly written: Values
  /** Asked for unless somebody chooses: pools of the cards that are there. */
  readonly pools: readonly string[]
}

/** The gateway puts `defaultImage` in its place. */
const OWN_IMAGE = 'runpod/flash:latest'

const TEMPLATE: FormField = {
  name: 'template',
  label: 'Template',
  group: 'Container',
  options: 'templates',
  blames: /^Template/u,
  isContainer: true,
  read: () => '',
  faultOf: (text) => (text === '' ? 'must be one of your templates' : undefined),
  toPatch: (values) => ({ templateId: textOf(values, 'template') }),
  toOptions: () => undefined,
}

function blankOf({ type, source, processors }: Draft): EndpointView {
  const gpu = { pools: [], excludedTypes: [], count: 1, allowedCudaVersions: [], minCudaVersion: null }
  return {
    id: '',
    name: '',
    type,
    createdAt: '',
    image: source === 'own' ? OWN_IMAGE : '',
    args: '',
    ports: [],
    env: {},
    registry: null,
    gpu: processors === 'gpu' ? gpu : null,
    ...(processors === 'cpu' && { cpu: [{ id: 'cpu3g', vcpuCount: 2, memory: 8 }] }),
    workers: { min: 0, max: 3, idleTimeout: 10 },
    scaling: type === 'QUEUE' ? { type: 'QUEUE_DELAY', queueDelay: 4 } : { type: 'REQUEST_COUNT', requestCount: 4 },
    dataCenterIds: [],
    networkVolumes: [],
    timeout: 0,
    flashboot: 'OFF',
    requestUrls: {},
  }
}

/** What the gateway cannot do without. */
const NEEDED = new Set(['name', 'image', 'template', 'gpuPools', 'cpuSize', 'scalingValue'])

export interface NewEndpoint {
  readonly fields: readonly FormField[]
  readonly values: Values
  readonly faults: ReadonlyMap<string, string>
  readonly body: EndpointBody
  readonly command: string | undefined
}

/** `names`: of the endpoints that there are; saving one of them again would change it. */
export function readDraft(draft: Draft, names: readonly string[]): NewEndpoint {
  const blank = blankOf(draft)
  const common = fieldsOf(blank)
  const fields = draft.source === 'template' ? [...common.filter(({ name }) => name !== 'image'), TEMPLATE] : common
  const values: Values = { ...valuesOf(blank), gpuPools: draft.pools.join(', '), template: '', ...draft.written }
  const sent = fields.filter(({ name, read }) => NEEDED.has(name) || (values[name] ?? '').trim() !== read(blank).trim())
  // The command beside the form is readable from the beginning; without a name nothing is sent.
  const shown = textOf(values, 'name') === '' ? { ...values, name: 'NAME' } : values
  const taken = names.includes(textOf(values, 'name')) ? [['name', 'an endpoint of this name is there already'] as const] : []
  return {
    // With the default image there is nothing to name.
    fields: draft.source === 'own' ? fields.filter(({ name }) => name !== 'image') : fields,
    values,
    faults: new Map([...faultsOf(fields, values), ...taken]),
    body: { type: draft.type, ...bodyOf(sent, shown, blank) },
    // The command line makes queues.
    command: draft.type === 'QUEUE' ? commandOf('runyard endpoints create', optionsOf(sent, shown, blank)) : undefined,
  }
}
