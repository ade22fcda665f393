// REST v2 bodies → changes of the model (management §3.2). POST describes the whole endpoint; PATCH only what it names.
import {
  cpuInstanceId,
  DEFAULT_CONTAINER,
  DEFAULT_PLACEMENT,
  DEFAULT_SETTINGS,
  defined,
  refusePorts,
  type ContainerChange,
  type EndpointChange,
  type GpuChange,
} from '@runyard/core'
import { RunyardError, type CpuRequest, type Endpoint, type EndpointSettings, type Template } from '@runyard/schema'
import type { CreateEndpointBody, UpdateEndpointBody } from '@runyard/schema/api'
import { CPU, GPU, PLACEMENT, SETTINGS, toGpuChange, WORKERS } from '../endpoint-fields.ts'
import { CONTAINER } from '../template-fields.ts'

/** `template` is the one that `templateId` names: resolved once, no link kept. */
export function createChange(body: CreateEndpointBody, template: Template | undefined): EndpointChange {
  if ((body.gpu === undefined) === (body.cpu === undefined))
    throw new RunyardError('unprocessable', 'An endpoint has exactly one of "gpu" and "cpu".')
  refuseIdleTimeout(body, body.type, body.scaling.type)
  if (body.type !== 'LOAD_BALANCER') refusePorts(body.ports ?? [], template?.container.ports ?? [])
  const { image: _, ...defaults } = DEFAULT_CONTAINER
  return {
    name: body.name,
    type: body.type,
    container: { ...defaults, ...DEFAULT_PLACEMENT, ...givenContainer(body, template) },
    ...(givenCpu(body) ?? { gpu: { ...gpuDefaults, ...givenGpu(body.gpu ?? {}) } }),
    settings: { ...DEFAULT_SETTINGS, ...givenSettings(body) },
  }
}

const gpuDefaults: GpuChange = { excludedTypes: [], count: 1, allowedCudaVersions: [], minCudaVersion: null }

export function updateChange(body: UpdateEndpointBody, current: Endpoint, template: Template | undefined): EndpointChange {
  refuseOtherFamily(body, current)
  const { containerDiskInGb: diskGb } = body
  if (current.type !== 'LOAD_BALANCER') refusePorts(body.ports ?? [], [...current.spec.ports, ...(template?.container.ports ?? [])])
  refuseIdleTimeout(body, current.type, body.scaling?.type ?? current.settings.scaling.type)
  return defined({
    name: body.name,
    container: { ...(diskGb !== undefined && { diskGb }), ...givenContainer(body, template) },
    gpu: body.gpu === undefined ? undefined : givenGpu(body.gpu),
    ...(givenCpu(body) ?? resizedCpu(body, current)),
    settings: givenSettings(body),
  })
}

/** The body wins over the template; variables are merged key by key. */
function givenContainer(body: UpdateEndpointBody, template: Template | undefined): ContainerChange {
  return {
    ...template?.container,
    ...CONTAINER.v2.read(body),
    ...PLACEMENT.v2.read(body),
    ...(template !== undefined && { env: { ...template.container.env, ...body.env } }),
  }
}

function givenGpu(gpu: NonNullable<UpdateEndpointBody['gpu']>): GpuChange {
  if (gpu.excludedTypes !== undefined && gpu.pools === undefined)
    throw new RunyardError('unprocessable', 'gpu.excludedTypes is given together with gpu.pools only.')
  const { minCudaVersion, allowedCudaVersions = [] } = gpu
  if (minCudaVersion !== undefined && minCudaVersion !== '' && allowedCudaVersions.length > 0)
    throw new RunyardError('bad_request', 'gpu.minCudaVersion and gpu.allowedCudaVersions exclude each other.')
  return toGpuChange(GPU.v2.read(gpu))
}

function givenCpu(body: UpdateEndpointBody): { readonly cpu: CpuRequest } | undefined {
  const { instanceIds } = CPU.v2.read(body)
  return instanceIds && { cpu: { instanceIds } }
}

/** Terraform names the size alone. */
function resizedCpu({ vcpuCount }: UpdateEndpointBody, { spec: { cpu } }: Endpoint): { readonly cpu: CpuRequest } | undefined {
  if (vcpuCount === undefined || cpu === null) return undefined
  const flavors = new Set(cpu.instanceIds.map((id) => id.split('-', 1)[0] ?? ''))
  return { cpu: { instanceIds: [...flavors].map((flavor) => cpuInstanceId(flavor, vcpuCount)) } }
}

function givenSettings(body: UpdateEndpointBody): Partial<EndpointSettings> {
  return { ...WORKERS.v2.read(body.workers ?? {}), ...SETTINGS.v2.read(body) }
}

function refuseOtherFamily(body: UpdateEndpointBody, current: Endpoint): void {
  const wanted = [body.computeType, body.gpu && 'GPU', body.cpu && 'CPU'].filter((family) => family !== undefined)
  if (wanted.includes(current.spec.cpu === null ? 'CPU' : 'GPU'))
    throw new RunyardError('unprocessable', 'An endpoint cannot change between GPU and CPU; create a new one.')
}

function refuseIdleTimeout(body: UpdateEndpointBody, type: Endpoint['type'], scaler: string): void {
  if (body.workers?.idleTimeout !== undefined && type === 'QUEUE' && scaler === 'REQUEST_COUNT')
    throw new RunyardError('unprocessable', 'workers.idleTimeout does not apply to a queue that scales by REQUEST_COUNT.')
}
