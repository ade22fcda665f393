// REST v1 bodies → changes of the model (management §2.1). POST describes the whole endpoint; PATCH only what it names. An endpoint
// follows its template (management §5, ADR 21).
import {
  DEFAULT_GPU,
  DEFAULT_PLACEMENT,
  DEFAULT_SETTINGS,
  defined,
  GPU_POOL_IDS,
  templateSwap,
  type EndpointChange,
  type GpuChange,
} from '@runyard/core'
import { RunyardError, type CpuRequest, type Endpoint, type EndpointSettings, type Template } from '@runyard/schema'
import type { V1CreateEndpointBody, V1UpdateEndpointBody } from '@runyard/schema/api'
import { CPU, GPU, PLACEMENT, SETTINGS, toGpuChange, WORKERS } from '../endpoint-fields.ts'

const DEFAULT_IDLE_TIMEOUT_MS = 5000
const DEFAULT_CPU: CpuRequest = { instanceIds: ['cpu3c-2-4', 'cpu3g-2-8', 'cpu5c-2-4', 'cpu5g-2-8'] }

export function createChange(body: V1CreateEndpointBody, template: Template | undefined): EndpointChange {
  const { container: used, ...link } = templateSwap(undefined, template)
  const isCpu = body.computeType === 'CPU' || (body.computeType === undefined && body.cpuFlavorIds !== undefined)
  return defined({
    name: body.name,
    type: 'QUEUE' as const,
    ...link,
    container: { ...used, ...DEFAULT_PLACEMENT, ...PLACEMENT.v1.read(body) },
    ...(isCpu ? { cpu: changedCpu(body, DEFAULT_CPU) } : { gpu: newGpu(body) }),
    settings: { ...DEFAULT_SETTINGS, idleTimeoutMs: DEFAULT_IDLE_TIMEOUT_MS, ...settings(body) },
  })
}

export function updateChange(body: V1UpdateEndpointBody, current: Endpoint, template: Template | undefined): EndpointChange {
  const { container: used, ...link } = templateSwap(current, template)
  return defined({
    name: body.name,
    ...link,
    container: { ...used, ...PLACEMENT.v1.read(body) },
    ...(current.spec.cpu === null ? { gpu: changedGpu(body) } : { cpu: changedCpu(body, current.spec.cpu) }),
    settings: settings(body, current.settings),
  })
}

function newGpu(body: V1UpdateEndpointBody): GpuChange {
  return { ...DEFAULT_GPU, pools: GPU_POOL_IDS, minCudaVersion: null, ...changedGpu(body) }
}

function changedGpu(body: V1UpdateEndpointBody): GpuChange | undefined {
  if (body.cpuFlavorIds !== undefined) throw otherFamily('GPU', 'cpuFlavorIds')
  const gpu = toGpuChange(GPU.v1.read(body))
  return Object.keys(gpu).length === 0 ? undefined : gpu
}

function changedCpu(body: V1UpdateEndpointBody, current: CpuRequest): CpuRequest {
  if (body.gpuTypeIds !== undefined) throw otherFamily('CPU', 'gpuTypeIds')
  return { ...current, ...CPU.v1.read(body, current) }
}

/** Not for the counts: they have a default in Runpod's document, which Terraform sends for endpoints of both families. */
function otherFamily(family: 'GPU' | 'CPU', member: string): RunyardError {
  return new RunyardError('bad_request', `This is a ${family} endpoint, so ${member} means nothing to it; make another endpoint for that.`)
}

function settings(body: V1UpdateEndpointBody, current: Partial<EndpointSettings> = {}): Partial<EndpointSettings> {
  return { ...WORKERS.v1.read(body), ...SETTINGS.v1.read(body, current) }
}
