// An endpoint and its bound template in GraphQL's words. What the client sent as a scalar comes back as it was sent: the SDK compares
// and would save again on every call (flash-api §5.4). Members that mean nothing here are null.
import { formatGpuIds } from '@runyard/core'
import type { Endpoint, Template, TemplateContainer } from '@runyard/schema'

export interface EndpointReply extends Record<string, unknown> {
  /** What it was made of; not in the schema. */
  readonly source: Endpoint
}

export function endpointReply(endpoint: Endpoint): EndpointReply {
  const { settings } = endpoint
  return {
    id: endpoint.id,
    name: endpoint.name,
    type: endpoint.type === 'LOAD_BALANCER' ? 'LB' : 'QB',
    version: endpoint.version,
    templateId: endpoint.sharedTemplateId ?? endpoint.templateId,
    userId: endpoint.ownerId,
    createdAt: new Date(endpoint.createdAt).toISOString(),
    flashEnvironmentId: endpoint.flashEnvironmentId,
    idleTimeout: settings.idleTimeoutMs / 1000,
    scalerType: settings.scaling.type,
    scalerValue: settings.scaling.type === 'QUEUE_DELAY' ? settings.scaling.queueDelay : settings.scaling.requestCount,
    workersMin: settings.workersMin,
    workersMax: settings.workersMax,
    workersStandby: 0,
    executionTimeoutMs: settings.executionTimeoutMs,
    modelReferences: [],
    env: environmentReply(endpoint.spec),
    ...specReply(endpoint),
    ...endpoint.echo,
    source: endpoint,
  }
}

function specReply({ spec }: Endpoint): Record<string, unknown> {
  const [firstVolume = null] = spec.networkVolumeIds
  return {
    computeType: spec.cpu === null ? 'GPU' : 'CPU',
    instanceIds: spec.cpu?.instanceIds ?? null,
    ...gpuReply(spec.gpu),
    locations: spec.dataCenterIds.length === 0 ? null : spec.dataCenterIds.join(','),
    networkVolumeId: firstVolume,
    networkVolumeIds: spec.networkVolumeIds.map((networkVolumeId) => ({ networkVolumeId, dataCenterId: null })),
    networkVolume: firstVolume === null ? null : { id: firstVolume, dataCenterId: null },
    workersPFBTarget: 0,
    flashBootType: spec.flashboot === 'OFF' ? null : spec.flashboot,
  }
}

function gpuReply(gpu: Endpoint['spec']['gpu']): Record<string, unknown> {
  if (gpu === null) return { gpuIds: null, gpuCount: null, allowedCudaVersions: '', minCudaVersion: null }
  return {
    gpuIds: formatGpuIds(gpu),
    gpuCount: gpu.count,
    allowedCudaVersions: gpu.allowedCudaVersions.join(','),
    minCudaVersion: gpu.minCudaVersion ?? null,
  }
}

export function templateReply({ id, name, container, notes }: Template): Record<string, unknown> {
  return {
    id,
    name,
    imageName: container.image,
    dockerArgs: container.args,
    containerDiskInGb: container.diskGb,
    containerRegistryAuthId: container.registryId ?? '',
    volumeInGb: notes.volumeGb,
    volumeMountPath: notes.volumeMountPath,
    ports: container.ports.join(','),
    env: environmentReply(container),
    readme: notes.readme,
    isServerless: notes.isServerless,
    isPublic: notes.isPublic,
    isRunpod: false,
    category: notes.category,
    startSsh: notes.startSsh,
    startJupyter: notes.startJupyter,
  }
}

function environmentReply({ env }: Pick<TemplateContainer, 'env'>): readonly { key: string; value: string }[] {
  return Object.entries(env).map(([key, value]) => ({ key, value }))
}
