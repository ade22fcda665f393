// REST v2 bodies → changes of the model (management §3.2). POST describes the whole endpoint; PATCH only what it names.
import {
  cpuInstanceId,
  DEFAULT_SETTINGS,
  defined,
  parseGpuIds,
  refusePorts,
  type ContainerChange,
  type EndpointChange,
  type GpuChange,
} from '@runyard/core'
import { RunyardError } from '@runyard/schema'
import type { CpuRequest, Endpoint, EndpointSettings, EndpointSpec, Template } from '@runyard/schema'
import type { CreateEndpointBody, EndpointView, UpdateEndpointBody } from '@runyard/schema/api'
import { fieldsOf, seconds } from '../fields.ts'

type CpuBody = NonNullable<UpdateEndpointBody['cpu']>

/** `template` is the one that `templateId` names: resolved once, no link kept. */
export function createChange(body: CreateEndpointBody, template: Template | undefined): EndpointChange {
  if ((body.gpu === undefined) === (body.cpu === undefined))
    throw new RunyardError('unprocessable', 'An endpoint has exactly one of "gpu" and "cpu".')
  refuseIdleTimeout(body, body.type, body.scaling.type)
  refusePorts(body.ports ?? [], template?.container.ports ?? [])
  const container = givenContainer(body, template)
  return {
    name: body.name,
    type: body.type,
    container: {
      entrypoint: [],
      args: '',
      env: {},
      diskGb: null,
      ports: [],
      registryId: null,
      networkVolumeIds: [],
      dataCenterIds: [],
      flashboot: 'OFF',
      ...container,
    },
    ...(body.cpu === undefined ? { gpu: { ...gpuDefaults, ...givenGpu(body.gpu ?? {}) } } : { cpu: toCpu(body.cpu) }),
    settings: { ...DEFAULT_SETTINGS, ...givenSettings(body) },
  }
}

const gpuDefaults: GpuChange = { excludedTypes: [], count: 1, allowedCudaVersions: [], minCudaVersion: null }

export function updateChange(body: UpdateEndpointBody, current: Endpoint, template: Template | undefined): EndpointChange {
  refuseOtherFamily(body, current)
  refusePorts(body.ports ?? [], [...current.spec.ports, ...(template?.container.ports ?? [])])
  refuseIdleTimeout(body, current.type, body.scaling?.type ?? current.settings.scaling.type)
  return defined({
    name: body.name,
    container: givenContainer(body, template),
    gpu: body.gpu === undefined ? undefined : updatedGpu(body.gpu),
    cpu: body.cpu === undefined ? undefined : toCpu(body.cpu),
    settings: givenSettings(body),
  })
}

/** The body wins over the template; variables are merged key by key. */
function givenContainer(body: UpdateEndpointBody, template: Template | undefined): ContainerChange {
  return {
    ...template?.container,
    ...CONTAINER.read(body),
    ...(template !== undefined && { env: { ...template.container.env, ...body.env } }),
  }
}

function flashbootOf(on: boolean): 'FLASHBOOT' | 'OFF' {
  return on ? 'FLASHBOOT' : 'OFF'
}

/** New pools without exclusions clear the old ones; exclusions alone say nothing. */
function updatedGpu(gpu: NonNullable<UpdateEndpointBody['gpu']>): GpuChange {
  if (gpu.excludedTypes !== undefined && gpu.pools === undefined)
    throw new RunyardError('unprocessable', 'gpu.excludedTypes is given together with gpu.pools only.')
  return { ...(gpu.pools !== undefined && { excludedTypes: [] }), ...givenGpu(gpu) }
}

function givenGpu(gpu: NonNullable<UpdateEndpointBody['gpu']>): GpuChange {
  const { minCudaVersion } = gpu
  if (minCudaVersion !== undefined && minCudaVersion !== '' && (gpu.allowedCudaVersions ?? []).length > 0)
    throw new RunyardError('bad_request', 'gpu.minCudaVersion and gpu.allowedCudaVersions exclude each other.')
  // `any` stands for every pool.
  const pools = gpu.pools === undefined ? undefined : parseGpuIds(gpu.pools.join(',')).pools
  return defined({ ...gpu, pools, minCudaVersion: minCudaVersion === '' ? null : minCudaVersion })
}

function toCpu(cpu: CpuBody): CpuRequest {
  return { instanceIds: cpu.map(({ id, vcpuCount, memory }) => cpuInstanceId(id, vcpuCount, memory)) }
}

export const WORKERS = fieldsOf<NonNullable<UpdateEndpointBody['workers']>, EndpointView['workers'], EndpointSettings>()({
  workersMin: 'min',
  workersMax: 'max',
  idleTimeoutMs: { name: 'idleTimeout', ...seconds },
})

export const SETTINGS = fieldsOf<UpdateEndpointBody, EndpointView, EndpointSettings>()({
  scaling: 'scaling',
  executionTimeoutMs: 'timeout',
  priority: 'priority',
})

export const CONTAINER = fieldsOf<UpdateEndpointBody, EndpointView, EndpointSpec>()({
  image: 'image',
  args: 'args',
  env: 'env',
  diskGb: 'disk',
  ports: 'ports',
  registryId: 'registry',
  networkVolumeIds: 'networkVolumes',
  dataCenterIds: 'dataCenterIds',
  flashboot: { name: 'flashboot', read: (mode) => (typeof mode === 'boolean' ? flashbootOf(mode) : mode), write: (mode) => mode },
})

function givenSettings(body: UpdateEndpointBody): Partial<EndpointSettings> {
  return { ...WORKERS.read(body.workers ?? {}), ...SETTINGS.read(body) }
}

function refuseOtherFamily(body: UpdateEndpointBody, current: Endpoint): void {
  if ((body.gpu !== undefined && current.spec.cpu !== null) || (body.cpu !== undefined && current.spec.gpu !== null))
    throw new RunyardError('unprocessable', 'An endpoint cannot change between GPU and CPU; create a new one.')
}

function refuseIdleTimeout(body: UpdateEndpointBody, type: Endpoint['type'], scaler: string): void {
  if (body.workers?.idleTimeout !== undefined && type === 'QUEUE' && scaler === 'REQUEST_COUNT')
    throw new RunyardError('unprocessable', 'workers.idleTimeout does not apply to a queue that scales by REQUEST_COUNT.')
}
