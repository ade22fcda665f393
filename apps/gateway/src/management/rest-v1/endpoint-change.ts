// REST v1 bodies → changes of the model (management §2.1). POST describes the whole endpoint; PATCH only what it names. An endpoint
// follows its template (management §5, ADR 21). GPU types are kept as they are named, in their order, instead of as pools without siblings.
import {
  cpuInstanceId,
  DEFAULT_GPU,
  DEFAULT_PLACEMENT,
  DEFAULT_SETTINGS,
  defined,
  GPU_POOL_IDS,
  parseGpuIds,
  templateSwap,
  type ContainerChange,
  type EndpointChange,
  type GpuChange,
} from '@runyard/core'
import { RunyardError } from '@runyard/schema'
import type { CpuRequest, Endpoint, EndpointSettings, Scaling, Template } from '@runyard/schema'
import type { V1CreateEndpointBody, V1EndpointView, V1UpdateEndpointBody } from '@runyard/schema/api'
import { fieldsOf, seconds } from '../fields.ts'

const DEFAULT_IDLE_TIMEOUT_MS = 5000
const DEFAULT_SCALER_VALUE = 4
const DEFAULT_CPU = sized(['cpu3c', 'cpu3g', 'cpu5c', 'cpu5g'], 2)

export function createChange(body: V1CreateEndpointBody, template: Template | undefined): EndpointChange {
  const { container: used, ...link } = templateSwap(undefined, template)
  const isCpu = body.computeType === 'CPU' || (body.computeType === undefined && body.cpuFlavorIds !== undefined)
  return defined({
    name: body.name,
    type: 'QUEUE' as const,
    ...link,
    container: { ...used, ...DEFAULT_PLACEMENT, ...placement(body) },
    ...(isCpu ? { cpu: changedCpu(body, DEFAULT_CPU) } : { gpu: newGpu(body) }),
    settings: { ...DEFAULT_SETTINGS, idleTimeoutMs: DEFAULT_IDLE_TIMEOUT_MS, ...settings(body, undefined) },
  })
}

export function updateChange(body: V1UpdateEndpointBody, current: Endpoint, template: Template | undefined): EndpointChange {
  const { container: used, ...link } = templateSwap(current, template)
  return defined({
    name: body.name,
    ...link,
    container: { ...used, ...placement(body) },
    ...(current.spec.cpu === null ? { gpu: changedGpu(body) } : { cpu: changedCpu(body, current.spec.cpu) }),
    settings: settings(body, current.settings.scaling),
  })
}

function placement(body: V1UpdateEndpointBody): ContainerChange {
  const { networkVolumeId, flashboot } = body
  const volumes = body.networkVolumeIds ?? (networkVolumeId === undefined ? undefined : [networkVolumeId])
  return defined({
    dataCenterIds: body.dataCenterIds,
    networkVolumeIds: volumes?.filter((id) => id !== ''),
    flashboot: flashboot === undefined ? undefined : flashboot ? ('FLASHBOOT' as const) : ('OFF' as const),
  })
}

function newGpu(body: V1UpdateEndpointBody): GpuChange {
  return { ...DEFAULT_GPU, pools: GPU_POOL_IDS, minCudaVersion: null, ...changedGpu(body) }
}

/** An empty list of types stands for every card. */
function changedGpu(body: V1UpdateEndpointBody): GpuChange | undefined {
  if (body.cpuFlavorIds !== undefined || body.vcpuCount !== undefined) throw otherFamily('GPU', 'cpuFlavorIds and vcpuCount')
  const { gpuTypeIds, minCudaVersion } = body
  const gpu = defined({
    ...(gpuTypeIds === undefined ? {} : parseGpuIds(gpuTypeIds.join(',') || 'any')),
    count: body.gpuCount,
    allowedCudaVersions: body.allowedCudaVersions,
    minCudaVersion: minCudaVersion === undefined ? undefined : minCudaVersion || null,
  })
  return Object.keys(gpu).length === 0 ? undefined : gpu
}

/** What is not named of it stays. */
function changedCpu({ gpuTypeIds, gpuCount, cpuFlavorIds, vcpuCount }: V1UpdateEndpointBody, { instanceIds }: CpuRequest): CpuRequest {
  if (gpuTypeIds !== undefined || gpuCount !== undefined) throw otherFamily('CPU', 'gpuTypeIds and gpuCount')
  if (cpuFlavorIds === undefined && vcpuCount === undefined) return { instanceIds }
  const before = instanceIds.map((id) => id.split('-'))
  return sized(cpuFlavorIds ?? before.map(([flavor = '']) => flavor), vcpuCount ?? Number(before[0]?.[1]))
}

function sized(flavors: readonly string[], vcpus: number): CpuRequest {
  return { instanceIds: [...new Set(flavors)].map((flavor) => cpuInstanceId(flavor, vcpus)) }
}

function otherFamily(family: 'GPU' | 'CPU', members: string): RunyardError {
  return new RunyardError('bad_request', `This is a ${family} endpoint, so ${members} mean nothing to it; make another endpoint for them.`)
}

export const SETTINGS = fieldsOf<V1UpdateEndpointBody, V1EndpointView, EndpointSettings>()({
  workersMin: 'workersMin',
  workersMax: 'workersMax',
  // Whole numbers stay whole, since Go clients refuse others (management §4.4).
  idleTimeoutMs: { name: 'idleTimeout', read: seconds.read, write: (ms) => Math.ceil(seconds.write(ms)) },
  executionTimeoutMs: 'executionTimeoutMs',
})

function settings(body: V1UpdateEndpointBody, current: Scaling | undefined): Partial<EndpointSettings> {
  return defined({ ...SETTINGS.read(body), scaling: scaling(body, current) })
}

/** Type and value come together or alone. */
function scaling({ scalerType, scalerValue }: V1UpdateEndpointBody, current: Scaling | undefined): Scaling | undefined {
  if (scalerType === undefined && scalerValue === undefined) return undefined
  const type = scalerType ?? current?.type ?? 'QUEUE_DELAY'
  const value = scalerValue ?? (current?.type === type ? scalerValueOf(current) : DEFAULT_SCALER_VALUE)
  return type === 'QUEUE_DELAY' ? { type, queueDelay: value } : { type, requestCount: value }
}

export function scalerValueOf(current: Scaling): number {
  return current.type === 'QUEUE_DELAY' ? current.queueDelay : current.requestCount
}
