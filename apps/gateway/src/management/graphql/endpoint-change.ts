// `EndpointInput` → a change of the model. Three kinds of save look alike on the wire (flash-api §3.1, sdk2-api §3.1, management §0.1.4):
// complete  - no id, or `id` + `template` + `volumes` (SDK 2.0): what is absent is back at its default
// partial   - `id` alone or with `templateId` (Flash): what is absent stays, except workersMax, idleTimeout and scalerValue
import {
  DEFAULT_SETTINGS,
  defined,
  parseGpuIds,
  templateSwap,
  type ContainerChange,
  type EndpointChange,
  type GpuChange,
} from '@runyard/core'
import type { Endpoint, EndpointSettings, Scaling, Template } from '@runyard/schema'
import { ENDPOINT_TYPES, FLASHBOOT_MODES, RunyardError } from '@runyard/schema'
import { fieldsOf, isNone, seconds } from '../fields.ts'
import { splitCommas } from './inputs.ts'
import type { EndpointInput } from './inputs.ts'
import { inlineContainer } from './template-change.ts'

const DEFAULT_SCALER_VALUE = 4
const [QUEUE, LOAD_BALANCER] = ENDPOINT_TYPES

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

/** `template` is the one that `templateId` names; Flash names the endpoint's own, which changes nothing. */
export function endpointChange(input: EndpointInput, current: Endpoint | undefined, template: Template | undefined): EndpointChange {
  const complete = isComplete(input)
  const type = readType(input.type) ?? (complete ? QUEUE : current?.type)
  const scaling = scalingOf(input, complete ? undefined : current, type)
  const { container: used, ...link } = templateSwap(current, template)
  const inline = input.template == null ? {} : inlineContainer(input.template)
  return defined({
    name: input.name ?? undefined,
    type,
    flashEnvironmentId: input.flashEnvironmentId ?? undefined,
    templateName: input.template?.name ?? undefined,
    ...link,
    container: { ...used, ...inline, ...placement(input, complete) },
    ...hardware(input, complete),
    settings: settings(input, scaling, complete),
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
  const instanceIds = input.instanceIds ?? []
  return instanceIds.length > 0 ? { cpu: { instanceIds: [...instanceIds] } } : { gpu: gpuChange(input, complete) }
}

export function isGiven(text: string | null | undefined): text is string {
  return text != null && text !== ''
}

function placement(input: EndpointInput, complete: boolean): ContainerChange {
  return defined({
    dataCenterIds: input.locations == null ? resetIf(complete, []) : [...splitCommas(input.locations)],
    networkVolumeIds: volumeIds(input) ?? resetIf(complete, []),
    flashboot: readFlashboot(input) ?? resetIf(complete, 'OFF' as const),
  })
}

function resetIf<T>(complete: boolean, value: T): T | undefined {
  return complete ? value : undefined
}

function volumeIds({ networkVolumeId, networkVolumeIds }: EndpointInput): string[] | undefined {
  if (networkVolumeIds != null) return networkVolumeIds.map((volume) => volume.networkVolumeId)
  return networkVolumeId == null ? undefined : [...splitCommas(networkVolumeId)]
}

function gpuChange(input: EndpointInput, complete: boolean): GpuChange {
  return defined({
    ...(isGiven(input.gpuIds) ? parseGpuIds(input.gpuIds) : {}),
    count: input.gpuCount ?? resetIf(complete, 1),
    allowedCudaVersions: input.allowedCudaVersions == null ? resetIf(complete, []) : splitCommas(input.allowedCudaVersions),
    minCudaVersion: input.minCudaVersion == null ? resetIf(complete, null) : input.minCudaVersion || null,
  })
}

export const SETTINGS = fieldsOf<EndpointInput, Readonly<Record<string, unknown>>, EndpointSettings>(isNone)({
  workersMin: 'workersMin',
  workersMax: 'workersMax',
  idleTimeoutMs: { name: 'idleTimeout', ...seconds },
  executionTimeoutMs: 'executionTimeoutMs',
})

/** The three that a save resets even when it is partial, observed on Runpod (management §0.1.4). */
function settings(input: EndpointInput, scaling: Scaling, complete: boolean): Partial<EndpointSettings> {
  const { workersMax, idleTimeoutMs } = DEFAULT_SETTINGS
  return { ...(complete ? DEFAULT_SETTINGS : { workersMax, idleTimeoutMs }), ...SETTINGS.read(input), scaling }
}

function scalingOf(input: EndpointInput, current: Endpoint | undefined, type: Endpoint['type'] | undefined): Scaling {
  const fallback = type === LOAD_BALANCER ? 'REQUEST_COUNT' : (current?.settings.scaling.type ?? 'QUEUE_DELAY')
  const scaler = input.scalerType ?? fallback
  const value = input.scalerValue ?? DEFAULT_SCALER_VALUE
  if (scaler === 'QUEUE_DELAY') return { type: scaler, queueDelay: value }
  if (scaler === 'REQUEST_COUNT') return { type: scaler, requestCount: value }
  throw new RunyardError('bad_request', `scalerType must be QUEUE_DELAY or REQUEST_COUNT; "${scaler}" was given.`)
}

function readType(type: string | null | undefined): Endpoint['type'] | undefined {
  if (!isGiven(type)) return undefined
  if (type === 'QB') return QUEUE
  if (type === 'LB') return LOAD_BALANCER
  throw new RunyardError('bad_request', `The type of an endpoint must be QB or LB; "${type}" was given.`)
}

/** Before the field existed a name that ends in `-fb` asked for it (management §4.1). */
function readFlashboot({ flashBootType, name }: EndpointInput): (typeof FLASHBOOT_MODES)[number] | undefined {
  if (!isGiven(flashBootType)) return name?.endsWith('-fb') === true ? 'FLASHBOOT' : undefined
  const mode = FLASHBOOT_MODES.find((candidate) => candidate === flashBootType)
  if (mode !== undefined) return mode
  throw new RunyardError('bad_request', `flashBootType must be one of ${FLASHBOOT_MODES.join(', ')}; "${flashBootType}" was given.`)
}
