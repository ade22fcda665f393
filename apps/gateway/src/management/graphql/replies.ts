// An endpoint and its bound template in GraphQL's words. What the client sent as a scalar comes back as it was sent: the SDK compares
// and would save again on every call (flash-api §5.4). Members that mean nothing here are null.
import { formatGpuIds } from '@runyard/core'
import type { Endpoint } from '@runyard/schema'

export function endpointReply(endpoint: Endpoint): Record<string, unknown> {
  const { settings } = endpoint
  return {
    id: endpoint.id,
    name: endpoint.name,
    type: endpoint.type === 'LOAD_BALANCER' ? 'LB' : 'QB',
    version: endpoint.version,
    templateId: endpoint.templateId,
    template: templateReply(endpoint),
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
    env: environmentReply(endpoint),
    ...specReply(endpoint),
    ...endpoint.echo,
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

export function templateReply(endpoint: Endpoint): Record<string, unknown> {
  const { spec } = endpoint
  return {
    id: endpoint.templateId,
    name: endpoint.templateName,
    imageName: spec.image,
    dockerArgs: spec.args,
    containerDiskInGb: spec.diskGb,
    containerRegistryAuthId: spec.registryId ?? '',
    volumeInGb: 0,
    volumeMountPath: '',
    ports: spec.ports.join(','),
    env: environmentReply(endpoint),
    readme: endpoint.echo['readme'] ?? '',
    isServerless: true,
    isPublic: false,
  }
}

function environmentReply({ spec }: Endpoint): readonly { key: string; value: string }[] {
  return Object.entries(spec.env).map(([key, value]) => ({ key, value }))
}
