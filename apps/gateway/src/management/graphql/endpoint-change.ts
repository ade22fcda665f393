// `EndpointInput` → a change of the model. Three kinds of save look alike on the wire (flash-api §3.1, sdk2-api §3.1, management §0.1.4):
// complete  - no id, or `id` + `template` + `volumes` (SDK 2.0): what is absent is back at its default
// partial   - `id` alone or with `templateId` (Flash): what is absent stays, except workersMax, idleTimeout and scalerValue
// And the reply: what the client sent as a scalar comes back as it was sent, since the SDK compares and would save again on every call
// (flash-api §5.4). Members that mean nothing here are null.
import {
  DEFAULT_PLACEMENT,
  DEFAULT_SETTINGS,
  defined,
  templateSwap,
  type ContainerChange,
  type EndpointChange,
  type GpuChange,
} from '@runyard/core'
import {
  ENDPOINT_TYPES,
  RunyardError,
  type CachedModel,
  type Endpoint,
  type EndpointSettings,
  type Scaling,
  type Template,
} from '@runyard/schema'
import { CPU, DEFAULT_SCALER_VALUE, GPU, gpuFields, PLACEMENT, SETTINGS, toGpuChange, WORKERS } from '../endpoint-fields.ts'
import { modelReferencesOf } from '../model-cache.ts'
import { environmentReply } from '../template-fields.ts'
import type { EndpointInput } from './inputs.ts'
import { inlineContainer } from './template-change.ts'

const [QUEUE, LOAD_BALANCER] = ENDPOINT_TYPES
const GPU_DEFAULTS: GpuChange = { count: 1, allowedCudaVersions: [], minCudaVersion: null }
const LOAD_BALANCED: Scaling = { type: 'REQUEST_COUNT', requestCount: DEFAULT_SCALER_VALUE }

/** Scalars that the model cannot give back byte for byte, so that they are remembered as sent (flash-api §5.4). */
const ECHOED = [
  'gpuIds',
  'gpuCount',
  'locations',
  'networkVolumeId',
  'workersPFBTarget',
  'allowedCudaVersions',
  'minCudaVersion',
  'flashBootType',
] as const satisfies readonly (keyof EndpointInput)[]

export interface SaveParts {
  /** The one that `templateId` names; Flash names the endpoint's own, which changes nothing. */
  readonly template: Template | undefined
  /** What the hub says about `modelReferences`. */
  readonly models: CachedModel[]
}

export function endpointChange(input: EndpointInput, current: Endpoint | undefined, { template, models }: SaveParts): EndpointChange {
  const complete = isComplete(input)
  const type = readType(input.type) ?? (complete ? QUEUE : current?.type)
  const { container: used, ...link } = templateSwap(current, template)
  const inline = input.template == null ? {} : inlineContainer(input.template)
  return defined({
    name: input.name ?? undefined,
    type,
    flashEnvironmentId: input.flashEnvironmentId ?? undefined,
    templateName: input.template?.name ?? undefined,
    ...link,
    container: { ...used, ...inline, ...placement(input, complete), ...modelChange(input, { complete, models }) },
    ...hardware(input, complete),
    settings: changedSettings(input, complete ? undefined : current, type),
    echo: echoOf(input),
  })
}

function echoOf(input: EndpointInput): Record<string, unknown> {
  const readme = input.template?.readme
  const echo = Object.fromEntries(ECHOED.filter((key) => input[key] != null).map((key) => [key, input[key]]))
  return isGiven(readme) ? { ...echo, readme } : echo
}

function isComplete(input: EndpointInput): boolean {
  return !isGiven(input.id) || (input.template != null && input.volumes != null)
}

function hardware(input: EndpointInput, complete: boolean): Pick<EndpointChange, 'cpu' | 'gpu'> {
  const { instanceIds } = CPU.graphql.read(input)
  if (instanceIds !== undefined) return { cpu: { instanceIds } }
  return { gpu: { ...(complete ? GPU_DEFAULTS : {}), ...toGpuChange(GPU.graphql.read(input)) } }
}

export function isGiven(text: string | null | undefined): text is string {
  return text != null && text !== ''
}

/** A spec without models has no such member. */
function modelChange(
  { modelReferences }: EndpointInput,
  { complete, models }: { readonly complete: boolean; readonly models: CachedModel[] },
) {
  return complete || modelReferences != null ? { models: models.length === 0 ? undefined : models } : {}
}

function placement(input: EndpointInput, complete: boolean): ContainerChange {
  return { ...(complete ? DEFAULT_PLACEMENT : {}), ...PLACEMENT.graphql.read(input) }
}

/** The three that a save resets even when it is partial, observed on Runpod (management §0.1.4): these two and the scaler's value. */
function changedSettings(input: EndpointInput, kept: Endpoint | undefined, type: Endpoint['type'] | undefined): Partial<EndpointSettings> {
  const { workersMax, idleTimeoutMs } = DEFAULT_SETTINGS
  const defaults = kept === undefined ? DEFAULT_SETTINGS : { workersMax, idleTimeoutMs }
  const before = type === LOAD_BALANCER ? { scaling: LOAD_BALANCED } : kept?.settings
  return { ...defaults, ...WORKERS.graphql.read(input), ...SETTINGS.graphql.read(input, before) }
}

function readType(type: string | null | undefined): Endpoint['type'] | undefined {
  if (!isGiven(type)) return undefined
  if (type === 'QB') return QUEUE
  if (type === 'LB') return LOAD_BALANCER
  throw new RunyardError('bad_request', `The type of an endpoint must be QB or LB; "${type}" was given.`)
}

export interface EndpointReply extends Record<string, unknown> {
  /** What it was made of; not in the schema. */
  readonly source: Endpoint
}

export function endpointReply(endpoint: Endpoint): EndpointReply {
  const { spec, settings } = endpoint
  return {
    id: endpoint.id,
    name: endpoint.name,
    type: endpoint.type === 'LOAD_BALANCER' ? 'LB' : 'QB',
    version: endpoint.version,
    templateId: endpoint.sharedTemplateId ?? endpoint.templateId,
    userId: endpoint.ownerId,
    createdAt: new Date(endpoint.createdAt).toISOString(),
    flashEnvironmentId: endpoint.flashEnvironmentId,
    computeType: spec.cpu === null ? 'GPU' : 'CPU',
    ...GPU.graphql.write(gpuFields(spec.gpu)),
    ...(spec.cpu === null ? { instanceIds: null } : CPU.graphql.write(spec.cpu)),
    ...PLACEMENT.graphql.write(spec),
    ...WORKERS.graphql.write(settings),
    ...SETTINGS.graphql.write(settings),
    workersStandby: 0,
    workersPFBTarget: 0,
    modelReferences: modelReferencesOf(spec.models),
    env: environmentReply(spec.env),
    ...endpoint.echo,
    source: endpoint,
  }
}
